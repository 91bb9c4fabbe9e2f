"""Gauges: bands that do not flutter, slopes that an outlier does not pull, the worst of a river."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from indicators.areas import parse_area
from indicators.civil import Window
from indicators.engine import Job
from indicators.formulas.flood import band_after
from registry.records import DeviceDraft

if TYPE_CHECKING:
    from conftest import Town

QUARTER_US = 900_000_000
LEVELS = st.lists(st.floats(0, 4, allow_nan=False), min_size=1, max_size=40)


def band(levels: list[float], thresholds: tuple[float | None, ...] = (1, 2, 3)) -> int:
    times = [n * QUARTER_US for n in range(len(levels))]
    return band_after(times, levels, thresholds, margin=0.05, wait_us=QUARTER_US)


@given(LEVELS)
def test_a_band_is_never_lower_than_the_level_says(levels: list[float]) -> None:
    assert band(levels) >= sum(levels[-1] >= each for each in (1, 2, 3))


@given(LEVELS)
def test_after_a_long_time_below_it_is_the_band_of_the_level(levels: list[float]) -> None:
    assert band([*levels, 0.5, 0.5]) == 0
    assert band([*levels, 1.5, 1.5]) == 1


def test_a_threshold_that_nobody_said_is_not_there() -> None:
    assert [band([level], (1, None, 3)) for level in (0.9, 1, 2.5, 3)] == [0, 1, 1, 3]


def test_a_river_is_as_high_as_its_worst_gauge_and_as_soon_over_as_its_first(town: Town) -> None:
    for name, slope in (("a", 0.1), ("b", 0.4), ("c", 0.2)):
        tags = ("alert_level=1", "flood_level=2")
        town.registry.devices.create(
            "test", DeviceDraft("acme", name, expected_interval_s=900.0, tags=tags)
        )
        town.write(name, "level", {hour / 4: 1 + slope * hour / 4 for hour in range(5)})
    town.at(2)
    window = Window(town.day_us + town.hour_us, town.day_us + town.hour_us + 300_000_000)
    jobs = [
        Job(indicator, "5min", window, parse_area("city"))
        for indicator in ("flood.band", "flood.rise", "flood.eta", "flood.stage")
    ]
    found = {each.row.indicator: each.row for each in town.engine().compute(town.city(), jobs)}
    assert (found["flood.band"].value, found["flood.band"].band) == (2, "Alert")
    assert found["flood.rise"].value == 0.4
    assert found["flood.eta"].value == 1.5
    assert found["flood.stage"].reason == "not_applicable"
