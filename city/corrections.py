"""What calibrations make of a device's values: factor and offset, each for some time. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

__all__ = ["Correction", "Corrections", "corrected", "corrected_value"]


class Correction(msgspec.Struct, frozen=True, order=True):
    """Corrected = factor x value + offset, in the unit of the series.

    Attributes:
        from_us, until_us: Of the times of observations, microseconds UTC; the end is excluded.
    """

    quantity: str
    from_us: int
    until_us: int
    factor: float
    offset: float


# Of one device, in order; two of a quantity never hold at once.
Corrections = tuple[Correction, ...]
NOTHING: Final[Corrections] = ()


def corrected_value(correction: Correction, value: float) -> float:
    """Return a corrected value, computed in decimals as a person would.

    In doubles 0.7 x 3 is 2.0999..., which an indicator that cuts off digits would publish as 2.0.
    """
    product = Decimal(repr(value)) * Decimal(repr(correction.factor))
    return float(product + Decimal(repr(correction.offset)))


def corrected(
    corrections: Sequence[Correction],
    times_us: NDArray[np.int64],
    values: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the values of one series, corrected where something corrects them.

    Args:
        corrections: Of the series' quantity.
        times_us: Shape (n,), ascending.
        values: Shape (n,); NaN stays.
    """
    if not corrections:
        return values
    found = values.copy()
    for each in corrections:
        bounds = np.array((each.from_us, each.until_us), np.int64)
        first, after = (int(at) for at in np.searchsorted(times_us, bounds))
        for at in np.flatnonzero(np.isfinite(values[first:after])) + first:
            found[at] = corrected_value(each, float(values[at]))
    return found
