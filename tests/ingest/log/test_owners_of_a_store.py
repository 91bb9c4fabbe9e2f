"""Two owners of one shard on one DuckDB file: a late write of the stopped one changes nothing.

The stopped owner has decided its batch and is about to write it when another takes over: what a
SIGSTOP in the worst moment is, with both owners in one process because DuckDB admits one.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

import pytest

from city.clock import SimulatedClock
from city.scope import EVERYTHING
from ingest.applier import Applier, ApplierSettings
from ingest.codecs.catalogue import find_codecs
from registry.registry import Registry
from store.duckdb.store import DuckDBStore
from store.interface import FencedError, LedgerQuery, ObservationQuery, QuarantineQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    # The fixtures that run workers need `go` of what they are given, beside `Applying`.
    from conftest import LogWriter, RecordingApplying
    from test_worker import Eventually, RunInThread, RunWorker

    from store.interface import Batch, Store

pytestmark = pytest.mark.live

NOW_US = 1_772_619_330_000_000
ANSWER_S = 20.0


class Sleeping:
    """A store whose writer can be held at the moment of writing; everything else is the store's."""

    def __init__(self, store: DuckDBStore) -> None:
        self._store = store
        self.go = threading.Event()
        self.go.set()
        self.standing = threading.Event()
        self.fenced: list[FencedError] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def write(self, batch: Batch) -> None:
        if not self.go.is_set():
            self.standing.set()
            assert self.go.wait(ANSWER_S), "nobody let this batch go on"
        try:
            self._store.write(batch)
        except FencedError as error:
            self.fenced.append(error)
            raise


class Owner(Applier):
    """An applier whose store can be made to wait."""

    def __init__(self, store: DuckDBStore, registry: Registry) -> None:
        self.sleeping = Sleeping(store)
        self.go = self.sleeping.go
        settings = ApplierSettings(unknown_devices="accept", timezone="UTC")
        super().__init__(cast("Store", self.sleeping), registry, settings, find_codecs())


@pytest.fixture
def database(tmp_path: Path) -> Generator[DuckDBStore]:
    store = DuckDBStore(tmp_path / "store.duckdb")
    yield store
    store.close()


@pytest.fixture
def new_owner(tmp_path: Path, database: DuckDBStore) -> Generator[Callable[[], Owner]]:
    registry = Registry.open(f"sqlite:///{tmp_path}/registry.sqlite", SimulatedClock(NOW_US))
    yield lambda: Owner(database, registry)
    registry.close()


def decided(store: DuckDBStore) -> int:
    """Return how many messages the store knows what became of; the balance always closes."""
    balance = store.ledger(EVERYTHING, LedgerQuery())
    assert balance.difference.messages == balance.difference.observations == 0
    return balance.messages.received


def assert_each_once(store: DuckDBStore, writer: LogWriter) -> None:
    """Every message of the log is in the store once, by its number within its shard."""
    assert decided(store) == writer.count
    assert {each.shard: each.count for each in store.counts()} == dict(enumerate(writer.counts))
    entries = store.quarantine(EVERYTHING, QuarantineQuery(state=None, limit=writer.count + 1))
    assert len({each.id for each in entries}) == len(entries) == writer.count
    seen = sorted((each.shard, int(each.payload)) for each in entries)
    assert seen == [
        (shard, number) for shard, count in enumerate(writer.counts) for number in range(count)
    ]
    assert store.observations(EVERYTHING, ObservationQuery("acme", "m-1")) == []


async def test_a_late_write_of_a_stopped_owner_changes_nothing(
    writer: LogWriter,
    database: DuckDBStore,
    new_owner: Callable[[], Owner],
    run_worker: RunWorker,
    run_in_thread: RunInThread,
    eventually: Eventually,
) -> None:
    await writer.make_stream()
    stopped, other = new_owner(), new_owner()
    with run_in_thread(cast("RecordingApplying", stopped)) as frozen:
        await writer.write(20)
        await eventually(lambda: decided(database) == writer.count)
        stopped.go.clear()
        await writer.write(20)
        await eventually(stopped.sleeping.standing.is_set)
        async with run_worker(cast("RecordingApplying", other)):
            with frozen():
                await eventually(lambda: decided(database) == writer.count)
            await writer.write(40)
            await eventually(lambda: decided(database) == writer.count)
            marks = database.marks()
            stopped.go.set()
            await eventually(lambda: bool(stopped.sleeping.fenced))
            assert database.marks() == marks
            assert_each_once(database, writer)
        # The other one has ended: the one that was stopped takes the shards again.
        await writer.write(20)
        await eventually(lambda: decided(database) == writer.count)
    assert_each_once(database, writer)
