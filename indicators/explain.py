"""Where a number came from: its inputs by series, what counted, what did not and why."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np

from city.clock import US_PER_S
from city.flags import Flag
from indicators import inputs
from indicators.civil import Window, elapsed_hours_back, parts
from indicators.columns import Observations, gate, usable
from indicators.compute import span
from indicators.contracts.model import Contract, Input
from indicators.contracts.shapes import (
    DayEveningNight,
    DaysToFull,
    EnergyMean,
    ExtremeDay,
    FillRate,
    HeatIndex,
    HeldLevel,
    HeldShare,
    MeanIndex,
    MeanValue,
    NowCast,
    RateOfRise,
    Stage,
    StageBand,
    TimeToThreshold,
)
from indicators.formulas.asked import Asked
from indicators.formulas.noise import span_of

__all__ = ["Excluded", "InputExplained", "PartExplained", "explain_input"]

US_PER_HOUR: Final = 3_600 * US_PER_S
FLAG_WORDS: Final = {
    Flag.SUSPECT: "suspect (flag 3), which this indicator does not use",
    Flag.FAIL: "failed a check (flag 4)",
    Flag.MISSING: "sent as missing (flag 9)",
}


class Excluded(msgspec.Struct, frozen=True):
    """Observations that were left out for one reason."""

    reason: str
    count: int


class PartExplained(msgspec.Struct, frozen=True):
    """An hour or a period that has a gate of its own.

    Attributes:
        used, expected: Slots with a usable observation, of all.
        counted: Whether that was enough.
    """

    window: Window
    used: int
    expected: int
    counted: bool


class InputExplained(msgspec.Struct, frozen=True):
    """What one series gave.

    Attributes:
        span: The time that the value needs.
        observations: In all, of which `used` had a part in the value.
        flags: How many had which flag.
        interval_us: Length of a slot.
    """

    series: int
    span: Window
    observations: int
    used: int
    flags: dict[int, int]
    interval_us: int
    excluded: tuple[Excluded, ...]
    parts: tuple[PartExplained, ...]


def explain_input(asked: Asked, wanted: Input, found: inputs.Input) -> InputExplained:
    """Return what a series gave to a value that is computed from observations."""
    contract, whole = asked.contract, span(asked)
    seen = found.of(wanted).within(whole)
    good = usable(seen, accept_suspect=contract.accept_suspect)
    gates = _gates(asked, seen.interval_us)
    each = [_part(good, window, asked.share(level)) for window, level in gates]
    used = sum(len(good.within(part.window)) for part in each if part.counted)
    if not gates:
        used = len(good)
    evidence = found.evidence(whole)
    return InputExplained(
        series=found.series,
        span=whole,
        observations=len(seen),
        used=used,
        flags=evidence.flags,
        interval_us=seen.interval_us,
        excluded=tuple(_excluded(contract, seen, len(good) - used)),
        parts=tuple(each),
    )


def _gates(asked: Asked, interval_us: int) -> Iterable[tuple[Window, str]]:
    """Return the windows that are judged one by one, each with its level."""
    window = asked.window
    match asked.contract.formula:
        case MeanIndex() | MeanValue() if asked.grain == "day" and interval_us <= US_PER_HOUR:
            found = [(part, "hour") for part in parts(window, US_PER_HOUR, asked.zone)]
        case HeatIndex() if asked.grain == "day":
            found = [(part, "hour") for part in parts(window, US_PER_HOUR, asked.zone)]
        case ExtremeDay():
            found = [(part, "hour") for part in parts(span(asked), US_PER_HOUR, asked.zone)]
        case NowCast(hours=hours):
            found = [(part, "hour") for part in reversed(elapsed_hours_back(window, hours))]
        case DayEveningNight(periods=periods):
            found = [(span_of(asked, each), "period") for each in periods]
        case EnergyMean(period=part) if part is not None:
            found = [(span_of(asked, part), "period")]
        case (
            Stage()
            | StageBand()
            | RateOfRise()
            | TimeToThreshold()
            | FillRate()
            | DaysToFull()
            | HeldShare()
            | HeldLevel()
        ):
            # Levels gate them wherever they lie, or the time that reports hold for.
            found = []
        case _:
            found = [(window, asked.grain)]
    return found


def _part(good: Observations, window: Window, share: float) -> PartExplained:
    found = gate(good, window, share)
    return PartExplained(window, found.used, found.expected, found.passed)


def _excluded(contract: Contract, seen: Observations, ungated: int) -> Iterable[Excluded]:
    unused: Sequence[Flag] = (
        (Flag.FAIL, Flag.MISSING)
        if contract.accept_suspect
        else (Flag.SUSPECT, Flag.FAIL, Flag.MISSING)
    )
    for flag in unused:
        count = int((seen.flag == flag).sum())
        if count:
            yield Excluded(FLAG_WORDS[flag], count)
    numbers = np.isfinite(seen.value) | np.isin(seen.flag, np.asarray(unused, dtype=np.uint8))
    if not numbers.all():
        yield Excluded("no number", int((~numbers).sum()))
    if ungated:
        yield Excluded("in an hour or period that is not complete enough", ungated)
