"""Killed at any moment, the file has each batch whole or not at all."""

import random
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from city.scope import EVERYTHING
from store.duckdb.store import DuckDBStore
from store.interface import LedgerQuery, QuarantineQuery

KILLS = 8
SHARD = 3
WRITER = Path(__file__).with_name("killed_writer.py")

pytestmark = pytest.mark.live


def test_marks_ledger_observations_and_quarantine_agree_after_kills(tmp_path: Path) -> None:
    path, mark = tmp_path / "store.duckdb", 0
    rng = random.Random(20261124)
    for seed in range(KILLS):
        said = kill_while_writing(path, seed, rng.uniform(0, 0.4))
        store = DuckDBStore(path)
        found = store.marks()[SHARD]
        # What was said to be written is; one more may be, whose answer was cut off.
        assert said <= found <= said + 1
        assert found > mark
        mark = found
        assert_whole(store, mark)
        store.close()
        assert_rows(path, mark)


def kill_while_writing(path: Path, seed: int, after_s: float) -> int:
    """Start a writer, kill it, and return the last mark that it said it had written."""
    with subprocess.Popen(
        [sys.executable, WRITER, path, str(seed)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline()]
        # Not a wait for a condition: the moment of the kill is what is tried out.
        time.sleep(after_s)
        writer.kill()
        lines += writer.stdout.readlines()
        writer.wait(10)
    return int([line for line in lines if line.endswith("\n")][-1])


def assert_whole(store: DuckDBStore, mark: int) -> None:
    ledger = store.ledger_snapshot(EVERYTHING, LedgerQuery(), "minute")
    assert ledger.balance.messages.received == ledger.balance.messages.accepted == mark
    assert [each.count for each in ledger.counts] == [mark]
    assert sum(row.accepted for row in ledger.rows) == mark
    assert [each.series for each in store.series()] == list(range(1, mark + 1))
    entries = store.quarantine(EVERYTHING, QuarantineQuery(state=None, limit=mark + 10))
    assert [each.received_us for each in entries] == list(range(mark, 0, -1))
    # The newest waits for its resolution; each other one got it from the batch behind its own.
    assert [each.resolved_us for each in entries] == [0, *range(mark, 1, -1)]


def assert_rows(path: Path, mark: int) -> None:
    """Each batch has one series: as many rows as the ledger says, no mark left out."""
    with duckdb.connect(str(path)) as connection:
        rows, batches, last = connection.execute(
            "SELECT count(*), count(DISTINCT series), max(series) FROM observations"
        ).fetchall()[0]
        (stored,) = connection.execute("SELECT sum(stored) FROM ledger_all").fetchall()[0]
        sizes = connection.execute(
            "SELECT DISTINCT count(*) FROM observations GROUP BY series"
        ).fetchall()
    assert (rows, batches, last) == (stored, mark, mark)
    assert {size for (size,) in sizes} <= {1, 100, 20_000}
