"""What is kept beside the requests: bounded, in order, and right whatever comes when."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import msgspec
import pytest

from city.clock import US_PER_S
from city.live import LiveObservation
from city.scope import EVERYTHING, Scope
from registry.facts import Changes, Device
from services.fleet import Fleet, StatusQuery
from services.latest import LatestValues, NewestByKind, newest_of
from services.live import QUEUE_MAX, WATCHERS_MAX, LiveFeed, TooManyWatchersError, Wish
from services.log_counts import LogCounts
from services.silence import Status, status_of
from services.threads import THREADS, Threads, TooBusyError
from store.interface import GatewayCount, Series

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

NOW_US = 1_772_600_040_000_000
MINUTE_US = 60 * US_PER_S


def seen(
    device: str = "a", time_us: int = NOW_US, value: float = 1.0, quantity: str = "pm10"
) -> LiveObservation:
    return LiveObservation("acme", device, quantity, value, time_us, time_us, 1)


def device(name: str, interval_s: float | None = 60.0, **fields: object) -> Device:
    plain = Device("acme", name, "air", name, "active", interval_s, None, None, None, 1)
    return msgspec.structs.replace(plain, **fields)


def fleet_of(*devices: Device, at_us: int = NOW_US) -> Fleet:
    fleet = Fleet()
    registered = (msgspec.structs.replace(each, created_us=at_us) for each in devices)
    fleet.update(Changes(1, devices=tuple(registered)))
    return fleet


@pytest.mark.parametrize(("minutes", "silent"), [(3, 0), (3.1, 1)])
def test_a_device_is_silent_only_beyond_three_intervals(minutes: float, silent: int) -> None:
    heard = {("acme", "a"): NOW_US - int(minutes * MINUTE_US)}
    look = fleet_of(device("a")).look(heard, NOW_US)
    assert (look.silent, look.late) == (silent, 1 - silent)


def test_a_device_that_was_never_heard_is_named_three_intervals_after_it_was_registered() -> None:
    fleet = fleet_of(device("a"), at_us=NOW_US - 4 * MINUTE_US)
    (silent,) = fleet.look({}, NOW_US).longest
    assert (silent.last_us, silent.silent_us) == (None, 4 * MINUTE_US)
    look = fleet_of(device("a")).look({}, NOW_US)
    assert (look.never_seen, look.silent, look.longest) == (1, 0, ())


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (None, Status("never_seen", 7)),
        (1.5, Status("reporting")),
        (1.6, Status("late", NOW_US - int(0.1 * MINUTE_US))),
        (3, Status("late", NOW_US - int(1.5 * MINUTE_US))),
        (5, Status("silent", NOW_US - 2 * MINUTE_US)),
    ],
)
def test_a_state_says_since_when_by_the_expected_interval(
    minutes: float | None, expected: Status
) -> None:
    last_us = None if minutes is None else NOW_US - int(minutes * MINUTE_US)
    assert status_of(device("a", created_us=7), last_us, NOW_US) == expected


def test_states_come_in_pages_by_receive_time_and_by_event_time() -> None:
    names = ("late", "new", "old-data", "silent", "well")
    fleet = fleet_of(*map(device, names), device("gone", status="retired"))
    received = {"late": 2.0, "old-data": 0.5, "silent": 9.0, "well": 0.5}
    heard = {("acme", name): NOW_US - int(ago * MINUTE_US) for name, ago in received.items()}
    observed = {**heard, ("acme", "old-data"): NOW_US - 60 * MINUTE_US}
    look = fleet.look(heard, NOW_US)
    counts = (look.reporting, look.late, look.silent, look.never_seen)
    assert counts == (2, 1, 1, 1)
    assert sum(counts) == look.active

    def page(query: StatusQuery) -> list[tuple[str, str, str]]:
        found = fleet.page(query, look, (heard, observed), NOW_US)
        return [(each.device.id, each.status.state, each.by_event_time.state) for each in found]

    first = page(StatusQuery(limit=2))
    assert first == [("late", "late", "late"), ("new", "never_seen", "never_seen")]
    second = page(StatusQuery(after=("acme", "new"), limit=1))
    assert second == [("old-data", "reporting", "silent")]
    assert page(StatusQuery(state="silent")) == [("silent", "silent", "silent")]
    reporting = page(StatusQuery(state="reporting", after=("acme", "old-data")))
    assert reporting == [("well", "reporting", "reporting")]
    assert page(StatusQuery(scope=Scope(frozenset({"other"})))) == []


def test_only_active_devices_with_a_known_interval_are_silent() -> None:
    fleet = fleet_of(
        device("pending", status="pending"),
        device("retired", status="retired"),
        device("whenever", None),
        at_us=0,
    )
    look = fleet.look({("acme", "whenever"): 1}, NOW_US)
    assert (look.registered, look.active, look.pending) == (3, 1, 1)
    assert (look.silent, look.reporting) == (0, 1)


def test_the_longest_silent_come_first_and_are_few() -> None:
    names = [f"d-{number:02}" for number in range(30)]
    heard = {("acme", name): NOW_US - (n + 10) * MINUTE_US for n, name in enumerate(names)}
    look = fleet_of(*map(device, names)).look(heard, NOW_US)
    assert look.silent == 30
    assert [each.device.id for each in look.longest] == names[:9:-1]


def test_latest_values_keep_the_newest_by_time_and_the_last_hearing() -> None:
    latest = LatestValues()
    latest.offer([seen(value=1.0), seen(value=0.0, time_us=NOW_US - 1), seen(quantity="no2")])
    assert [each.value for each in latest.of(("acme", "a"))] == [1.0, 1.0]
    assert [each.quantity for each in latest.of(("acme", "a"))] == ["no2", "pm10"]
    assert latest.heard == {("acme", "a"): NOW_US}


def test_a_value_of_the_same_time_that_comes_later_is_shown() -> None:
    latest = LatestValues()
    latest.offer([seen(value=1.0), seen(value=2.0)])
    assert [each.value for each in latest.of(("acme", "a"))] == [2.0]


def test_latest_values_are_bounded_and_count_what_they_leave_out() -> None:
    latest = LatestValues(series_max=2)
    latest.offer([seen("a"), seen("b"), seen("c"), seen("a", NOW_US + 1, 5.0)])
    assert (len(latest), latest.left_out) == (2, 1)
    assert latest.of(("acme", "a"))[0].value == 5.0
    assert list(latest.devices(EVERYTHING, None)) == [("acme", "a"), ("acme", "b")]


def test_a_scope_hides_the_values_of_others() -> None:
    latest = LatestValues()
    latest.offer([seen("a"), msgspec.structs.replace(seen("b"), provider="other")])
    assert list(latest.devices(Scope(frozenset({"other"})), None)) == [("other", "b")]


def test_of_a_kind_the_newest_eight_are_kept() -> None:
    newest = NewestByKind()
    for number in (5, 1, 9, 3, 7, 2, 8, 0, 6, 4, 11, 10):
        newest.offer("air", seen(f"d-{number}", NOW_US + number))
    newest.offer("air", seen("d-11", NOW_US, 99.0))
    ((kind, values),) = newest.items()
    assert kind == "air"
    assert [each.device for each in values] == [f"d-{n}" for n in range(11, 3, -1)]
    assert values[0].value == 1.0


def test_the_newest_of_a_store_have_their_own_types_again(rows: Callable[..., pa.Table]) -> None:
    series = [Series(0, "acme", "a", "occupied", None, "bool")]
    assert newest_of(series, rows((NOW_US, None), other="true"))[0].value is True
    assert newest_of(series, rows((NOW_US, 1.5)))[0].value == 1.5
    assert newest_of([], rows((NOW_US, 1.5))) == []


async def test_who_watches_too_slowly_loses_the_oldest_and_is_told() -> None:
    feed = LiveFeed()
    with feed.watching(Wish(EVERYTHING)) as watcher:
        feed.offer([seen(time_us=number) for number in range(QUEUE_MAX + 5)])
        lost, taken = await watcher.take()
        assert (lost, len(taken), taken[0].time_us) == (5, QUEUE_MAX, 5)
        feed.offer([seen(time_us=7)])
        assert await watcher.take() == (0, [seen(time_us=7)])
    assert feed.watchers == 0


async def test_everybody_who_watches_learns_of_the_end() -> None:
    feed = LiveFeed()
    with feed.watching(Wish(EVERYTHING)) as watcher:
        feed.end()
        assert await watcher.take() == (0, [])
        assert watcher.ended


def test_as_many_watch_as_may_and_no_more() -> None:
    feed = LiveFeed()
    watching = [feed.watching(Wish(EVERYTHING)) for _ in range(WATCHERS_MAX)]
    for each in watching:
        each.__enter__()
    with pytest.raises(TooManyWatchersError), feed.watching(Wish(EVERYTHING)):
        pytest.fail("one too many")
    watching[0].__exit__(None, None, None)
    with feed.watching(Wish(EVERYTHING)):
        assert feed.watchers == WATCHERS_MAX


async def test_calls_beyond_the_queue_are_told_to_come_again() -> None:
    threads = Threads(waiting_max=1)
    go_on = threading.Event()
    try:
        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(threads.run(go_on.wait)) for _ in range(THREADS + 1)]
            await asyncio.sleep(0)
            with pytest.raises(TooBusyError):
                await threads.run(go_on.wait)
            go_on.set()
        assert all(call.result() for call in calls)
        assert await threads.run(int, "7") == 7
        assert threads.refused == 1
    finally:
        go_on.set()
        threads.close()


def test_of_two_counts_the_higher_is_received() -> None:
    counts = LogCounts(2)
    counts.told(GatewayCount("g", 1, 0, 10))
    counts.told(GatewayCount("g", 1, 1, 5))
    applied = [GatewayCount("g", 1, 0, 7), GatewayCount("g", 1, 1, 9), GatewayCount("f", 0, 0, 4)]
    assert counts.received(applied) == 10 + 9 + 4
    assert counts.received([]) == 15


def test_counts_that_the_store_has_are_forgotten_where_they_are_many() -> None:
    counts = LogCounts(1)
    for epoch in range(5_000):
        counts.told(GatewayCount("g", epoch, 0, 2))
    applied = [GatewayCount("g", epoch, 0, 2) for epoch in range(4_999)]
    assert counts.received(applied) == 10_000
    assert len(counts) == 1
    assert counts.received(applied) == 10_000


def test_devices_whose_network_calls_them_gone_are_found_by_that() -> None:
    fleet = fleet_of(device("a"), device("b"), device("c"))
    fleet.offline = {("acme", "b"): NOW_US - 7, ("acme", "nobody"): NOW_US}
    heard = {("acme", name): NOW_US for name in ("a", "b")}
    look = fleet.look(heard, NOW_US)

    def found(**parts: object) -> list[tuple[str, str, int | None]]:
        page = fleet.page(StatusQuery(**parts), look, (heard, heard), NOW_US)  # pyright: ignore[reportArgumentType]
        return [(each.device.id, each.status.state, each.offline_us) for each in page]

    gone = ("b", "reporting", NOW_US - 7)
    assert found(offline=True) == [gone]
    assert found(offline=True, state="silent") == []
    assert found(offline=False) == [("a", "reporting", None), ("c", "never_seen", None)]
    assert found()[1] == gone


def test_time_under_maintenance_is_no_silence() -> None:
    heard = {("acme", "a"): NOW_US - 5 * MINUTE_US}
    fleet = fleet_of(device("a"))
    assert fleet.look(heard, NOW_US).silent == 1
    fleet.pauses = {("acme", "a"): ((NOW_US - 4 * MINUTE_US, NOW_US - MINUTE_US),)}
    look = fleet.look(heard, NOW_US)
    assert (look.silent, look.late, look.longest) == (0, 1, ())
    fleet.pauses = {("acme", "a"): ((NOW_US - 4 * MINUTE_US, NOW_US + 1),)}
    (found,) = fleet.page(StatusQuery(), look, (heard, heard), NOW_US)
    assert (found.status.state, found.maintained) == ("reporting", True)
