"""`madina up --demo`: a city on the page within a minute, the same after a restart."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

if TYPE_CHECKING:
    from conftest import Platform

pytestmark = [pytest.mark.live, pytest.mark.journey]

KINDS = {"air", "noise", "traffic", "parking", "waste", "water", "light"}
TWO_DAYS_OF_MESSAGES = 70_000


def status(platform: Platform) -> dict[str, Any]:
    answer = httpx.get(platform.run.http + "/v1/status")
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=dict[str, Any])


def is_filled(platform: Platform) -> bool:
    # Null until the page has read its first ledger.
    ledger = status(platform)["ledger"]
    if ledger is None:
        return False
    messages = ledger["messages"]
    return messages["accepted"] >= TWO_DAYS_OF_MESSAGES and messages["pending"] == 0


@pytest.mark.timeout(300)
def test_the_city_is_there_within_a_minute_and_goes_on_after_a_restart(
    start: Callable[..., Platform],
) -> None:
    platform = start(options=("--demo",))
    platform.until(lambda: is_filled(platform), "two days are filled in", 60)
    shown = status(platform)
    assert {kind["kind"] for kind in shown["latest"]} == KINDS
    assert shown["devices"]["active"] >= 200
    platform.until(lambda: status(platform)["devices"]["reporting"] >= 200, "they report", 60)
    assert shown["ledger"]["difference"] == {"messages": 0, "observations": 0}
    platform.until(
        lambda: (
            set(status(platform)["quarantine"]["by_reason"]) == {"json_syntax", "unknown_device"}
        ),
        "what is bad on purpose is in quarantine",
        60,
    )
    before = platform.ledger()
    assert before["duplicate"] == 0
    assert platform.interrupt() == 0

    again = start(options=("--demo",))
    again.until(lambda: again.ledger()["accepted"] > before["accepted"] + 200, "it goes on", 90)
    after = again.ledger()
    assert after["received"] < before["received"] + TWO_DAYS_OF_MESSAGES / 10
    assert after["duplicate"] == 0
    assert again.difference() == {"messages": 0, "observations": 0}
    assert again.interrupt() == 0
