"""Aggregates agree with sums done by hand, for every grain, whatever the values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from city.flags import Flag
from city.scope import EVERYTHING
from store.interface import Aggregate, ObservationQuery, Series

if TYPE_CHECKING:
    from conftest import Parts, Writer

    from store.interface import Grain

METER = ObservationQuery("acme", "meter")
GRAINS: dict[Grain, int] = {"minute": 60_000_000, "hour": 3_600_000_000, "day": 86_400_000_000}
DAYS_US = 4 * GRAINS["day"]

Reading = tuple[float, int]
readings = st.dictionaries(
    st.integers(0, DAYS_US),
    st.tuples(
        st.floats(-1e6, 1e6, allow_subnormal=False), st.sampled_from([int(each) for each in Flag])
    ),
    max_size=40,
)


def test_one_hour_by_hand(writer: Writer, parts: type[Parts]) -> None:
    levels = [(0, 60.0, 2), (10, 70.0, 1), (20, 99.0, 4), (30, 98.0, 9), (5, 50.0, 3)]
    rows = [
        {"time_us": writer.time_us + minute * 60_000_000, "value": value, "flag": flag}
        for minute, value, flag in levels
    ]
    writer.write([*rows, {"time_us": writer.time_us + 1, "other": '"text"'}], series=[
        parts.series()
    ])  # fmt: skip
    (found,) = writer.store.aggregates(EVERYTHING, METER, "hour")
    assert found.start_us == writer.time_us - 15 * 60_000_000
    assert (found.count, found.mean, found.total) == (3, 60.0, 180.0)
    assert (found.minimum, found.maximum, found.last) == (50.0, 70.0, 70.0)
    assert found.energy_mean == pytest.approx(10 * math.log10((1e6 + 1e7 + 1e5) / 3))


@pytest.mark.property
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(readings=readings, grain=st.sampled_from(sorted(GRAINS)))
def test_aggregates_are_what_python_computes(
    readings: dict[int, Reading], grain: Grain, writer: Writer
) -> None:
    # Each example is a device of its own in one file: opening a file each would cost minutes.
    number = writer.sequence
    name = f"device-{number}"
    rows = [
        {"series": number, "time_us": writer.time_us + after, "value": value, "flag": flag}
        for after, (value, flag) in readings.items()
    ]
    writer.write(rows, series=[Series(number, "acme", name, "laeq", "dB", "number")])
    found = writer.store.aggregates(EVERYTHING, ObservationQuery("acme", name), grain)
    expected = by_hand(number, writer.time_us, readings, GRAINS[grain])
    assert [(each.series, each.start_us, each.count) for each in found] == [
        (each.series, each.start_us, each.count) for each in expected
    ]
    for one, other in zip(found, expected, strict=True):
        assert numbers(one) == pytest.approx(numbers(other), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("grain", sorted(GRAINS))
def test_pages_of_aggregates_meet(grain: Grain, writer: Writer, parts: type[Parts]) -> None:
    rows = [
        {"series": number, "time_us": writer.time_us + step * GRAINS[grain], "value": 1.0 * step}
        for step in range(5)
        for number in (0, 1)
    ]
    writer.write(rows, series=[parts.series(0), parts.series(1, quantity="pm2_5")])
    whole = writer.store.aggregates(EVERYTHING, METER, grain)
    assert len(whole) == 10
    seen: list[Aggregate] = []
    after = None
    while page := writer.store.aggregates(
        EVERYTHING, ObservationQuery("acme", "meter", limit=3, after=after), grain
    ):
        seen += page
        after = (seen[-1].start_us, seen[-1].series)
    assert seen == whole


def numbers(of: Aggregate) -> tuple[float, ...]:
    return (of.mean, of.minimum, of.maximum, of.total, of.last, of.energy_mean)


def by_hand(
    series: int, first_us: int, readings: dict[int, Reading], grain_us: int
) -> list[Aggregate]:
    grains: dict[int, list[tuple[int, float]]] = {}
    for after, (value, flag) in readings.items():
        if flag not in (Flag.FAIL, Flag.MISSING):
            time_us = first_us + after
            grains.setdefault(time_us // grain_us * grain_us, []).append((time_us, value))
    return [of_grain(series, start, grains[start]) for start in sorted(grains)]


def of_grain(series: int, start_us: int, readings: list[tuple[int, float]]) -> Aggregate:
    values = [value for _, value in sorted(readings)]
    peak = max(values)
    energy = math.fsum(10 ** ((value - peak) / 10) for value in values) / len(values)
    return Aggregate(
        series=series,
        start_us=start_us,
        count=len(values),
        mean=math.fsum(values) / len(values),
        minimum=min(values),
        maximum=peak,
        total=math.fsum(values),
        last=values[-1],
        energy_mean=peak + 10 * math.log10(energy),
    )
