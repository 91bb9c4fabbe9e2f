"""What is older than an instant goes, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from city.scope import EVERYTHING
from store.interface import LedgerQuery, ObservationQuery

if TYPE_CHECKING:
    from conftest import Parts, Writer

METER = ObservationQuery("acme", "meter", limit=1_000)


def rows(writer: Writer, first: int, count: int) -> list[dict[str, Any]]:
    """Return a row every 10 s, two series in turn."""
    return [
        {"series": number % 2, "time_us": writer.time_us + number * 10_000_000, "value": 1.0}
        for number in range(first, first + count)
    ]


def both(parts: type[Parts]) -> list[Any]:
    return [parts.series(0), parts.series(1, quantity="pm2_5")]


def test_expiry_deletes_what_is_older_and_nothing_else(writer: Writer, parts: type[Parts]) -> None:
    old, kept = rows(writer, 0, 10), rows(writer, 10, 10)
    conflicts = parts.observations([{**old[3], "value": 9.0}, {**kept[3], "value": 9.0}])
    writer.write([*old, *kept], series=both(parts), conflicts=conflicts, **writer.messages(20))
    assert writer.store.expire(kept[0]["time_us"]) == 11
    found = writer.store.observations(EVERYTHING, METER)
    assert [each.time_us for each in found] == sorted(
        [*(row["time_us"] for row in kept), kept[3]["time_us"]]
    )
    assert writer.store.expire(kept[0]["time_us"]) == 0
    # What was counted stays counted: the ledger is not of the observations that are left.
    assert writer.store.ledger(EVERYTHING, LedgerQuery()).messages.accepted == 20
    assert len(writer.store.series()) == 2
