"""What InfluxDB will never take waits in quarantine with its words; everything else is stored."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import pytest

from city.replay import ReplayRequest
from store.influx import InfluxAddress, InfluxStore
from store.influx.connection import Connection
from store.influx.provision import provision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Bench

pytestmark = pytest.mark.live

US_PER_S = 1_000_000
DAY_S = 86_400
NOW_US = time.time_ns() // 1_000
WORDS = "points beyond retention policy"


def keep(address: InfluxAddress, days: int | None) -> None:
    with contextlib.closing(Connection(address)) as connection:
        provision(connection, keep_days=days)


@pytest.fixture
def address(new_database: Callable[[], InfluxAddress]) -> InfluxAddress:
    """Return a database that keeps nothing for longer than two days."""
    address = new_database()
    keep(address, 2)
    return address


@pytest.fixture
def bench(new_bench_on: Callable[[InfluxStore], Bench], address: InfluxAddress) -> Iterator[Bench]:
    with contextlib.closing(InfluxStore(address)) as store:
        bench = new_bench_on(store)
        bench.register("a", "b", "c")
        yield bench


def up(device: str) -> str:
    return f"madina/v1/acme/{device}/up"


def reading(days_ago: float, *more: dict[str, object], **values: object) -> dict[str, object]:
    at_ms = NOW_US // 1_000 - round(days_ago * DAY_S * 1_000)
    return {
        "t": at_ms,
        "obs": [*({"q": name, "v": value} for name, value in values.items()), *more],
    }


def older(days_ago: float, name: str, value: float) -> dict[str, object]:
    return {"q": name, "v": value, "t": NOW_US // 1_000 - round(days_ago * DAY_S * 1_000)}


def partial(bench: Bench) -> list[tuple[str, str, tuple[tuple[str, str], ...]]]:
    return sorted((each.device, each.reason, each.reasons) for each in bench.quarantine("partial"))


def test_one_point_that_is_too_old_does_not_keep_its_neighbours_waiting(bench: Bench) -> None:
    bench.send(
        (up("a"), reading(0, pm10=1)),
        (up("b"), reading(400, pm10=2, no2=3)),
        (up("c"), reading(0, pm10=4)),
        received_us=NOW_US,
    )
    assert [bench.values(device) for device in "abc"] == [[1.0], [], [4.0]]
    refused = ("store_refused", "pm10"), ("store_refused", "no2")
    assert partial(bench) == [("b", "store_refused", refused)]
    assert WORDS in bench.quarantine("partial")[0].words
    ledger = bench.ledger
    assert (ledger.messages.accepted, ledger.messages.pending) == (3, 0)
    assert (ledger.observations.stored, ledger.observations.rejected) == (2, 2)


def test_the_rest_of_a_message_is_stored(bench: Bench) -> None:
    bench.send((up("a"), reading(0, older(400, "no2", 3), pm10=1)), received_us=NOW_US)
    assert bench.values("a") == [1.0]
    assert partial(bench) == [("a", "store_refused", (("store_refused", "no2"),))]


def test_what_was_refused_is_stored_once_the_server_is_mended(
    bench: Bench, address: InfluxAddress
) -> None:
    messages = [
        (up("b"), reading(400, pm10=2)),
        (up("b"), reading(0, older(300, "pm10", 5), no2=1)),
    ]
    bench.send(*messages, received_us=NOW_US)
    bench.replay()
    assert [each.reason for each in bench.quarantine("partial")] == ["store_refused"] * 2
    keep(address, None)
    bench.replay(ReplayRequest(reason="store_refused"))
    assert sorted(map(str, bench.values("b"))) == ["1.0", "2.0", "5.0"]
    assert bench.quarantine("partial") == []
    assert bench.ledger.observations.rejected == 0
    # The same again is known: the watermarks never took what the server had refused.
    bench.send(*messages, received_us=NOW_US)
    assert bench.ledger.messages.duplicate == 2
    assert len(bench.values("b")) == 3


def test_a_refused_value_does_not_make_the_next_one_a_conflict(
    bench: Bench, address: InfluxAddress
) -> None:
    bench.send((up("a"), reading(400, pm10=2)), received_us=NOW_US)
    keep(address, None)
    bench.send((up("a"), reading(400, pm10=7)), received_us=NOW_US)
    assert bench.values("a") == [7.0]


def test_hundreds_of_refused_points_among_thousands_are_all_found(bench: Bench) -> None:
    messages = [
        (up("a"), reading(400 + at if at % 10 == 3 else at / DAY_S, pm10=at)) for at in range(2_000)
    ]
    bench.send(*messages, received_us=NOW_US)
    ledger = bench.ledger
    assert (ledger.observations.stored, ledger.observations.rejected) == (1_800, 200)
    assert len(bench.quarantine("partial")) == 100  # a page
    bench.reload()
    bench.send(*messages, received_us=NOW_US)
    assert bench.ledger.observations.duplicate == 1_800
