"""Ratios: a share of time, of bays or of water, whose sums are kept so that areas can be added.

Source: indicators.md section 15d (`ratio_of_sums`).
"""

from indicators.columns import Gate
from indicators.contracts.model import Contract
from indicators.exact import half_up, settled
from indicators.rows import Mark, Outcome

__all__ = ["ratio", "ratio_of"]


def ratio_of(contract: Contract, parts: tuple[float, float]) -> float | None:
    """Return a numerator by a denominator, times 100 where the unit is %; None by nothing."""
    above, below = parts
    if not below:
        return None
    return above / below * (100 if contract.unit == "%" else 1)


def ratio(
    contract: Contract, parts: tuple[float, float], found: Gate, marks: tuple[Mark, ...] = ()
) -> Outcome:
    """Return a ratio of what is known; by nothing it does not apply.

    Args:
        contract: Its unit and rounding.
        parts: Numerator and denominator.
        found: A gate that was passed.
        marks: Of the value.
    """
    value = ratio_of(contract, parts)
    return Outcome(
        value=None if value is None else float(half_up(settled(value), contract.rounding.digits)),
        unrounded=value,
        completeness=found.completeness,
        n_used=found.used,
        n_expected=found.expected,
        reason="not_applicable" if value is None else None,
        marks=() if value is None else marks,
        parts=parts,
    )
