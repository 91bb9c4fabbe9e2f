"""Containers: what a collection is, how they fill, and which results a late reading changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.areas import parse_area
from indicators.civil import window_of
from indicators.contracts.shapes import Collection
from indicators.engine import Job
from indicators.formulas.waste import collections
from registry.records import DeviceDraft

if TYPE_CHECKING:
    from conftest import Town

HOUR_US = 3_600_000_000
DAYS_OF_RISE = {-72.0 + 12 * step: 20.0 + 5 * step for step in range(9)}


def emptied(*readings: tuple[float, float]) -> list[int]:
    times = np.asarray([round(hour * HOUR_US) for hour, _ in readings], dtype=np.int64)
    levels = np.asarray([level for _, level in readings], dtype=np.float64)
    return collections(times, levels, Collection()).tolist()


@pytest.mark.parametrize(
    ("after", "hours", "is_one"),
    [(8, 3, True), (50, 3, False), (40, 3, True), (41, 3, False), (8, 24, True), (8, 24.1, False)],
)
def test_a_collection_is_a_deep_drop_to_little_within_a_day(
    after: float, hours: float, is_one: bool
) -> None:
    assert emptied((0, 82), (hours, after)) == ([1] if is_one else [])


def test_a_small_drop_is_no_collection_even_to_nothing() -> None:
    assert emptied((0, 29), (1, 0)) == []
    assert emptied((0, 30), (1, 0)) == [1]


@given(st.lists(st.floats(0, 100), max_size=30).map(sorted))
def test_what_only_fills_was_not_emptied(levels: list[float]) -> None:
    assert emptied(*enumerate(levels)) == []


def test_three_bins_of_a_city_have_a_mean_rate_and_days(town: Town) -> None:
    for name, share in (("a", 1.0), ("b", 2.0), ("c", 3.0)):
        draft = DeviceDraft("acme", name, expected_interval_s=43_200.0)
        town.registry.devices.create("test", draft)
        town.write(name, "fill_level", {h: v / 2 * share for h, v in DAYS_OF_RISE.items()})
    town.at(30)
    window = window_of("day", town.date, town.zone)
    names = ("waste.fill_rate", "waste.days_to_full")
    jobs = [Job(name, "day", window, parse_area("city")) for name in names]
    found = {each.row.indicator: each.row for each in town.engine().compute(town.city(), jobs)}
    assert found["waste.fill_rate"].value == 10.0
    # From 27.5, 55 and 82.5 %: 14.5, 4.5 and 1.17 days.
    assert found["waste.days_to_full"].value == 6.7


def test_a_reading_that_comes_late_changes_the_rate_of_days_after_it(town: Town) -> None:
    town.device("bin", interval_s=43_200.0)
    late = {hour: DAYS_OF_RISE[hour] for hour in (-72.0, -60.0, -48.0, -36.0)}
    town.write("bin", "fill_level", {h: v for h, v in DAYS_OF_RISE.items() if h not in late})
    town.at(25)
    town.step()
    (before,) = town.rows("waste.fill_rate", "device:acme/bin")
    town.write("bin", "fill_level", {hour: value + 12 for hour, value in late.items()})
    town.late()
    (after,) = town.rows("waste.fill_rate", "device:acme/bin")
    assert (before.value, before.revision, before.n_used) == (10.0, 1, 4)
    assert (after.value, after.revision, after.n_used) == (6.0, 2, 8)


def test_a_week_is_computed_when_it_is_over_and_again_for_a_late_thursday(town: Town) -> None:
    # The day of the town is a Tuesday.
    town.device("bin", interval_s=43_200.0)
    hours = {-24.0 + 12 * step: 50.0 for step in range(14)}
    thursday = {hour: hours.pop(hour) for hour in (48.0, 60.0)}
    town.step()
    town.write("bin", "fill_level", hours)
    town.at(6 * 24 + 1)
    town.step()
    week = window_of("week", town.date, town.zone)
    query = {"from_us": week.start_us}
    (before,) = town.rows("waste.fill", "device:acme/bin", "week", **query)
    town.write("bin", "fill_level", thursday)
    town.late()
    (after,) = town.rows("waste.fill", "device:acme/bin", "week", **query)
    assert (before.start_us, before.value, before.n_used) == (week.start_us, 50.0, 12)
    assert (after.n_used, after.revision, after.reason) == (14, 2, "late_data")
