"""Means, truncation and rounding without binary surprises: a mean of 24 x 9.1 is 9.1.

Values count as their shortest decimal text; sums are decimal, means are fractions.
Source: indicators.md section 0 ("Arithmetic", "Publication rounding").
"""

from collections.abc import Iterable, Sequence
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from typing import Final

__all__ = ["fraction", "half_up", "mean", "mean_of", "settled", "truncated"]

# Digits between the largest and the smallest double: sums of doubles' texts are exact within.
EXACT: Final = Context(prec=1_100)
# Where sums go through logarithms they cannot be exact; nine decimals hide the binary tail.
SETTLED_DECIMALS: Final = 9
HALF: Final = Fraction(1, 2)


def fraction(value: float) -> Fraction:
    """Return the number that a value's shortest decimal text says."""
    return Fraction(repr(float(value)))


def settled(value: float) -> Fraction:
    """Return a computed value to nine decimals, so that it can be compared or rounded."""
    return fraction(round(value, SETTLED_DECIMALS))


def mean(values: Sequence[float]) -> Fraction:
    """Return the exact mean of values' decimal texts; there is at least one."""
    with localcontext(EXACT):
        total = sum((Decimal(repr(value)) for value in values), Decimal())
    return Fraction(total) / len(values)


def mean_of(values: Iterable[Fraction]) -> Fraction:
    """Return the exact mean of means; there is at least one."""
    counted = list(values)
    return sum(counted, Fraction()) / len(counted)


def truncated(value: Fraction, digits: int) -> Fraction:
    """Cut a number that is not negative to so many decimals: 35.45 becomes 35.4."""
    scale = 10**digits
    return Fraction(value * scale // 1, scale)


def half_up(value: Fraction, digits: int) -> Fraction:
    """Round half away from zero to so many decimals: 125.5 becomes 126, -0.5 becomes -1."""
    scale = 10**digits
    size = Fraction((abs(value) * scale + HALF) // 1, scale)
    return size if value >= 0 else -size
