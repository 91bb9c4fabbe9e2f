"""Completeness counts slots of elapsed time, and only usable observations fill them."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.civil import Window
from indicators.columns import Observations, flag_counts, gate, gate_of, observations, usable

MINUTE_US = 60_000_000
HOUR = Window(0, 60 * MINUTE_US)


def minutes(*starts: float, flags: list[int] | None = None) -> Observations:
    times = [int(start * MINUTE_US) for start in starts]
    return observations(times, [1.0] * len(times), flags, interval_us=MINUTE_US)


@pytest.mark.parametrize(
    ("expected", "needed"),
    # An hour of 1, 5, 10 and 15 minutes; days of 24, 23, 25, 23.5 and 24.5 hours; 8 and 12 hours.
    [
        (60, 45),
        (12, 9),
        (6, 5),
        (4, 3),
        (24, 18),
        (23, 18),
        (25, 19),
        (23.5, 18),
        (24.5, 19),
        (8, 6),
    ],
)
def test_three_quarters_are_rounded_up(expected: float, needed: int) -> None:
    assert gate_of(needed, Fraction(expected), 0.75).passed
    assert not gate_of(needed - 1, Fraction(expected), 0.75).passed


def test_two_messages_in_a_slot_count_once() -> None:
    found = gate(minutes(0, 0.5, 1), HOUR, 0.75)
    assert (found.used, found.expected) == (2, 60)
    assert found.completeness == pytest.approx(2 / 60)


def test_the_end_of_a_window_is_outside() -> None:
    assert gate(minutes(-1, 59, 60), HOUR, 0.75).used == 1


@pytest.mark.parametrize(("suspect", "kept"), [(False, 2), (True, 3)])
def test_flags_say_what_is_usable(suspect: bool, kept: int) -> None:
    seen = minutes(0, 1, 2, 3, 4, flags=[1, 2, 3, 4, 9])
    assert len(usable(seen, accept_suspect=suspect)) == kept
    assert flag_counts(seen) == {1: 1, 2: 1, 3: 1, 4: 1, 9: 1}


def test_a_value_that_is_none_is_not_usable() -> None:
    seen = observations([0, 1, 2], [1.0, np.nan, np.inf], interval_us=1)
    assert len(usable(seen, accept_suspect=True)) == 1


def test_columns_are_put_in_order_of_time() -> None:
    seen = observations([2, 0], [20.0, 0.0], [1, 2], interval_us=1, end_us=[4, 0])
    assert seen.value.tolist() == [0.0, 20.0]
    assert seen.length_us.tolist() == [1, 2]


def test_columns_that_differ_in_length_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        observations([0, 1], [1.0], interval_us=1)
    with pytest.raises(ValueError, match="is none"):
        observations([0], [1.0], interval_us=0)


def test_nothing_passes_a_window_without_length() -> None:
    assert not gate(minutes(), Window(0, 0), 0.75).passed


@pytest.mark.property
@given(st.lists(st.integers(-10, 3_700), max_size=200), st.integers(1, 600))
def test_more_messages_never_lower_completeness(seconds: list[int], interval: int) -> None:
    times = [each * 1_000_000 for each in seconds]
    seen = observations(times, [0.0] * len(times), interval_us=interval * 1_000_000)
    half = observations(times[::2], [0.0] * len(times[::2]), interval_us=interval * 1_000_000)
    whole, part = gate(seen, HOUR, 0.75), gate(half, HOUR, 0.75)
    assert 0 <= part.completeness <= whole.completeness <= 1
    assert whole.used <= whole.expected
