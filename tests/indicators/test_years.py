"""Years and months are computed from results: of hours, of days, and of other years."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indicators.areas import Area
from indicators.civil import window_at
from indicators.engine import Job

if TYPE_CHECKING:
    from conftest import Town

    from indicators.civil import Grain
    from indicators.rows import ResultRow

PLACE = Area("place", "center")


def measured(town: Town, days: list[float]) -> None:
    """Close days of PM10, each of one concentration."""
    town.device("a", "center")
    town.step()
    for day, value in enumerate(days):
        town.at(24 * (day + 1) - 0.5)
        town.write("a", "pm10", dict.fromkeys(range(24 * day, 24 * day + 24), value))
        town.at(24 * (day + 1) + 0.1)
        town.step()


def asked(town: Town, indicator: str, grain: Grain, area: Area = PLACE) -> ResultRow:
    window = window_at(grain, town.day_us, town.zone)
    (found,) = town.engine().compute(town.city(), [Job(indicator, grain, window, area)])
    return found.row


def test_days_above_a_level_are_counted_from_the_days_that_were_published(town: Town) -> None:
    measured(town, [50.4, 50.5, 46.0])
    count = asked(town, "air.exceed.eu2008.pm10.day", "year")
    assert (count.value, count.n_used, count.n_expected) == (1, 3, 365)
    assert count.marks == ("at_least",)
    assert asked(town, "air.exceed.eu2024.pm10.day", "year").value == 3
    # Sites are not mixed, and a mean of three days is no mean of a year.
    assert asked(town, "air.exceed.eu2008.pm10.day", "year", Area("city")).reason == (
        "not_applicable"
    )
    assert asked(town, "air.exceed.eu2008.pm10.year", "year").reason == "incomplete"


def test_a_month_is_computed_after_its_last_hours(town: Town) -> None:
    # From the 10th to the 31st: 22 of 31 days are too few, 24 are not.
    measured(town, [20.0] * 22)
    (row,) = town.rows("air.mean.pm10", str(PLACE), "month")[-1:] or [
        asked(town, "air.mean.pm10", "month")
    ]
    assert (row.value, row.reason, row.n_used, row.n_expected) == (None, "incomplete", 22, 31)
    assert town.rows("air.mean.pm10", str(PLACE), "day")[0].value == 20.0
