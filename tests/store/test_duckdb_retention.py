"""Expiry frees space that is used again; compaction gives it back, whatever happens meanwhile."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import pytest

from city.scope import EVERYTHING
from store.duckdb.store import DuckDBStore
from store.errors import StoreBusyError
from store.interface import LedgerQuery, ObservationQuery, QuarantineQuery, RecentKey

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    from conftest import Parts, Writer

METER = ObservationQuery("acme", "meter", limit=1_000_000)
ROWS = 150_000
HOUR_US = 3_600_000_000


def rows(writer: Writer, first: int, count: int = ROWS) -> list[dict[str, Any]]:
    """Return rows that do not compress away: one every 10 s, two series in turn."""
    return [
        {
            "series": number % 2,
            "time_us": writer.time_us + (first + number) * 10_000_000,
            "value": number * 2_654_435_761 % 1_000_003 / 7,
        }
        for number in range(count)
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


def test_the_space_of_what_expired_is_used_again(writer: Writer, parts: type[Parts]) -> None:
    writer.write(rows(writer, 0), series=both(parts))
    writer.open()
    full = writer.path.stat().st_size
    for generation in range(1, 4):
        deleted = writer.store.expire(writer.time_us + generation * ROWS * 10_000_000)
        assert deleted == ROWS
        writer.open()
        writer.write(rows(writer, generation * ROWS))
        writer.open()
    assert writer.path.stat().st_size < 1.5 * full


def test_compaction_gives_space_back_and_keeps_everything_else(
    writer: Writer, parts: type[Parts]
) -> None:
    writer.write(
        rows(writer, 0), series=both(parts), **writer.messages(7),
        quarantine=[parts.entry(1)], recent=[RecentKey("acme", "meter", 5, 6)],
        conflicts=parts.observations([{"time_us": writer.time_us + ROWS * 10_000_000}]),
    )  # fmt: skip
    writer.store.expire(writer.time_us + ROWS * 9_000_000)
    before = facts(writer.store)
    done = writer.store.compact()
    assert done.after_bytes < done.before_bytes
    assert writer.path.stat().st_size == done.after_bytes
    assert facts(writer.store) == before
    writer.write([{"value": 1.0, "time_us": writer.time_us + 5}], **writer.messages())
    writer.open()
    assert len(facts(writer.store)[0]) == len(before[0]) + 1
    left = sorted(each.name for each in writer.path.parent.iterdir())
    assert left == ["store.duckdb", "store.duckdb.lock"]


def test_readers_and_a_writer_go_on_while_the_store_is_compacted(
    writer: Writer, parts: type[Parts]
) -> None:
    writer.write(rows(writer, 0), series=both(parts), **writer.messages())

    def read() -> None:
        assert len(writer.store.observations(EVERYTHING, METER)) >= ROWS

    def write() -> None:
        writer.write(rows(writer, ROWS + writer.sequence, 1), **writer.messages())

    with repeated(read, write):
        for _ in range(3):
            writer.store.compact()
    assert writer.store.marks() == {writer.shard: writer.sequence}
    assert len(writer.store.observations(EVERYTHING, METER)) == ROWS + writer.sequence - 1


def test_a_compaction_that_cannot_be_finished_changes_nothing(
    writer: Writer, parts: type[Parts]
) -> None:
    writer.write(rows(writer, 0), series=both(parts), **writer.messages())
    before = facts(writer.store)
    folder = writer.path.parent
    in_the_way = folder / "store.duckdb.compact.wal"
    in_the_way.mkdir()
    with pytest.raises((StoreBusyError, OSError)):
        writer.store.compact()
    in_the_way.rmdir()
    assert facts(writer.store) == before
    writer.store.compact()
    assert facts(writer.store) == before


def test_what_a_killed_compaction_left_is_removed_at_the_next_start(writer: Writer) -> None:
    writer.write(**writer.messages())
    left = writer.path.with_name("store.duckdb.compact")
    left.write_bytes(b"half a copy")
    writer.open()
    assert not left.exists()
    assert writer.store.marks() == {writer.shard: 1}


def facts(store: DuckDBStore) -> tuple[Any, ...]:
    return (
        store.observations(EVERYTHING, METER),
        store.marks(),
        store.counts(),
        store.series(),
        store.recent(),
        store.ledger_snapshot(EVERYTHING, LedgerQuery(), "minute"),
        store.quarantine(EVERYTHING, QuarantineQuery(state=None)),
    )


@contextlib.contextmanager
def repeated(*works: Callable[[], None]) -> Generator[None]:
    """Do each work again and again in a thread of its own; a fault of one fails the test."""
    stop, faults = threading.Event(), list[BaseException]()

    def repeat(work: Callable[[], None]) -> None:
        try:
            while not stop.is_set():
                work()
        except (AssertionError, StoreBusyError) as error:
            faults.append(error)

    threads = [threading.Thread(target=repeat, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert not faults
