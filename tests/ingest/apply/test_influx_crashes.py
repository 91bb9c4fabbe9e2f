"""InfluxDB has no transactions: whatever is cut off between any two requests, all counts once."""

from __future__ import annotations

import contextlib
import itertools
import threading
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import pytest

from city.frame import Control, ControlKind, Door
from city.replay import ReplayRequest, encode_request
from city.scope import EVERYTHING
from ingest.applier import Applier
from store.influx import InfluxAddress, InfluxStore
from store.influx.connection import Connection
from store.interface import FencedError, LedgerQuery, ObservationQuery, QuarantineQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from conftest import Bench

    from ingest.seams import LoggedFrame
    from store.interface import StoredObservation

pytestmark = pytest.mark.live

NOW_MS = 1_772_619_330_000
Moment = Literal["half", "after"]


class Killed(BaseException):
    """The process is gone."""


class Mortal:
    """Counts the requests of one process, and ends it at one of them."""

    def __init__(self, at: int = -1, moment: Moment = "after") -> None:
        self.requests = 0
        self._at = at
        self._moment = moment

    def attach(self, patch: pytest.MonkeyPatch) -> None:
        write, ask = Connection.write, Connection.ask_all

        def dying_write(connection: Connection, policy: str, lines: bytes) -> None:
            last = self._counted()
            if last and self._moment == "half":
                # A server that is killed as well may have a part of a request.
                whole = lines.split(b"\n")
                write(connection, policy, b"\n".join(whole[: len(whole) // 2] or whole[:1]))
            elif not last or self._moment == "after":
                write(connection, policy, lines)
            if last:
                raise Killed

        def dying_ask(connection: Connection, policy: str, statements: list[str]) -> object:
            if self._counted():
                raise Killed
            return ask(connection, policy, statements)

        patch.setattr(Connection, "write", dying_write)
        patch.setattr(Connection, "ask_all", dying_ask)

    def _counted(self) -> bool:
        self.requests += 1
        return self.requests == self._at + 1


def up(device: str, kind: str = "up") -> str:
    return f"madina/v1/acme/{device}/{kind}"


def reading(at: int, **values: object) -> dict[str, object]:
    return {"t": NOW_MS + at, "obs": [{"q": name, "v": value} for name, value in values.items()]}


@pytest.fixture
def frames(bench: Bench) -> list[LoggedFrame]:
    """Return frames with everything that a store may be asked to remember."""
    request = Control(ControlKind.REPLAY, "ana", NOW_MS * 1_000, encode_request(ReplayRequest()))
    timeless: dict[str, object] = {"id": "m-1", "obs": [{"q": "pm10", "v": 3.5}]}
    return [
        bench.frame((up("a"), reading(1, pm10=1, no2=2)), (up("a"), reading(2, pm10=1, open=True))),
        bench.frame((up("b"), reading(1, pm10=7)), (up("late"), reading(1, pm10=1))),
        # The same again, another value for one quantity, and one that is new at that time.
        bench.frame((up("a"), reading(1, pm10=1, no2=3, co=4)), (up("a"), b"{")),
        bench.frame((up("a"), reading(0, pm10=5)), (up("a"), reading(1, pm10=1.5))),
        bench.frame((up("b"), timeless), (up("b"), reading(9, note="text", pm10=1e300))),
        bench.frame((up("b"), timeless), flags=9),
        bench.frame(controls=(request,), door=Door.SERVICES),
        bench.frame((up("a"), reading(2, pm10=2)), (up("late"), reading(2, pm10=1))),
    ]


class City:
    """A database, and a registry that all processes share."""

    def __init__(self, address: InfluxAddress, bench: Bench) -> None:
        self.address = address
        self._bench = bench

    @contextlib.contextmanager
    def process(self) -> Generator[tuple[InfluxStore, Applier]]:
        with contextlib.closing(InfluxStore(self.address)) as store:
            bench = self._bench
            yield store, Applier(store, bench.registry, bench.settings, bench.codecs)


def apply(applier: Applier, frames: list[LoggedFrame], size: int) -> None:
    """Go on behind the mark, some frames at a time."""
    mark = applier.load().get(frames[0].shard, 0)
    left = [frame for frame in frames if frame.sequence > mark]
    for start in range(0, len(left), size):
        applier.apply(left[start : start + size])


def facts(store: InfluxStore) -> dict[str, object]:
    """Return all that a store says, in no order of chance."""
    ledger = store.ledger_snapshot(EVERYTHING, LedgerQuery(), "minute")
    assert ledger.balance.difference.messages == ledger.balance.difference.observations == 0
    assert ledger.balance == store.ledger(EVERYTHING, LedgerQuery())
    newest: list[dict[str, Any]] = store.watermarks().to_pylist()
    return {
        "ledger": ledger,
        "marks": store.marks(),
        "series": {(each.device, each.quantity, each.unit, each.kind) for each in store.series()},
        "observations": [
            sorted(named(each) for each in store.observations(EVERYTHING, asked))
            for asked in (ObservationQuery("acme", device) for device in ("a", "b", "late"))
        ],
        "quarantine": sorted(
            store.quarantine(EVERYTHING, QuarantineQuery(state=None)), key=lambda each: each.id
        ),
        "held": store.quarantine_counts(EVERYTHING),
        "recent": store.recent(),
        "watermarks": sorted(
            (store.series()[int(row.pop("series"))].quantity, *map(str, row.values()))
            for row in newest
        ),
    }


def named(found: StoredObservation) -> tuple[object, ...]:
    """Return an observation without the number that a process gave its series."""
    return (found.quantity, found.time_us, *map(str, msgspec.structs.astuple(found)[5:]))


@pytest.fixture
def new_city(bench: Bench, new_database: Callable[[], InfluxAddress]) -> Callable[[], City]:
    bench.register("a", "b")
    return lambda: City(new_database(), bench)


@pytest.fixture
def expected(new_city: Callable[[], City], frames: list[LoggedFrame]) -> dict[str, object]:
    with new_city().process() as (store, applier):
        apply(applier, frames, 1)
        return facts(store)


def test_the_frames_hold_what_they_should(expected: dict[str, object]) -> None:
    ledger = msgspec.to_builtins(expected["ledger"])["balance"]
    assert ledger["messages"] == {
        "received": 13, "accepted": 9, "quarantined": 3, "duplicate": 1, "pending": 0
    }  # fmt: skip


@pytest.mark.parametrize(("moment", "step"), [("after", 1), ("half", 2)])
def test_a_process_that_dies_between_any_two_requests_changes_nothing(
    moment: Moment,
    step: int,
    new_city: Callable[[], City],
    frames: list[LoggedFrame],
    expected: dict[str, object],
) -> None:
    for at in itertools.count(step=step):
        city, mortal = new_city(), Mortal(at, moment)
        with pytest.MonkeyPatch.context() as patch, city.process() as (_, applier):
            mortal.attach(patch)
            with contextlib.suppress(Killed):
                apply(applier, frames, 3)
        with city.process() as (store, applier):
            # Frames are never grouped as they were.
            apply(applier, frames, 2 if at % 3 else 8)
            assert facts(store) == expected, (moment, at)
        if mortal.requests <= at:
            assert at > 30
            return


def test_a_process_that_was_stopped_between_any_two_requests_wakes_up_and_changes_nothing(
    new_city: Callable[[], City], frames: list[LoggedFrame], expected: dict[str, object]
) -> None:
    for at in itertools.count(1, 3):
        city, stopped = new_city(), Stopped(at)
        with pytest.MonkeyPatch.context() as patch:
            stopped.attach(patch)
            thread = threading.Thread(target=stopped.work, args=(city, frames))
            thread.start()
            reached = stopped.reached.wait(30) and not stopped.done
            with city.process() as (store, applier):
                apply(applier, frames, 2)
                stopped.go_on.set()
                thread.join(30)
                assert stopped.faults == []
                assert facts(store) == expected, at
            with city.process() as (store, _):
                assert facts(store) == expected, at
        if not reached:
            break


class Stopped:
    """A process that stands still at one of its requests until it is told to go on."""

    def __init__(self, at: int) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.done = False
        self.faults: list[BaseException] = []
        self._left = at
        self._thread: int | None = None

    def attach(self, patch: pytest.MonkeyPatch) -> None:
        write, ask = Connection.write, Connection.ask_all

        def slow_write(connection: Connection, policy: str, lines: bytes) -> None:
            self._wait()
            write(connection, policy, lines)

        def slow_ask(connection: Connection, policy: str, statements: list[str]) -> object:
            self._wait()
            return ask(connection, policy, statements)

        patch.setattr(Connection, "write", slow_write)
        patch.setattr(Connection, "ask_all", slow_ask)

    def work(self, city: City, frames: list[LoggedFrame]) -> None:
        self._thread = threading.get_ident()
        try:
            with city.process() as (_, applier), contextlib.suppress(FencedError):
                apply(applier, frames, 3)
        except BaseException as error:  # noqa: BLE001 - shown by the test
            self.faults.append(error)
        self.done = True
        self.reached.set()

    def _wait(self) -> None:
        if threading.get_ident() == self._thread:
            self._left -= 1
            if self._left == 0:
                self.reached.set()
                self.go_on.wait(30)
