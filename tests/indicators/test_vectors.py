"""Every contract proves itself: its own vectors come out as it says."""

import math
from collections.abc import Iterator
from datetime import date, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from indicators.civil import Grain, Window, day_of, instant_us, windows
from indicators.columns import Observations, observations
from indicators.compute import components, from_observations, from_rows, span
from indicators.contracts import load
from indicators.contracts.model import Contract, Vector
from indicators.formulas.asked import Asked
from indicators.rows import Outcome, ResultRow

UTC = ZoneInfo("UTC")
DAY = date(2025, 6, 2)
CONTRACTS = [each for name in load().ids() for each in load().versions(name)]
VECTORS = [
    pytest.param(contract, vector, id=f"{contract.id}-{place}")
    for contract in CONTRACTS
    for place, vector in enumerate(contract.tests)
]


@pytest.mark.parametrize(("contract", "vector"), VECTORS)
def test_a_vector_of_a_contract_comes_out(contract: Contract, vector: Vector) -> None:
    assert not differences(computed(contract, vector), vector)


def test_the_comparison_itself_finds_a_difference() -> None:
    contract = load().get("air.aqi.us.pm25", "2024.1.0")
    expect: dict[str, float | str | list[str]] = {
        "value": 52,
        "band": "null",
        "marks": ["at_least"],
    }
    wrong = Vector(given={"pm2_5": "24*9.1"}, expect=expect)
    assert [each.member for each in differences(computed(contract, wrong), wrong)] == [*expect]


def numbers(text: str) -> list[float]:
    """Read `12*65 50 -` as twelve times 65, once 50, one missing."""
    found: list[float] = []
    for token in text.split():
        count, separator, value = token.rpartition("*")
        found += [math.nan if value == "-" else float(value)] * (int(count) if separator else 1)
    return found


def laid(values: list[float], start_us: int, vector: Vector) -> Observations:
    """Lay values at their minutes or one interval after the other; missing ones are left out."""
    interval_us = vector.interval_s * 1_000_000
    steps = [round(each * 60_000_000) for each in vector.minutes]
    steps = steps or [n * interval_us for n in range(len(values))]
    there = [
        (start_us + step, value)
        for step, value in zip(steps, values, strict=True)
        if not math.isnan(value)
    ]
    return observations([t for t, _ in there], [v for _, v in there], interval_us=interval_us)


def row(indicator: str, value: float | None, window: Window) -> ResultRow:
    return ResultRow(
        indicator=indicator, version="1.0.0", area="city", start_us=window.start_us,
        end_us=window.end_us, tz="UTC", value=value, unrounded=value, band=None,
        main_input=None, completeness=1, n_used=24, n_expected=24, state="final", revision=1,
        reason=None if value is not None else "incomplete", computed_us=0,
    )  # fmt: skip


def asked_of(contract: Contract, vector: Vector) -> Asked:
    grain = vector.grain or contract.grains[0]
    first = DAY.replace(month=1, day=1) if grain == "year" else DAY
    window = next(windows(grain, first, DAY, UTC))
    return Asked(contract, grain, window, UTC, vector.traits)


def computed(contract: Contract, vector: Vector) -> Outcome:
    asked = asked_of(contract, vector)
    parts = components(contract, asked.grain)
    if parts:
        return from_rows(asked, [
            row(name, None if math.isnan(value) else value, window)
            for name, text in vector.given.items()
            for value, window in zip(
                numbers(text), laid_rows(asked, parts[0].grain, vector), strict=False
            )
        ])  # fmt: skip
    start_us = instant_us(DAY - timedelta(days=vector.days_before), vector.starts, UTC)
    if vector.newest_first:
        start_us = span(asked).start_us
    told = bool(vector.minutes) or vector.starts != time(0)
    assert told or start_us in (asked.window.start_us, span(asked).start_us)
    given = [numbers(vector.given[each.quantity]) for each in contract.inputs]
    return from_observations(asked, *[
        laid(values[::-1] if vector.newest_first else values, start_us, vector)
        for values in given
    ])  # fmt: skip


def laid_rows(asked: Asked, grain: Grain, vector: Vector) -> Iterator[Window]:
    """Return the windows of given results, one after the other from `starts` on."""
    first = day_of(asked.window.start_us, UTC) - timedelta(days=vector.starts != time(0))
    last = day_of(asked.window.end_us - 1, UTC)
    start_us = instant_us(first, vector.starts, UTC)
    return (each for each in windows(grain, first, last, UTC) if each.start_us >= start_us)


class Difference(NamedTuple):
    member: str
    found: object
    expected: object


def differences(outcome: Outcome, vector: Vector) -> list[Difference]:
    """Compare with what a vector expects: exactly, `shares and `unrounded` to four decimals."""
    found: list[Difference] = []
    for member, wanted in vector.expect.items():
        value: object = getattr(outcome, member)
        if isinstance(wanted, list):
            same = value == tuple(wanted)
        elif wanted == "null":
            same = value is None
        elif member in ("unrounded", "completeness", "numerator", "denominator"):
            assert isinstance(value, float)
            assert isinstance(wanted, int | float)
            same = abs(value - wanted) < 1e-4
        else:
            same = value == wanted
        if not same:
            found.append(Difference(member, value, wanted))
    return found
