"""AQI of civil days and NowCast of hours: what the definitions say at their edges."""

from datetime import date
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.civil import Window, parts, window_of, windows
from indicators.columns import Observations, observations
from indicators.compute import from_observations, from_rows, result_row, span
from indicators.contracts import Contracts, load
from indicators.formulas.asked import Asked
from indicators.rows import Outcome, ResultRow

HOUR_US = 3_600_000_000
UTC, PARIS = ZoneInfo("UTC"), ZoneInfo("Europe/Paris")
CONTRACTS: Contracts = load()
SOME_DAY = date(2025, 6, 2)
CONCENTRATIONS = st.floats(0, 1_000).map(lambda value: round(value, 2))


def day(name: str, when: date = SOME_DAY, zone: ZoneInfo = UTC) -> Asked:
    contract = CONTRACTS.governing(name, when).contract
    return Asked(contract, "day", window_of("day", when, zone), zone)


def hour(name: str, when: date = SOME_DAY, number: int = 12) -> Asked:
    contract = CONTRACTS.governing(name, when).contract
    return Asked(contract, "hour", list(windows("hour", when, when, UTC))[number], UTC)


def hourly(window: Window, values: list[float], flags: list[int] | None = None) -> Observations:
    times = [window.start_us + n * HOUR_US for n in range(len(values))]
    return observations(times, values, flags, interval_us=HOUR_US)


@pytest.mark.parametrize(
    ("when", "hours", "enough"),
    [(date(2025, 6, 2), 24, 18), (date(2025, 3, 30), 23, 18), (date(2025, 10, 26), 25, 19)],
)
def test_a_day_needs_three_quarters_of_its_real_hours(when: date, hours: int, enough: int) -> None:
    asked = day("air.aqi.us.pm25", when, PARIS)
    found = from_observations(asked, hourly(asked.window, [9.1] * enough))
    assert (found.value, found.n_used, found.n_expected) == (51, enough, hours)
    found = from_observations(asked, hourly(asked.window, [9.1] * (enough - 1)))
    assert (found.value, found.reason, found.band) == (None, "incomplete", None)
    assert found.completeness == pytest.approx((enough - 1) / hours)


def test_an_hour_needs_three_quarters_of_its_minutes() -> None:
    asked = day("air.aqi.us.pm25")
    hours = list(parts(asked.window, HOUR_US, UTC))
    for minutes, known in ((45, 24), (44, 0)):
        times = [each.start_us + n * 60_000_000 for each in hours for n in range(minutes)]
        seen = observations(times, [12.0] * len(times), interval_us=60_000_000)
        assert from_observations(asked, seen).n_used == known


def test_a_day_is_the_mean_of_its_hours_not_of_its_messages() -> None:
    asked = day("air.aqi.us.pm25")
    minute = 60_000_000
    # One hour of sixty values at 240, 23 hours of forty-five at 0: 10, not 13.1.
    times: list[int] = []
    values: list[float] = []
    for number, each in enumerate(parts(asked.window, HOUR_US, UTC)):
        count = 45 if number else 60
        times += [each.start_us + n * minute for n in range(count)]
        values += [0.0 if number else 240.0] * count
    assert from_observations(asked, observations(times, values, interval_us=minute)).value == 53


def test_what_lies_outside_of_the_day_is_not_in_it() -> None:
    asked = day("air.aqi.us.pm25", date(2025, 3, 30), PARIS)
    values = [500.0, *[9.1] * 23, 500.0]
    around = Window(asked.window.start_us - HOUR_US, asked.window.end_us)
    assert from_observations(asked, hourly(around, values)).value == 51


def test_suspects_count_for_air_and_are_marked_and_fails_never_do() -> None:
    asked = day("air.aqi.us.pm25")
    found = from_observations(asked, hourly(asked.window, [12.0] * 24, [1] * 23 + [3]))
    assert (found.n_used, found.marks) == (24, ("suspect_included",))
    found = from_observations(asked, hourly(asked.window, [12.0] * 23 + [900.0], [1] * 23 + [4]))
    assert (found.n_used, found.value, found.marks) == (23, 56, ())


def test_small_negative_noise_stays_in_a_mean() -> None:
    asked = day("air.aqi.us.pm25")
    found = from_observations(asked, hourly(asked.window, [-2.0, 20.2] * 12))
    assert found.value == 51


def test_a_series_of_days_enters_at_the_day_and_other_long_ones_do_not() -> None:
    asked = day("air.aqi.us.pm10")
    daily = observations([asked.window.start_us], [154.99], interval_us=24 * HOUR_US)
    found = from_observations(asked, daily)
    assert (found.value, found.n_used, found.n_expected) == (100, 1, 1)
    found = from_observations(
        asked, observations([asked.window.start_us], [50.0], interval_us=3 * HOUR_US)
    )
    assert (found.value, found.reason) == (None, "not_applicable")


def test_nowcast_looks_back_over_midnight_and_clock_changes() -> None:
    when = date(2025, 3, 30)
    asked = Asked(
        CONTRACTS.get("air.nowcast.pm25.conc", "2024.1.0"),
        "hour",
        list(windows("hour", when, when, PARIS))[5],
        PARIS,
    )
    assert span(asked).length_us == 12 * HOUR_US
    found = from_observations(asked, hourly(span(asked), [10.0] * 12))
    assert (found.value, found.n_used, found.n_expected) == (10.0, 12, 12)


def test_hours_below_zero_count_as_zero_and_nothing_but_zero_is_zero() -> None:
    asked = hour("air.nowcast.pm25.conc")
    assert from_observations(asked, hourly(span(asked), [-1.0] * 12)).value == 0.0
    found = from_observations(asked, hourly(span(asked), [-1.0] * 11 + [80.0]))
    assert found.unrounded == pytest.approx(40.0098, abs=1e-4)


@pytest.mark.parametrize(("known", "value"), [([9, 10], 20.0), ([9, 11], 20.0), ([11], None)])
def test_two_of_the_three_most_recent_hours_are_needed(
    known: list[int], value: float | None
) -> None:
    asked = hour("air.nowcast.pm25.conc")
    times = [span(asked).start_us + n * HOUR_US for n in [*range(9), *known]]
    seen = observations(times, [20.0] * len(times), interval_us=HOUR_US)
    found = from_observations(asked, seen)
    assert found.value == value
    assert found.n_used == len(times)


def test_index_and_concentration_are_of_the_same_hour() -> None:
    values = [50.0, 80, 75, 90, 82, 53, 64, 74, 21, 10, 16, 13]
    index, level = hour("air.nowcast.pm25"), hour("air.nowcast.pm25.conc")
    found = from_observations(index, hourly(span(index), values))
    assert (found.value, found.band, found.unrounded) == (66, "Moderate", None)
    assert from_observations(level, hourly(span(level), values)).value == 17.4


def test_the_overall_names_its_main_input() -> None:
    rows: list[ResultRow] = []
    for name, value in (("air.aqi.us.pm25", 400.0), ("air.aqi.us.pm10", 700.0)):
        asked = day(name)
        outcome = from_observations(asked, hourly(asked.window, [value] * 24, [3] * 24))
        rows.append(result_row(asked, outcome, area="city", now_us=0, retrospective=False))
    found = from_rows(day("air.aqi.us.overall"), rows)
    assert (found.value, found.main_input, found.band) == (649, "pm25", "Hazardous")
    assert found.marks == ("suspect_included", "beyond_aqi")
    other_day = day("air.aqi.us.overall", date(2025, 6, 3))
    assert from_rows(other_day, rows).reason == "incomplete"


def index(value: float) -> Outcome:
    asked = day("air.aqi.us.pm25")
    return from_observations(asked, hourly(asked.window, [value] * 24))


@pytest.mark.property
@given(CONCENTRATIONS, CONCENTRATIONS)
def test_more_particles_never_make_a_better_index(one: float, other: float) -> None:
    low, high = index(min(one, other)), index(max(one, other))
    assert low.value is not None
    assert high.value is not None
    assert low.value <= high.value


@pytest.mark.property
@given(CONCENTRATIONS)
def test_the_index_and_its_band_agree(value: float) -> None:
    found = index(value)
    contract = CONTRACTS.get("air.aqi.us.pm25", "2024.1.0")
    band = next(each for each in contract.bands if each.label == found.band)
    assert band.index is not None
    assert found.value is not None
    assert found.value >= band.index[0]
    assert found.value <= band.index[1] or "beyond_aqi" in found.marks


@pytest.mark.property
@given(st.lists(CONCENTRATIONS, min_size=12, max_size=12))
def test_a_nowcast_lies_between_its_hours_and_follows_the_definition(values: list[float]) -> None:
    asked = hour("air.nowcast.pm25.conc")
    found = from_observations(asked, hourly(span(asked), values))
    newest_first = np.asarray(values[::-1])
    weight = max(min(values) / max(values), 0.5) if max(values) else 1.0
    weights = weight ** np.arange(12)
    assert found.unrounded == pytest.approx(np.average(newest_first, weights=weights))
    assert found.unrounded is not None
    assert min(values) <= found.unrounded + 1e-9
    assert found.unrounded <= max(values) + 1e-9


@pytest.mark.property
@given(st.lists(CONCENTRATIONS, min_size=24, max_size=24), st.permutations(range(24)))
def test_the_order_of_arrival_changes_nothing(values: list[float], order: list[int]) -> None:
    asked = day("air.aqi.us.pm25")
    seen = hourly(asked.window, values)
    again = observations(seen.time_us[order], seen.value[order], interval_us=HOUR_US)
    assert from_observations(asked, again) == from_observations(asked, seen)


def test_a_row_carries_what_a_reader_needs() -> None:
    asked = day("air.aqi.us.pm25", date(2013, 3, 1), PARIS)
    outcome = from_observations(asked, hourly(asked.window, [9.1] * 24))
    row = result_row(
        asked, outcome, area="place:dongsi", now_us=asked.window.end_us + 1, retrospective=True
    )
    assert msgspec.to_builtins(row) == {
        "indicator": "air.aqi.us.pm25", "version": "2024.1.0", "area": "place:dongsi",
        "start_us": asked.window.start_us, "end_us": asked.window.end_us, "tz": "Europe/Paris",
        "value": 51, "unrounded": None, "band": "Moderate", "main_input": None,
        "completeness": 1.0, "n_used": 24, "n_expected": 24, "state": "provisional",
        "revision": 1, "reason": None, "computed_us": asked.window.end_us + 1,
        "marks": ("retrospective",), "cause": None, "numerator": None, "denominator": None,
    }  # fmt: skip
