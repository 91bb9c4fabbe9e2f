"""Sums, cuts and rounding go by the decimal text of values, not by their binary neighbours."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.exact import fraction, half_up, mean, settled, truncated

FINITE = st.floats(-1e6, 1e6)


def test_a_mean_of_24_times_9_1_is_9_1() -> None:
    assert sum([9.1] * 24) / 24 < 9.1, "the trap is still there"
    assert mean([9.1] * 24) == Fraction("9.1")


def test_every_value_of_one_decimal_keeps_it() -> None:
    for tenths in range(3300):
        assert truncated(fraction(tenths / 10), 1) == Fraction(tenths, 10)


@pytest.mark.parametrize(
    ("value", "digits", "cut"), [(9.04, 1, "9"), (35.45, 1, "35.4"), (154.99, 0, "154")]
)
def test_concentrations_are_cut(value: float, digits: int, cut: str) -> None:
    assert truncated(fraction(value), digits) == Fraction(cut)


@pytest.mark.parametrize(
    ("value", "digits", "rounded"),
    [(125.5, 0, "126"), (-0.5, 0, "-1"), (2.5, 0, "3"), (64.45, 1, "64.5"), (1.005, 2, "1.01")],
)
def test_rounding_is_half_away_from_zero(value: float, digits: int, rounded: str) -> None:
    assert half_up(fraction(value), digits) == Fraction(rounded)


def test_a_computed_value_is_settled_before_it_is_rounded() -> None:
    assert half_up(settled(64.45 - 1e-14), 1) == Fraction("64.5")


@pytest.mark.property
@given(st.lists(FINITE, min_size=1, max_size=50))
def test_a_mean_lies_between_its_values_whatever_their_order(values: list[float]) -> None:
    found = mean(values)
    assert fraction(min(values)) <= found <= fraction(max(values))
    assert found == mean(values[::-1])


@pytest.mark.property
@given(FINITE, st.integers(1, 60))
def test_a_mean_of_one_value_is_that_value(value: float, times: int) -> None:
    assert mean([value] * times) == fraction(value)


@pytest.mark.property
@given(st.fractions(0, 10**6), st.integers(0, 3))
def test_cut_and_rounded_are_within_one_and_half_a_digit(value: Fraction, digits: int) -> None:
    step = Fraction(1, 10**digits)
    assert 0 <= value - truncated(value, digits) < step
    assert abs(value - half_up(value, digits)) <= step / 2
