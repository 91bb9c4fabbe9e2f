"""Hourly roll-ups of a server of 1.x: of quantities only, and there after the raw values."""

from __future__ import annotations

import contextlib
import re
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.clock import US_PER_S, MachineClock
from store.influx import InfluxAddress
from store.influx.connection import DATA, Connection
from store.influx.points import ABOUT
from store.influx.provision import policies, provision
from store.influx.rollups import HOURS, none_of

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR_S = 3_600
WAIT_S = 20
NEAR = st.sampled_from(ABOUT).flatmap(
    lambda word: st.sampled_from([word[:-1], word + "x", f"{word}_2", word[1:], word[0], word])
)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True) | NEAR.filter(bool)


@given(NAMES)
def test_every_quantity_is_rolled_up_and_nothing_of_what_a_point_says_about_itself(
    name: str,
) -> None:
    assert bool(re.search(none_of(ABOUT), name)) is (name not in ABOUT)


@pytest.mark.parametrize("name", ["pm10.failed", "open.other", "", ".", "place.other"])
def test_failed_values_and_texts_are_not_rolled_up(name: str) -> None:
    assert not re.search(none_of([*ABOUT, ""]), name)


@pytest.mark.live
def test_the_server_keeps_hours_of_what_was_measured(
    new_database: Callable[[], InfluxAddress],
) -> None:
    hour_s = MachineClock().now_us() // US_PER_S // HOUR_S * HOUR_S - HOUR_S
    values = [10.0, 20.0, 60.0]
    lines = "\n".join(
        f"observations,device=a,provider=acme pm10={value},no2.failed=1,place=7i,received=9i"
        f" {(hour_s + at) * 10**9}"
        for at, value in enumerate(values)
    )
    with contextlib.closing(Connection(new_database())) as connection:
        connection.write(DATA, lines.encode())
        provision(connection, keep_days=30)
        deadline = time.monotonic() + WAIT_S
        while not (rows := connection.rows(HOURS, "SELECT * FROM observations")):
            assert time.monotonic() < deadline, "no roll-ups"
            time.sleep(0.1)
    assert rows == [
        {
            "time": hour_s * 10**9, "device": "a", "provider": "acme",
            "count_pm10": 3, "mean_pm10": 30.0, "min_pm10": 10.0, "max_pm10": 60.0,
        }
    ]  # fmt: skip


@pytest.mark.live
@pytest.mark.parametrize(
    ("days", "shard"),
    [(1, "6h0m0s"), (7, "24h0m0s"), (90, "168h0m0s"), (400, "720h0m0s"), (None, "8736h0m0s")],
)
def test_files_hold_the_time_that_suits_what_is_kept(
    new_database: Callable[[], InfluxAddress], days: int | None, shard: str
) -> None:
    with contextlib.closing(Connection(new_database())) as connection:
        provision(connection, keep_days=days)
        (usual,) = (each for each in policies(connection) if each.default)
        assert usual.shard == shard
        assert provision(connection, keep_days=days) == []
