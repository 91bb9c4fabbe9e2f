"""Expiry frees space that is used again; compaction gives it back, whatever happens meanwhile."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import duckdb
import pytest

from city.scope import EVERYTHING
from store.duckdb.store import DuckDBStore
from store.errors import StoreBusyError
from store.interface import LedgerQuery, ObservationQuery, QuarantineQuery, RecentKey

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    from conftest import FileWriter, Parts

METER = ObservationQuery("acme", "meter", limit=1_000_000)
ROWS = 150_000
HOUR_US = 3_600_000_000


def rows(file_writer: FileWriter, first: int, count: int = ROWS) -> list[dict[str, Any]]:
    """Return rows that do not compress away: one every 10 s, two series in turn."""
    return [
        {
            "series": number % 2,
            "time_us": file_writer.time_us + (first + number) * 10_000_000,
            "value": number * 2_654_435_761 % 1_000_003 / 7,
        }
        for number in range(count)
    ]


def both(parts: type[Parts]) -> list[Any]:
    return [parts.series(0), parts.series(1, quantity="pm2_5")]


def test_the_space_of_what_expired_is_used_again(
    file_writer: FileWriter, parts: type[Parts]
) -> None:
    file_writer.write(rows(file_writer, 0), series=both(parts))
    file_writer.open()
    full = file_writer.path.stat().st_size
    for generation in range(1, 4):
        deleted = file_writer.store.expire(file_writer.time_us + generation * ROWS * 10_000_000)
        assert deleted == ROWS
        file_writer.open()
        file_writer.write(rows(file_writer, generation * ROWS))
        file_writer.open()
    assert file_writer.path.stat().st_size < 1.5 * full


def test_compaction_gives_space_back_and_keeps_everything_else(
    file_writer: FileWriter, parts: type[Parts]
) -> None:
    file_writer.write(
        rows(file_writer, 0), series=both(parts), **file_writer.messages(7),
        quarantine=[parts.entry(1)], recent=[RecentKey("acme", "meter", 5, 6)],
        conflicts=parts.observations([{"time_us": file_writer.time_us + ROWS * 10_000_000}]),
    )  # fmt: skip
    file_writer.store.expire(file_writer.time_us + ROWS * 9_000_000)
    before = facts(file_writer.store)
    done = file_writer.store.compact()
    assert done.after_bytes < done.before_bytes
    assert file_writer.path.stat().st_size == done.after_bytes
    assert facts(file_writer.store) == before
    file_writer.write(
        [{"value": 1.0, "time_us": file_writer.time_us + 5}], **file_writer.messages()
    )
    file_writer.open()
    assert len(facts(file_writer.store)[0]) == len(before[0]) + 1
    left = sorted(each.name for each in file_writer.path.parent.iterdir())
    assert left == ["store.duckdb", "store.duckdb.lock"]


def test_readers_and_a_writer_go_on_while_the_store_is_compacted(
    file_writer: FileWriter, parts: type[Parts]
) -> None:
    file_writer.write(rows(file_writer, 0), series=both(parts), **file_writer.messages())

    def read() -> None:
        assert len(file_writer.store.observations(EVERYTHING, METER)) >= ROWS

    def write() -> None:
        file_writer.write(
            rows(file_writer, ROWS + file_writer.sequence, 1), **file_writer.messages()
        )

    with repeated(read, write):
        for _ in range(3):
            file_writer.store.compact()
    assert file_writer.store.marks() == {file_writer.shard: file_writer.sequence}
    assert len(file_writer.store.observations(EVERYTHING, METER)) == ROWS + file_writer.sequence - 1


def test_a_compaction_that_cannot_be_finished_changes_nothing(
    file_writer: FileWriter, parts: type[Parts]
) -> None:
    file_writer.write(rows(file_writer, 0), series=both(parts), **file_writer.messages())
    before = facts(file_writer.store)
    folder = file_writer.path.parent
    in_the_way = folder / "store.duckdb.compact.wal"
    in_the_way.mkdir()
    with pytest.raises((StoreBusyError, OSError)):
        file_writer.store.compact()
    in_the_way.rmdir()
    assert facts(file_writer.store) == before
    file_writer.store.compact()
    assert facts(file_writer.store) == before


def test_what_a_killed_compaction_left_is_removed_at_the_next_start(
    file_writer: FileWriter,
) -> None:
    file_writer.write(**file_writer.messages())
    left = file_writer.path.with_name("store.duckdb.compact")
    left.write_bytes(b"half a copy")
    file_writer.open()
    assert not left.exists()
    assert file_writer.store.marks() == {file_writer.shard: 1}


def test_folding_keeps_small_tables_small(file_writer: FileWriter) -> None:
    for _ in range(200):
        file_writer.write(**file_writer.messages())
    file_writer.store.close()
    with duckdb.connect(str(file_writer.path)) as connection:
        sizes = connection.execute(
            "SELECT (SELECT count(*) FROM ledger), (SELECT count(*) FROM progress),"
            " (SELECT count(*) FROM journal)"
        ).fetchall()[0]
    assert sizes[:2] == (2, 2)
    assert sizes[2] < 64 * 5


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
