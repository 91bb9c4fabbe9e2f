"""Civil windows are what the wall clocks of a city say, on the days when clocks are put too."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.civil import (
    Window,
    day_of,
    elapsed_hours_back,
    instant_us,
    parts,
    period,
    window_at,
    window_of,
    windows,
)

HOUR_US = 3_600_000_000
ZONES = [
    "Africa/Cairo",
    "America/Havana",
    "America/Nuuk",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Asia/Riyadh",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Europe/Paris",
    "Pacific/Chatham",
    "UTC",
]


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def hours(window: Window) -> float:
    return window.length_us / HOUR_US


@pytest.mark.parametrize(
    ("zone", "day", "start", "end"),
    [
        ("Europe/Paris", "2025-03-30", "2025-03-29T23:00", "2025-03-30T22:00"),
        ("Europe/Paris", "2025-10-26", "2025-10-25T22:00", "2025-10-26T23:00"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00", "2018-11-05T02:00"),
        ("Africa/Cairo", "2025-04-25", "2025-04-24T22:00", "2025-04-25T21:00"),
        ("Australia/Lord_Howe", "2025-10-05", "2025-10-04T13:30", "2025-10-05T13:00"),
        ("Australia/Lord_Howe", "2025-04-06", "2025-04-05T13:00", "2025-04-06T13:30"),
        ("America/Havana", "2025-11-02", "2025-11-02T04:00", "2025-11-03T05:00"),
        ("Asia/Riyadh", "2025-06-01", "2025-05-31T21:00", "2025-06-01T21:00"),
    ],
)
def test_a_civil_day_has_these_bounds(zone: str, day: str, start: str, end: str) -> None:
    found = window_of("day", date.fromisoformat(day), ZoneInfo(zone))
    assert found == Window(utc(start), utc(end))


@pytest.mark.parametrize(
    ("zone", "lengths"),
    [
        # 2020 to 2030: how many days have how many hours. Counted from the tz database's rules.
        ("Europe/Paris", {24: 3996, 23: 11, 25: 11}),
        ("Australia/Lord_Howe", {24: 3996, 23.5: 11, 24.5: 11}),
        ("Asia/Riyadh", {24: 4018}),
        ("Asia/Kathmandu", {24: 4018}),
        ("America/Sao_Paulo", {24: 4018}),
        # Clocks were put at midnight for the last time in 2022.
        ("Asia/Tehran", {24: 4012, 23: 3, 25: 3}),
        # Summer time came back in 2023.
        ("Africa/Cairo", {24: 4002, 23: 8, 25: 8}),
    ],
)
def test_days_of_eleven_years_have_these_lengths(zone: str, lengths: dict[float, int]) -> None:
    days = windows("day", date(2020, 1, 1), date(2030, 12, 31), ZoneInfo(zone))
    assert Counter(hours(day) for day in days) == lengths


@pytest.mark.parametrize("zone", ZONES)
def test_days_follow_each_other_and_start_on_their_date(zone: str) -> None:
    place = ZoneInfo(zone)
    days = list(windows("day", date(2020, 1, 1), date(2030, 12, 31), place))
    assert all(left.end_us == right.start_us for left, right in pairwise(days))
    dates = [day_of(day.start_us, place) for day in days]
    assert dates == [date(2020, 1, 1) + timedelta(days=each) for each in range(4018)]
    assert all(day_of(day.end_us - 1, place) == name for day, name in zip(days, dates, strict=True))


@pytest.mark.parametrize("zone", ZONES)
def test_hours_start_on_the_hour_of_the_wall_clock_or_where_it_is_put(zone: str) -> None:
    place = ZoneInfo(zone)
    unusual = [day for day in windows("day", date(2024, 1, 1), date(2025, 12, 31), place)
               if day.length_us != 24 * HOUR_US]  # fmt: skip
    for day in [window_of("day", date(2025, 7, 1), place), *unusual]:
        found = list(parts(day, HOUR_US, place))
        assert found[0].start_us == day.start_us
        assert found[-1].end_us == day.end_us
        assert all(left.end_us == right.start_us for left, right in pairwise(found))
        whole = [each for each in found if hours(each) == 1]
        assert len(found) - len(whole) <= 1
        minutes = {datetime.fromtimestamp(each.start_us / 1e6, place).minute for each in whole}
        assert minutes == {0}


def test_hours_off_the_whole_hour_are_civil() -> None:
    found = window_at("hour", utc("2025-06-01T00:20"), ZoneInfo("Asia/Kathmandu"))
    assert found == Window(utc("2025-06-01T00:15"), utc("2025-06-01T01:15"))
    found = window_at("hour", utc("2025-06-01T00:20"), ZoneInfo("Asia/Kolkata"))
    assert found == Window(utc("2025-05-31T23:30"), utc("2025-06-01T00:30"))


def test_both_of_an_hour_that_comes_twice_are_hours() -> None:
    found = list(windows("hour", date(2025, 10, 26), date(2025, 10, 26), ZoneInfo("Europe/Paris")))
    assert len(found) == 25
    assert {hours(each) for each in found} == {1}


def test_the_half_hour_of_lord_howe_is_a_part_of_its_own() -> None:
    spring, autumn = date(2025, 10, 5), date(2025, 4, 6)
    zone = ZoneInfo("Australia/Lord_Howe")
    assert [hours(each) for each in windows("hour", spring, spring, zone)].count(0.5) == 1
    assert len(list(windows("hour", spring, spring, zone))) == 24
    assert len(list(windows("hour", autumn, autumn, zone))) == 25


@pytest.mark.parametrize(
    ("day", "length"), [(date(2025, 3, 29), 7), (date(2025, 10, 25), 9), (date(2025, 6, 1), 8)]
)
def test_a_night_is_one_whole_night(day: date, length: float) -> None:
    assert hours(period(day, time(23), time(7), ZoneInfo("Europe/Paris"))) == length


def test_a_day_that_a_zone_skipped_is_no_window() -> None:
    apia = ZoneInfo("Pacific/Apia")
    found = list(windows("day", date(2011, 12, 29), date(2011, 12, 31), apia))
    assert [day_of(each.start_us, apia) for each in found] == [
        date(2011, 12, 29),
        date(2011, 12, 31),
    ]
    assert found[0].end_us == found[1].start_us


def test_a_midnight_inside_of_a_skip_is_the_instant_of_the_skip() -> None:
    # Toronto, 1919: clocks went from 23:30 to 00:30.
    start = instant_us(date(1919, 3, 31), time(0), ZoneInfo("America/Toronto"))
    assert start == utc("1919-03-31T04:30")


@pytest.mark.parametrize(
    ("grain", "first", "after"),
    [
        ("week", "2025-03-24", "2025-03-31"),
        ("month", "2025-03-01", "2025-04-01"),
        ("quarter", "2025-01-01", "2025-04-01"),
        ("year", "2025-01-01", "2026-01-01"),
    ],
)
def test_longer_windows_are_whole_days(grain: str, first: str, after: str) -> None:
    paris = ZoneInfo("Europe/Paris")
    found = window_at(grain, utc("2025-03-30T12:00"), paris)  # pyright: ignore[reportArgumentType]
    assert day_of(found.start_us, paris) == date.fromisoformat(first)
    assert day_of(found.end_us, paris) == date.fromisoformat(after)


def test_windows_that_started_before_the_first_day_are_left_out() -> None:
    found = list(windows("month", date(2025, 1, 15), date(2025, 3, 15), ZoneInfo("UTC")))
    assert [each.start_us for each in found] == [utc("2025-02-01T00:00"), utc("2025-03-01T00:00")]


def test_elapsed_hours_go_back_from_the_newest() -> None:
    newest = Window(utc("2025-03-30T01:00"), utc("2025-03-30T02:00"))
    found = elapsed_hours_back(newest, 3)
    assert found[2] == Window(utc("2025-03-29T23:00"), utc("2025-03-30T00:00"))


@pytest.mark.property
@given(
    instant=st.integers(utc("2020-01-01T00:00"), utc("2030-12-31T00:00")),
    zone=st.sampled_from(ZONES),
    grain=st.sampled_from(["5min", "15min", "hour", "day", "week", "month", "quarter", "year"]),
)
def test_every_instant_lies_in_exactly_one_window(instant: int, zone: str, grain: str) -> None:
    place = ZoneInfo(zone)
    found = window_at(grain, instant, place)  # pyright: ignore[reportArgumentType]
    assert found.start_us <= instant < found.end_us
    assert window_at(grain, found.end_us, place).start_us == found.end_us  # pyright: ignore[reportArgumentType]
