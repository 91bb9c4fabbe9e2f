"""Cumulative registers: which differences of readings count, and how much of a window they cover.

A register goes on, begins again at its modulus, is set back, or trembles. Each case has its rule.
Source: indicators.md section 9a.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from city.clock import US_PER_S
from indicators.civil import Window
from indicators.columns import Observations, gate_of_time
from indicators.contracts.shapes import RegisterUse
from indicators.formulas.asked import Asked
from indicators.formulas.means import incomplete, suspect_marks
from indicators.formulas.outcomes import rounded
from indicators.rows import Mark, Outcome

__all__ = [
    "Differences",
    "Register",
    "differences",
    "looked_at",
    "register_of",
    "register_use",
    "used_in",
]

US_PER_HOUR: Final = 3_600 * US_PER_S
# A step backwards of so much of an hour at the greatest rate is no use, and no reset.
JITTER: Final = 0.01
# Readings are decimal: what binary adds to a difference of them is no difference.
DECIMALS: Final = 9


@dataclass(frozen=True, slots=True)
class Register:
    """What a register can do.

    Attributes:
        max_rate: At most, in its unit an hour.
        modulus: Where it begins again at 0; None: never.
        installed_at: What it shows when it is new or set back; None: nobody knows.
    """

    max_rate: float
    modulus: float | None = None
    installed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Differences:
    """What was used between readings; those that are not known are left out.

    Attributes:
        start_us, end_us: Between two readings, shape (n,).
        amount: In the register's unit.
    """

    start_us: NDArray[np.int64]
    end_us: NDArray[np.int64]
    amount: NDArray[np.float64]

    @property
    def length_us(self) -> NDArray[np.int64]:
        """How far each two readings lie apart."""
        return self.end_us - self.start_us


def register_use(asked: Asked, formula: RegisterUse, seen: Observations) -> Outcome:
    """Return what was used in a window.

    Args:
        asked: A civil day or month, and the traits of the device.
        formula: Of its contract.
        seen: Readings of `looked_at`.
    """
    register = register_of(asked, formula)
    amount, covered_us = used_in(
        differences(seen, register), asked.window, formula.edge_intervals * seen.interval_us
    )
    found = gate_of_time(covered_us, seen, asked.window, asked.share(asked.grain))
    if not found.passed:
        return incomplete(found)
    marks: list[Mark] = list(suspect_marks(seen, [asked.window]))
    if found.completeness < 1:
        marks.append("at_least")
    return rounded(asked, amount, found, tuple(marks))


def register_of(asked: Asked, formula: RegisterUse) -> Register:
    """Return what the register of a device can do, by its traits."""
    return Register(
        max_rate=asked.trait("max_rate") or formula.max_rate,
        modulus=asked.trait("register_modulus") or None,
        installed_at=asked.trait("install_reading"),
    )


def looked_at(asked: Asked, formula: RegisterUse) -> Window:
    """Return the time that a value needs: a difference may reach across both edges."""
    longest_us = asked.contract.inputs[0].longest_interval_s * US_PER_S
    return Window(
        asked.window.start_us - formula.before_h * US_PER_HOUR,
        asked.window.end_us + round(formula.edge_intervals * longest_us),
    )


def used_in(each: Differences, window: Window, edge_us: float) -> tuple[float, int]:
    """Return what was used in a window, and how much of it differences cover (microseconds).

    Args:
        each: Of readings in the window and around it.
        window: Half-open.
        edge_us: A longer difference across an edge of the window counts on neither side.
    """
    inside_us = np.minimum(each.end_us, window.end_us) - np.maximum(each.start_us, window.start_us)
    counts = (inside_us > 0) & ((inside_us == each.length_us) | (each.length_us <= edge_us))
    shares = inside_us[counts] / each.length_us[counts]
    return float(np.sum(each.amount[counts] * shares)), int(np.sum(inside_us[counts]))


def differences(seen: Observations, register: Register) -> Differences:
    """Return what each reading adds to the ones before it.

    Args:
        seen: Usable readings in order of time; of several at one instant the first.
        register: What it can do.
    """
    times, at = np.unique(seen.time_us, return_index=True)
    values = seen.value[at]
    steps, lengths = np.round(np.diff(values), DECIMALS), np.diff(times)
    if ((steps < 0) | (steps > _most(register, lengths))).any():
        steps = _judged_one_by_one(times, values, register)
    known = ~np.isnan(steps)
    return Differences(times[:-1][known], times[1:][known], steps[known])


def _most(register: Register, lengths: NDArray[np.int64]) -> NDArray[np.float64]:
    return register.max_rate * (lengths / US_PER_HOUR)


def _judged_one_by_one(
    times: NDArray[np.int64], values: NDArray[np.float64], register: Register
) -> NDArray[np.float64]:
    """Return the steps of a register that does not only go on; NaN where nobody can say.

    After a step backwards that is no more than trembling, the register is compared with what it
    showed before, so that going back and forth adds nothing.
    """
    steps = np.full(max(len(values) - 1, 0), np.nan)
    readings: list[float] = values.tolist()
    before = 0
    for place in range(1, len(readings)):
        most = register.max_rate * (int(times[place] - times[before]) / US_PER_HOUR)
        step = round(readings[place] - readings[before], DECIMALS)
        if step < 0 and -step <= JITTER * register.max_rate:
            steps[place - 1] = 0.0
            continue
        steps[place - 1] = _step(step, readings[place], most, register)
        before = place
    return steps


def _step(step: float, reading: float, most: float, register: Register) -> float:
    if step >= 0:
        return step if step <= most else np.nan
    if register.modulus is not None and step + register.modulus <= most:
        return step + register.modulus
    if register.installed_at is None or reading < register.installed_at:
        return np.nan
    return reading - register.installed_at
