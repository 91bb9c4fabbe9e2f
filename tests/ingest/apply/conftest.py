"""An applier on a real DuckDB file and a real registry, and frames as gateways write them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Literal

import msgspec
import pytest

from city.clock import SimulatedClock
from city.frame import Control, ControlKind, Door, Frame, Run, encode_frame
from city.replay import ReplayRequest, encode_request
from city.scope import EVERYTHING
from ingest.applier import Applier, ApplierSettings
from ingest.codecs.catalogue import find_codecs
from ingest.seams import Applied, LoggedFrame
from registry.records import DeviceDraft
from registry.registry import Registry
from store.duckdb.store import DuckDBStore
from store.interface import LedgerQuery, ObservationQuery, QuarantineQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from city.ledger import Balance
    from ingest.codecs.seam import Codec
    from store.interface import QuarantineEntry, Store, StoredObservation

    NewBench = Callable[..., "Bench"]

NOW_US = 1_772_619_330_000_000
EPOCH = 1_772_600_000_000_000
SHARD = 3


class Bench:
    """Everything around one applier."""

    def __init__(
        self,
        folder: Path,
        unknown: Literal["park", "accept"] = "park",
        store: Store | None = None,
    ) -> None:
        self.store = DuckDBStore(folder / "store.duckdb") if store is None else store
        self.registry = Registry.open(f"sqlite:///{folder}/registry.sqlite", SimulatedClock(NOW_US))
        self.settings = ApplierSettings(unknown_devices=unknown, timezone="Europe/Madrid")
        self.sequence = 0
        self.count = 0
        self.codecs: dict[str, Codec] = {**find_codecs()}
        self.reload()

    def reload(self) -> None:
        self.applier = Applier(self.store, self.registry, self.settings, self.codecs)
        self.applier.load()

    def register(self, *devices: str, provider: str = "acme", kind: str = "air") -> None:
        for device in devices:
            self.registry.devices.create("test", DeviceDraft(provider, device, kind=kind))

    def frame(
        self,
        *messages: tuple[str, bytes | dict[str, object]],
        flags: int = 1,
        door: Door = Door.ENDPOINT,
        received_us: int = NOW_US,
        controls: tuple[Control, ...] = (),
    ) -> LoggedFrame:
        payloads = [
            each if isinstance(each, bytes) else msgspec.json.encode(each) for _, each in messages
        ]
        frame = Frame(
            door=door,
            shard=SHARD,
            gateway="gateway-0",
            epoch=EPOCH,
            count_before=self.count,
            received_us=received_us,
            topics=[topic.encode() for topic, _ in messages],
            payloads=payloads,
            flags=bytes([flags]) * len(messages),
            runs=[Run(b"client-1", received_us, len(messages))] if messages else [],
            controls=controls,
        )
        self.sequence += 1
        self.count = frame.count_after
        return LoggedFrame(SHARD, self.sequence, encode_frame(frame), received_us)

    def send(
        self,
        *messages: tuple[str, bytes | dict[str, object]],
        flags: int = 1,
        received_us: int = NOW_US,
    ) -> Applied:
        return self.applier.apply([self.frame(*messages, flags=flags, received_us=received_us)])

    def ask(self, kind: ControlKind, request: ReplayRequest) -> Applied:
        control = Control(kind, "ana", NOW_US, encode_request(request))
        return self.applier.apply([self.frame(controls=(control,), door=Door.SERVICES)])

    def replay(self, request: ReplayRequest | None = None) -> Applied:
        return self.ask(ControlKind.REPLAY, request or ReplayRequest())

    def stored(self, device: str = "a", provider: str = "acme") -> list[StoredObservation]:
        return self.store.observations(EVERYTHING, ObservationQuery(provider, device))

    def values(self, device: str = "a") -> list[object]:
        return [each.value for each in self.stored(device)]

    @property
    def ledger(self) -> Balance:
        """The applied balance, which always closes."""
        balance = self.store.ledger(EVERYTHING, LedgerQuery())
        assert balance.difference.messages == balance.difference.observations == 0
        return balance

    def quarantine(self, state: str | None = "held") -> list[QuarantineEntry]:
        return self.store.quarantine(EVERYTHING, QuarantineQuery(state=state))


@pytest.fixture
def new_bench(tmp_path: Path) -> Generator[NewBench]:
    with contextlib.ExitStack() as made:

        def make(unknown: Literal["park", "accept"] = "park") -> Bench:
            bench = Bench(tmp_path, unknown)
            made.callback(bench.store.close)
            made.callback(bench.registry.close)
            return bench

        yield make


@pytest.fixture
def new_bench_on(tmp_path: Path) -> Generator[Callable[[Store], Bench]]:
    """Return a function that makes a bench on a store of the test's own."""
    with contextlib.ExitStack() as made:

        def make(store: Store) -> Bench:
            bench = Bench(tmp_path, store=store)
            made.callback(bench.registry.close)
            return bench

        yield make


@pytest.fixture
def bench(new_bench: NewBench) -> Bench:
    return new_bench()


@pytest.fixture(scope="session")
def bench_in() -> NewBench:
    """Return a function that makes a bench in a folder; the caller closes it."""
    return Bench
