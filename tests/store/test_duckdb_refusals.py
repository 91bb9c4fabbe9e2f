"""A store that cannot write now says why, has written nothing, and takes the same batch later."""

from __future__ import annotations

import contextlib
import resource
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import duckdb
import pytest

from city.scope import EVERYTHING
from store.duckdb.database import Database
from store.duckdb.schema import VERSION
from store.duckdb.store import DuckDBStore
from store.errors import FencedError, StoreBusyError, StoreLockedError, StoreVersionError
from store.interface import LedgerQuery, ObservationQuery

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from conftest import FileWriter, Parts

METER = ObservationQuery("acme", "meter")
HOLD = """
import sys
from pathlib import Path
from store.duckdb.database import Database
from store.duckdb.schema import VERSION
from store.duckdb.store import DuckDBStore
store = DuckDBStore(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


def test_below_the_disk_reserve_nothing_is_written_and_reading_goes_on(
    file_writer: FileWriter, parts: type[Parts]
) -> None:
    file_writer.write([{"value": 1.0}], series=[parts.series()], **file_writer.messages())
    free = shutil.disk_usage(file_writer.path.parent).free
    store = file_writer.open(disk_reserve_bytes=free * 1_000)
    batch = file_writer.batch([{"value": 2.0, "time_us": 5}], **file_writer.messages())
    for _ in range(2):
        with pytest.raises(StoreBusyError, match="bytes free") as caught:
            store.write(batch)
        assert caught.value.retry_after_s > 0
    assert_written(file_writer, 1)
    file_writer.open().write(batch)
    assert_written(file_writer, 2)


def test_a_full_file_system_defers_a_batch_and_a_checkpoint(
    file_writer: FileWriter, parts: type[Parts]
) -> None:
    file_writer.write([{"value": 1.0}], series=[parts.series()], **file_writer.messages())
    # Three times the limit in the log, and past the size at which a commit also checkpoints.
    rows = [{"time_us": step * 7_919, "value": step * 1.37} for step in range(150_000)]
    batch = file_writer.batch(rows, **file_writer.messages())
    with largest_file(500_000):
        for _ in range(3):
            with pytest.raises(StoreBusyError, match="file size limit reached"):
                file_writer.store.write(batch)
            assert_written(file_writer, 1)
    file_writer.store.write(batch)
    assert_written(file_writer, 2)
    file_writer.open()
    assert_written(file_writer, 2)


def test_a_commit_that_happened_and_failed_to_say_so_is_not_done_again(
    file_writer: FileWriter, parts: type[Parts], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Database.transaction

    @contextlib.contextmanager
    def silent(database: Database) -> Generator[duckdb.DuckDBPyConnection]:
        with whole(database) as connection:
            yield connection
        raise StoreBusyError(store="this", cause="the answer was lost", retry_after_s=0.1)

    batch = file_writer.batch([{"value": 1.0}], series=[parts.series()], **file_writer.messages())
    with monkeypatch.context() as patched:
        patched.setattr(Database, "transaction", silent)
        with pytest.raises(StoreBusyError, match="the answer was lost"):
            file_writer.store.write(batch)
    file_writer.store.write(batch)
    assert_written(file_writer, 1)
    assert len(file_writer.store.observations(EVERYTHING, METER)) == 1
    # Only the batch in doubt may come again.
    with pytest.raises(FencedError):
        file_writer.store.write(batch)


def test_too_little_memory_defers_a_batch(file_writer: FileWriter, parts: type[Parts]) -> None:
    rows = [{"time_us": step, "other": f'"{step:0>2000}"', "series": 0} for step in range(20_000)]
    batch = file_writer.batch(rows, series=[parts.series(kind="text")], **file_writer.messages())
    store = file_writer.open(memory_limit_bytes=4 << 20)
    with pytest.raises(StoreBusyError):
        store.write(batch)
    assert_written(file_writer, 0)
    file_writer.open().write(batch)
    assert_written(file_writer, 1)


def test_a_file_in_use_names_the_process_that_has_it(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(StoreLockedError, match=f"in use by process {holder.pid}") as caught:
            DuckDBStore(path)
        assert caught.value.holder == holder.pid
        holder.kill()
        holder.wait(10)
    DuckDBStore(path).close()


def test_a_file_that_a_plain_duckdb_has_open_is_in_use_too(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    DuckDBStore(path).close()
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(StoreLockedError) as caught:
            DuckDBStore(path)
        assert caught.value.holder == holder.pid
        holder.kill()
    DuckDBStore(path).close()


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    DuckDBStore(path).close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE version SET version = 99")
    before = path.read_bytes()
    with pytest.raises(StoreVersionError, match="has version 99"):
        DuckDBStore(path)
    assert path.read_bytes() == before
    # Neither our lock nor DuckDB's is kept by what was refused.
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE version SET version = ?", [VERSION])
    DuckDBStore(path).close()


def test_a_file_of_the_first_version_gets_what_it_lacks_and_keeps_the_rest(
    file_writer: FileWriter, parts: type[Parts]
) -> None:
    file_writer.write([{"value": 1.0}], series=[parts.series()])
    path = file_writer.path
    file_writer.store.close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("DROP TABLE codec_records")
        connection.execute("UPDATE version SET version = 1")
    store = DuckDBStore(path)
    assert (store.codec_records(), len(store.series())) == ([], 1)
    store.close()


def test_a_file_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    with largest_file(1_000), pytest.raises(StoreBusyError, match="file size limit"):
        DuckDBStore(tmp_path / "store.duckdb")
    DuckDBStore(tmp_path / "store.duckdb").close()


def test_a_closed_store_refuses_and_may_be_closed_again(file_writer: FileWriter) -> None:
    file_writer.store.close()
    file_writer.store.close()
    with pytest.raises(StoreBusyError, match="closed"):
        file_writer.store.marks()


@contextlib.contextmanager
def largest_file(size_bytes: int) -> Generator[None]:
    """Let this process make no file larger: what a full disk is, without the need to be root."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def assert_written(file_writer: FileWriter, batches: int) -> None:
    """Check every part of what was written: marks, counts, ledger and observations."""
    store = file_writer.store
    assert store.marks() == ({file_writer.shard: batches} if batches else {})
    assert sum(each.count for each in store.counts()) == batches
    assert store.ledger(EVERYTHING, LedgerQuery()).messages.accepted == batches
    assert bool(store.observations(EVERYTHING, METER)) == bool(batches)
