"""How a formula says what it found: a value rounded as its contract says, or none and why."""

from indicators.columns import Gate
from indicators.exact import half_up, settled
from indicators.formulas.asked import Asked
from indicators.rows import Mark, NullReason, Outcome

__all__ = ["counted", "nothing", "rounded"]


def rounded(asked: Asked, value: float, found: Gate, marks: tuple[Mark, ...] = ()) -> Outcome:
    """Return a value, and as it was before it was rounded.

    Args:
        asked: Its contract says to how many digits.
        value: In the contract's unit.
        found: What is known of the window.
        marks: On the value.
    """
    return Outcome(
        value=float(half_up(settled(value), asked.contract.rounding.digits)),
        unrounded=value,
        completeness=found.completeness,
        n_used=found.used,
        n_expected=found.expected,
        marks=marks,
    )


def nothing(found: Gate, reason: NullReason) -> Outcome:
    """Return that there is no value, and why."""
    return Outcome(
        value=None,
        completeness=found.completeness,
        n_used=found.used,
        n_expected=found.expected,
        reason=reason,
    )


def counted(used: int, needed: int) -> Gate:
    """Judge a number of readings where it does not matter in which slots they lie.

    Args:
        used: So many there are.
        needed: So many are enough; at least 1.
    """
    return Gate(used, max(used, needed), min(1.0, used / needed), used >= needed)
