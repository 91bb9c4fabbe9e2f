"""Whatever is replayed again is a duplicate, and the whole ledger still balances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Acceptance

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(300)]

DATA_SETS = [
    "beijing", "openaq", "noise", "zurich-counters", "campusiot", "ea-flood", "parking",
    "litter-bins", "water-meters",
]  # fmt: skip


@pytest.mark.parametrize("data_set", DATA_SETS)
def test_again_there_are_only_duplicates(platform: Acceptance, data_set: str) -> None:
    first = platform.replayed(data_set)
    again = platform.replay(data_set)
    assert (again.rows, again.sent, again.skipped_rows) == (
        first.rows, first.sent, first.skipped_rows,
    )  # fmt: skip
    assert (again.accepted, again.duplicate, again.quarantined) == (0, first.sent, 0)
    assert again.observations["stored"] == again.observations["rejected"] == 0


def test_every_data_set_together_balances(platform: Acceptance) -> None:
    sent = sum(platform.replayed(each).sent for each in DATA_SETS)
    ledger = platform.get("/v1/ledger")
    assert ledger["difference"] == {"messages": 0, "observations": 0}
    assert ledger["messages"]["pending"] == ledger["messages"]["quarantined"] == 0
    assert ledger["messages"]["received"] >= sent
