"""Scales of a contract: the band of a value, and the index inside of a band.

Piecewise linear between exact decimals, rounded half up; above the last band the last segment
goes on where the contract says so. Source: indicators.md section 1.
"""

from fractions import Fraction

import msgspec

from indicators.contracts.model import Band, Contract
from indicators.exact import half_up
from indicators.rows import Mark

__all__ = ["Scaled", "band_of", "index_of"]


class Scaled(msgspec.Struct, frozen=True):
    """Where a value stands on a scale; all None where the contract gives it no place."""

    index: int | None
    band: str | None
    marks: tuple[Mark, ...] = ()


def index_of(contract: Contract, cut: Fraction) -> Scaled:
    """Return the index and band of an average that is cut already and is not negative."""
    last = contract.bands[-1]
    band = band_of(contract.bands, cut)
    if band is not None:
        return Scaled(_interpolated(band, cut), band.label)
    match contract.out_of_scale:
        case "extrapolate":
            return Scaled(_interpolated(last, cut), last.label, ("beyond_aqi",))
        case "cap":
            return Scaled(last.index[1] if last.index else None, last.label)
        case _:
            return Scaled(None, None)


def band_of(bands: tuple[Band, ...], value: Fraction) -> Band | None:
    """Return the band whose inclusive bounds hold a value.

    Of bands without upper bounds it is the last that starts at or below the value.
    """
    if bands and all(band.upper is None for band in bands):
        begun = [band for band in bands if band.lower is not None and value >= Fraction(band.lower)]
        return begun[-1] if begun else None
    for band in bands:
        above = band.lower is None or value >= Fraction(band.lower)
        below = band.upper is None or value <= Fraction(band.upper)
        if above and below:
            return band
    return None


def _interpolated(band: Band, cut: Fraction) -> int:
    assert band.index is not None, "a contract is checked before it is computed"
    assert band.lower is not None, "a contract is checked before it is computed"
    assert band.upper is not None, "a contract is checked before it is computed"
    lowest, highest = band.index
    lower, upper = Fraction(band.lower), Fraction(band.upper)
    return int(half_up((highest - lowest) / (upper - lower) * (cut - lower) + lowest, 0))
