"""Car parks that report free and total spaces: occupancy over time, free bays, search pressure.

Occupied is total - free; less than 0 or more than the total is a counter that drifts: it counts as
0 or the total, and marks the value. Source: indicators.md section 7.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from city.clock import US_PER_S
from city.flags import Flag
from indicators.civil import Window
from indicators.columns import Gate, Observations, gate_of_time
from indicators.contracts.shapes import HeldLevel, HeldShare
from indicators.formulas.asked import Asked
from indicators.formulas.held import Held, held
from indicators.formulas.means import incomplete
from indicators.formulas.outcomes import nothing, rounded
from indicators.formulas.ratio import published
from indicators.rows import Mark, Outcome

__all__ = ["held_level", "held_share", "looked_back"]

# What is of time is kept in seconds.
PER_SECOND: Final = 1 / US_PER_S


def held_share(asked: Asked, formula: HeldShare, seen: Sequence[Observations]) -> Outcome:
    """Return how many of the bays are occupied over a window, or for how long many are.

    Time without any bay is out of service; a window of nothing else is `not_applicable`.

    Args:
        asked: A quarter of an hour, an hour or a civil day.
        formula: Of its contract.
        seen: Usable numbers of free spaces and of all spaces, from `looked_back` on.
    """
    each, found = _in_service(asked, formula, seen, asked.window)
    if each is None:
        return nothing(found, "not_applicable")
    if not found.passed:
        return incomplete(found)
    occupied, total = _occupied(each)
    lengths = each.length_us * PER_SECOND
    if formula.above is None:
        numerator, denominator = float(occupied @ lengths), float(total @ lengths)
    else:
        high = occupied >= np.round(float(formula.above) * total, 9)
        numerator, denominator = float(lengths[high].sum()), float(lengths.sum())
    return published(asked, numerator, denominator, found, _marks(each))


def held_level(asked: Asked, formula: HeldLevel, seen: Sequence[Observations]) -> Outcome:
    """Return how many bays are free at the end of a window.

    Args:
        asked: A quarter of an hour, an hour or a civil day.
        formula: Of its contract.
        seen: Usable numbers of free spaces and of all spaces, from `looked_back` on.
    """
    last = Window(asked.window.end_us - 1, asked.window.end_us)
    each, found = _in_service(asked, formula, seen, last)
    if each is None:
        return nothing(found, "not_applicable")
    if not found.passed:
        return incomplete(found)
    occupied, total = _occupied(each)
    free = float(total[-1] - occupied[-1])
    return rounded(asked, free, found, _marks(each))


def looked_back(asked: Asked, formula: HeldShare | HeldLevel) -> Window:
    """Return the time that a value needs: what was reported before holds on."""
    longest_s = max(each.longest_interval_s for each in asked.contract.inputs)
    hold_us = formula.hold_intervals * longest_s * US_PER_S
    return Window(asked.window.start_us - hold_us, asked.window.end_us)


def _in_service(
    asked: Asked, formula: HeldShare | HeldLevel, seen: Sequence[Observations], window: Window
) -> tuple[Held | None, Gate]:
    """Return what is known while there are bays, and whether that is enough.

    None where there never was a bay as far as is known: that car park is out of service.
    """
    whole = held(seen, window, [formula.hold_intervals * each.interval_us for each in seen])
    each = whole.where(whole.state[1] > 0)
    slowest = max(seen, key=lambda one: one.interval_us)
    share = asked.share(asked.grain)
    none_us = whole.known_us - each.known_us
    found = gate_of_time(each.known_us, slowest, window, share, left_out_us=none_us)
    return (None if none_us and not each.known_us else each), found


def _occupied(each: Held) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    free, total = each.state
    return np.clip(total - free, 0, total), total


def _marks(each: Held) -> tuple[Mark, ...]:
    free, total = each.state
    drifted = ((free < 0) | (free > total)).any()
    suspect = (each.flag == Flag.SUSPECT).any()
    return ("suspect_included",) if drifted or suspect else ()
