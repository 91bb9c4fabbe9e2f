"""Registers of water: what each reading adds, and that days add up to the register."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.scope import EVERYTHING
from indicators.areas import Area
from indicators.civil import Window, window_of
from indicators.columns import observations
from indicators.engine import Job
from indicators.formulas.registers import Register, differences, used_in

if TYPE_CHECKING:
    from conftest import Town

HOURLY = 3_600_000_000
METER = Register(max_rate=2.5, modulus=100_000, installed_at=None)


def steps(values: list[float], register: Register = METER) -> list[float]:
    """Return what hourly readings add; NaN where nobody can say."""
    times = [n * HOURLY for n in range(len(values))]
    found = differences(observations(times, values, interval_us=HOURLY), register)
    known = dict(zip(found.start_us.tolist(), found.amount.tolist(), strict=True))
    return [known.get(at, math.nan) for at in times[:-1]]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([1, 2, 4.5], [1, 2.5]),
        ([1, 3.501], [math.nan]),
        # 25 L back trembles, 26 L is a reset that nobody knows the start of.
        ([5, 4.975, 5.1], [0, 0.1]),
        ([5, 4.974, 5.1], [math.nan, 0.126]),
        # Back and forth adds nothing.
        ([5, 4.99, 5, 4.98, 5.0], [0, 0, 0, 0]),
        ([99_999, 0.5], [1.5]),
        ([99_990, 0.5], [math.nan]),
        # After what nobody can say the register is compared with what it shows then.
        ([456, 207.9, 456.1, 456.2], [math.nan, math.nan, 0.1]),
        ([7], []),
        ([], []),
    ],
)
def test_each_case_of_a_difference(values: list[float], wanted: list[float]) -> None:
    assert steps(values) == pytest.approx(wanted, nan_ok=True)


def test_a_reset_counts_from_the_reading_at_installation() -> None:
    assert steps([5_321, 2], Register(2.5, None, 0)) == [2]
    assert steps([5_321, 2], Register(2.5, None, 1.5)) == [0.5]
    assert steps([5_321, 1], Register(2.5, None, 1.5)) == pytest.approx([math.nan], nan_ok=True)


@given(st.lists(st.tuples(st.integers(60, 150), st.integers(0, 2_400)), min_size=2, max_size=200))
def test_days_add_up_to_the_register(readings: list[tuple[int, int]]) -> None:
    minutes = np.cumsum([step for step, _ in readings])
    litres = np.cumsum([more for _, more in readings])
    seen = observations(minutes * 60_000_000, litres / 1_000, interval_us=HOURLY)
    found = differences(seen, METER)
    days = range(int(minutes[-1]) // 1_440 + 1)
    each = [
        used_in(found, Window(day * 24 * HOURLY, (day + 1) * 24 * HOURLY), 2.5 * HOURLY)
        for day in days
    ]
    assert sum(amount for amount, _ in each) == pytest.approx((litres[-1] - litres[0]) / 1_000)
    assert sum(covered for _, covered in each) == (minutes[-1] - minutes[0]) * 60_000_000


def test_meters_of_a_city_are_summed_and_a_silent_one_is_missed(town: Town) -> None:
    for name in ("a", "b", "c", "d"):
        town.device(name)
    for name, rate in (("a", 0.1), ("b", 0.2), ("c", 0.3)):
        town.write(name, "volume", {hour: 10 + rate * hour for hour in range(-1, 41)})
    town.write("d", "volume", dict.fromkeys(range(-1, 12), 10.0))
    town.at(40)
    assert town.step() > 0
    (alone,) = town.rows("water.consumption", "device:acme/b")
    assert (alone.value, alone.completeness, alone.marks) == (4.8, 1, ())
    (city,) = town.rows("water.consumption", "city")
    assert (city.value, city.marks) == (14.4, ("at_least",))
    assert (city.n_used, city.n_expected) == (24 * 3 + 11, 96)


def test_what_is_known_of_a_meter_counts_and_is_part_of_its_evidence(town: Town) -> None:
    town.device("a")
    day = {hour: 99_999 + 0.1 * hour for hour in range(-1, 10)}
    day |= {hour: 0.1 * (hour - 10) for hour in range(10, 41)}
    town.write("a", "volume", day)
    town.at(40)
    day_window = window_of("day", town.date, town.zone)
    job = Job("water.consumption", "day", day_window, Area("device", "acme/a"))
    (before,) = town.engine().compute(town.city(), [job])
    assert (before.row.value, before.row.marks) == (2.3, ("at_least",))
    tags = ("register_modulus=100000",)
    town.registry.devices.change("test", EVERYTHING, ("acme", "a"), {"tags": tags})
    (after,) = town.engine().compute(town.city(), [job])
    assert (after.row.value, after.row.marks) == (2.4, ())
    assert after.inputs_hash != before.inputs_hash
