"""Noise levels are energies: means, Lden, nights of 7 and 9 hours, percentiles, years."""

import math
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.civil import Window, window_of, windows
from indicators.columns import Observations, observations
from indicators.compute import components, from_observations, from_rows, result_row, span
from indicators.contracts import Contracts, load
from indicators.contracts.shapes import DayEveningNight
from indicators.formulas.asked import Asked
from indicators.formulas.noise import exceeded, mean_level, weighted_level
from indicators.rows import Outcome, ResultRow

HOUR_US, MINUTE_US = 3_600_000_000, 60_000_000
PARIS = ZoneInfo("Europe/Paris")
CONTRACTS: Contracts = load()
SOME_DAY = date(2025, 6, 2)
LEVELS = st.floats(20, 140)


def day(name: str, when: date = SOME_DAY) -> Asked:
    return Asked(
        CONTRACTS.get(f"noise.{name}", "1.0.0"), "day", window_of("day", when, PARIS), PARIS
    )


def hour(name: str) -> Asked:
    first = next(windows("hour", SOME_DAY, SOME_DAY, PARIS))
    return Asked(CONTRACTS.get(f"noise.{name}", "1.0.0"), "hour", first, PARIS)


def year(name: str) -> Asked:
    whole = window_of("year", date(2025, 1, 1), PARIS)
    return Asked(CONTRACTS.get(f"noise.{name}", "1.0.0"), "year", whole, PARIS)


def minutes(window: Window, level: float, share: float = 1) -> Observations:
    count = math.floor(window.length_us / MINUTE_US * share)
    # Stamped at second 30 of each minute, as real meters do.
    times = [window.start_us + n * MINUTE_US + MINUTE_US // 2 for n in range(count)]
    return observations(times, [level] * count, interval_us=MINUTE_US)


@pytest.mark.parametrize(
    ("levels", "mean"),
    [([60, 70], 67.4036), ([50] * 59 + [90], 72.2440), ([40, 50, 60, 70], 64.4365)],
)
def test_levels_are_averaged_as_energies(levels: list[float], mean: float) -> None:
    assert mean_level(levels) == pytest.approx(mean, abs=1e-4)


@pytest.mark.parametrize(
    ("levels", "lden"), [((65, 60, 55), 65.0), ((60, 60, 60), 66.3952), ((50, 50, 60), 65.3606)]
)
def test_evening_and_night_weigh_more(levels: tuple[float, ...], lden: float) -> None:
    formula = CONTRACTS.get("noise.lden", "1.0.0").formula
    assert isinstance(formula, DayEveningNight)
    assert weighted_level(formula.periods, levels) == pytest.approx(lden, abs=1e-4)


@pytest.mark.parametrize(("percent", "level"), [(10, 58.1), (50, 50.5), (90, 42.9)])
def test_exceeded_levels_are_between_order_statistics(percent: int, level: float) -> None:
    assert exceeded(list(range(41, 61)), percent) == pytest.approx(level)


def test_levels_of_unequal_length_are_weighed_by_it() -> None:
    asked = hour("laeq")
    start = asked.window.start_us
    times = [start, *(start + n * MINUTE_US for n in range(15, 60))]
    ends = [start + 15 * MINUTE_US, *(start + n * MINUTE_US for n in range(16, 61))]
    seen = observations(times, [70.0] + [50.0] * 45, interval_us=MINUTE_US, end_us=ends)
    assert from_observations(asked, seen).unrounded == pytest.approx(
        mean_level([70.0] * 15 + [50.0] * 45)
    )


@pytest.mark.parametrize(
    ("when", "hours"), [(date(2025, 3, 29), 7), (date(2025, 10, 25), 9), (SOME_DAY, 8)]
)
def test_a_night_is_of_real_time_and_known_in_the_morning(when: date, hours: int) -> None:
    asked = day("lnight", when)
    assert span(asked).length_us == hours * HOUR_US
    found = from_observations(asked, minutes(span(asked), 50.0))
    assert (found.value, found.n_used, found.n_expected) == (50.0, hours * 60, hours * 60)
    row = result_row(asked, found, area="city", now_us=asked.window.end_us, retrospective=False)
    assert (row.state, row.revision) == ("open", 0)


def test_weights_stay_when_clocks_are_put() -> None:
    for when in (date(2025, 3, 29), date(2025, 10, 25), SOME_DAY):
        asked = day("lden", when)
        found = from_observations(asked, minutes(span(asked), 60.0))
        assert (found.value, found.completeness) == (66.4, 1.0)
        assert found.band is None


def test_a_day_needs_all_three_of_its_periods() -> None:
    asked = day("lden")
    found = from_observations(asked, minutes(span(asked), 60.0, share=0.9))
    # The night has 336 of its 480 minutes: 70 %.
    assert (found.value, found.reason) == (None, "incomplete")
    assert found.completeness == pytest.approx(0.7)
    assert (found.n_used, found.n_expected) == (1296, 1440)


def test_suspects_are_no_noise() -> None:
    asked = hour("laeq")
    seen = minutes(asked.window, 60.0)
    flags = [3 if n < 20 else 2 for n in range(60)]
    found = from_observations(
        asked, observations(seen.time_us, seen.value, flags, interval_us=MINUTE_US)
    )
    assert (found.value, found.n_used, found.marks) == (None, 40, ())


def test_percentiles_need_levels_of_a_minute_or_less() -> None:
    asked = hour("l50")
    seen = observations([asked.window.start_us], [50.0], interval_us=HOUR_US)
    assert from_observations(asked, seen).reason == "not_applicable"


def test_the_day_of_percentiles_is_the_civil_day() -> None:
    asked = day("l90", date(2025, 3, 30))
    found = from_observations(asked, minutes(asked.window, 41.04))
    assert (found.value, found.unrounded, found.n_expected) == (41.0, 41.04, 23 * 60)


def rows_of(name: str, days: int, level: float) -> list[ResultRow]:
    found: list[ResultRow] = []
    for number in range(days):
        asked = day(name, date(2025, 1, 1) + timedelta(days=number))
        outcome = Outcome(value=level, unrounded=level, completeness=1, n_used=1, n_expected=1)
        found.append(result_row(asked, outcome, area="city", now_us=0, retrospective=False))
    return found


def test_a_year_is_the_energy_mean_of_its_valid_days() -> None:
    asked = year("lnight")
    assert names(asked) == ["noise.lnight"]
    rows = [*rows_of("lnight", 365, 60.0)[::2], *rows_of("lnight", 365, 70.0)[1::2]]
    found = from_rows(asked, rows)
    assert found.unrounded == pytest.approx(mean_level([60.0] * 183 + [70.0] * 182))
    assert (found.value, found.band) == (67.4, "65\u201369")
    assert (found.n_used, found.n_expected, found.completeness) == (365, 365, 1.0)


@pytest.mark.parametrize(("days", "value"), [(273, None), (274, 50.0)])
def test_a_year_needs_three_quarters_of_its_days(days: int, value: float | None) -> None:
    assert from_rows(year("lday"), rows_of("lday", days, 50.0)).value == value


def test_a_year_needs_three_quarters_that_are_known() -> None:
    rows = rows_of("lday", 365, 50.0)
    # 292 of 365 days, but two quarters of the year miss a third of theirs.
    kept = [row for place, row in enumerate(rows) if not (place < 180 and place % 5 < 2)]
    assert len(kept) >= 274
    found = from_rows(year("lday"), kept)
    assert (found.value, found.reason) == (None, "incomplete")


def test_lden_of_a_year_is_the_formula_once_on_days_that_have_all_periods() -> None:
    asked = year("lden")
    assert names(asked) == ["noise.lday", "noise.levening", "noise.lnight"]
    rows = [
        *rows_of("lday", 365, 65.0), *rows_of("levening", 365, 60.0), *rows_of("lnight", 300, 55.0)
    ]  # fmt: skip
    found = from_rows(asked, rows)
    assert (found.value, found.band, found.n_used) == (65.0, "65\u201369", 300)
    assert from_rows(asked, rows[:-200]).reason == "incomplete"
    assert from_rows(asked, rows[:365]).reason == "incomplete"


@pytest.mark.property
@given(st.lists(LEVELS, min_size=1, max_size=100))
def test_more_is_exceeded_less_of_the_time(levels: list[float]) -> None:
    l10, l50, l90 = (exceeded(levels, percent) for percent in (10, 50, 90))
    assert max(levels) >= l10 >= l50 >= l90 >= min(levels)


@pytest.mark.property
@given(st.lists(LEVELS, min_size=1, max_size=100))
def test_an_energy_mean_is_at_least_the_arithmetic_one(levels: list[float]) -> None:
    found = mean_level(levels)
    assert np.mean(levels) - 1e-9 <= found <= max(levels) + 1e-9


@pytest.mark.property
@given(LEVELS, LEVELS, LEVELS, st.floats(-20, 20))
def test_lden_moves_with_its_levels(one: float, two: float, three: float, shift: float) -> None:
    formula = CONTRACTS.get("noise.lden", "1.0.0").formula
    assert isinstance(formula, DayEveningNight)
    found = weighted_level(formula.periods, (one, two, three))
    moved = weighted_level(formula.periods, (one + shift, two + shift, three + shift))
    assert moved == pytest.approx(found + shift)
    assert min(one, two, three) <= found <= max(one, two, three) + 10


def names(asked: Asked) -> list[str]:
    return [each.indicator for each in components(asked.contract, asked.grain)]
