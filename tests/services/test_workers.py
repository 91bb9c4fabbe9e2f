"""Ingest in other processes: heard once a second, told together, and missed when it is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from city.ingest_state import IngestState, encode_ingest_state, ingest_subject
from services.workers import together

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import City, Parts


def test_several_workers_are_told_together() -> None:
    found = together(
        [
            IngestState("a", started=True, messages_per_s=5, work_s=0.1, oldest_us=7, owned=3),
            IngestState("b", store_words="is away", messages_per_s=2, work_s=0.3, owned=1),
        ]
    )
    assert found == IngestState(
        started=True, store_words="b: is away", messages_per_s=7, work_s=0.3, oldest_us=7, owned=4
    )
    assert "start `madina ingest`" in together([]).log_words


@pytest.mark.live
def test_services_alone_are_ready_while_a_worker_tells_its_state(
    parts: Parts,
    serve: Callable[[Parts], City],
    make_stream: Callable[[str], None],
    eventually: Callable[[Callable[[], bool]], None],
) -> None:
    alone = msgspec.structs.replace(parts[0], ingest=None)
    make_stream(alone.nats_url)
    city = serve((alone, parts[1]))

    def words() -> list[str]:
        reasons = city.api.get("/readyz").json()["reasons"]
        return [each["words"] for each in reasons if each["part"] == "ingest"]

    assert words()[0].endswith("start `madina ingest`")
    state = IngestState("ingest-1", started=True, owned=2, messages_per_s=3.5)

    def heard() -> bool:
        city.publish(ingest_subject("ingest-2"), b"{")
        city.publish(ingest_subject("ingest-1"), encode_ingest_state(state))
        return city.api.get("/v1/status").json()["rates"]["applied_per_s"] == 3.5

    eventually(heard)
    assert words() == []
