"""From a contract to its result: which observations or results it needs, its value, its row.

Nothing is read or stored here, and nothing is rounded between steps.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

import msgspec

from city.clock import US_PER_S
from indicators.civil import Grain, Window, day_of
from indicators.columns import Observations, usable
from indicators.contracts.model import Contract, Input
from indicators.contracts.shapes import (
    Counted,
    DayEveningNight,
    DaysToFull,
    EnergyMean,
    ExceededCount,
    ExceededLevel,
    ExtremeDay,
    FillLevel,
    FillRate,
    HeatIndex,
    HeldLevel,
    HeldShare,
    HighestIndex,
    MeanBand,
    MeanIndex,
    MeanValue,
    NowCast,
    RateOfRise,
    RegisterUse,
    SpaceMeanSpeed,
    Stage,
    StageBand,
    TimeMean,
    TimeToThreshold,
)
from indicators.formulas import (
    air,
    counters,
    counts,
    extremes,
    flood,
    heat,
    means,
    noise,
    parking,
    ratio,
    registers,
    traffic,
    waste,
)
from indicators.formulas.asked import Asked
from indicators.rows import Outcome, ResultRow, state_at

__all__ = [
    "Component",
    "components",
    "depth",
    "from_observations",
    "from_rows",
    "qualifies",
    "reach_days",
    "result_row",
    "span",
]

US_PER_HOUR: Final = 3_600 * US_PER_S
DAY_S: Final = 86_400
LONG: Final = ("month", "year")
# Formulas whose months are computed from observations as their days are.
WHOLE: Final = (RegisterUse,)
SeriesFormula = Callable[[Asked, Any, Observations], Outcome]
SERIES: Final[Mapping[type, SeriesFormula]] = {
    MeanIndex: air.mean_index,
    MeanValue: means.mean_value,
    MeanBand: means.mean_band,
    NowCast: air.nowcast,
    EnergyMean: noise.energy_mean,
    DayEveningNight: noise.day_evening_night,
    Counted: counters.counted,
    ExceededLevel: noise.exceeded_level,
    ExtremeDay: extremes.extreme_day,
    RegisterUse: registers.register_use,
    Stage: flood.stage,
    StageBand: flood.stage_band,
    RateOfRise: flood.rate_of_rise,
    TimeToThreshold: flood.time_to_threshold,
    TimeMean: traffic.time_mean,
    FillLevel: waste.fill_level,
    FillRate: waste.fill_rate,
    DaysToFull: waste.days_to_full,
}
JoinedFormula = Callable[[Asked, Any, Sequence[Observations]], Outcome]
# Formulas of several inputs.
JOINED: Final[Mapping[type, JoinedFormula]] = {
    HeatIndex: heat.heat_index,
    SpaceMeanSpeed: traffic.space_mean_speed,
    HeldShare: parking.held_share,
    HeldLevel: parking.held_level,
}


# Formulas that look around their window in a way of their own.
Looked = Callable[[Asked, Any], Window]
LOOKED: Final[Mapping[type, Looked]] = {
    ExtremeDay: extremes.looked_around,
    RegisterUse: registers.looked_at,
    Stage: flood.looked_back,
    StageBand: flood.looked_back,
    RateOfRise: flood.looked_back,
    TimeToThreshold: flood.looked_back,
    FillLevel: waste.looked_back,
    FillRate: waste.looked_back,
    DaysToFull: waste.looked_back,
    HeldShare: parking.looked_back,
    HeldLevel: parking.looked_back,
}


class Component(msgspec.Struct, frozen=True):
    """Results that a value is computed from."""

    indicator: str
    grain: Grain


def components(contract: Contract, grain: Grain) -> tuple[Component, ...]:
    """Return the results that a value is computed from; none: it is from observations."""
    names: tuple[str, ...] = (contract.id,)
    of: Grain = "day"
    match contract.formula:
        case HighestIndex(components=ids):
            names, of = ids, grain
        case ExceededCount(component=name, grain=means_of):
            names, of = (name,), means_of
        case _ if grain not in LONG or isinstance(contract.formula, WHOLE):
            names = ()
        case DayEveningNight(periods=periods):
            names = tuple(each.component for each in periods)
        case MeanValue():
            of = "hour"
        case _:
            pass
    return tuple(Component(name, of) for name in names)


def depth(contract: Contract, grain: Grain) -> int:
    """Return how many results stand on one another below a value that is read from results."""
    match contract.formula:
        case HighestIndex():
            return 0
        case ExceededCount(grain=of):
            return 2 if of in LONG else 1
        case _:
            return 1 if components(contract, grain) else 0


def span(asked: Asked) -> Window:
    """Return the time whose observations a value is computed from; it is known at the end."""
    window = asked.window
    match asked.contract.formula:
        case NowCast(hours=hours):
            spans = [Window(window.start_us - (hours - 1) * US_PER_HOUR, window.end_us)]
        case EnergyMean(period=part) if part is not None:
            spans = [noise.span_of(asked, part)]
        case DayEveningNight(periods=parts):
            spans = [noise.span_of(asked, each) for each in parts]
        case ExceededCount() as formula:
            return counts.looked_back(formula, window)
        case formula if type(formula) in LOOKED:
            return _looking(asked.contract)(asked, formula)
        case _:
            spans = [window]
    if asked.grain in LONG:
        spans = [window]
    return Window(min(each.start_us for each in spans), max(each.end_us for each in spans))


def reach_days(contract: Contract) -> int:
    """Return how many days before and after its own an observation may still count in a value."""
    days = 1
    match contract.formula:
        case ExtremeDay(run=run):
            days = run
        case RegisterUse(before_h=before_h) | StageBand(before_h=before_h):
            days += before_h // 24
        case FillRate(before_days=before) | DaysToFull(rate=FillRate(before_days=before)):
            days += before
        case FillLevel(smoothed=readings):
            days += -(-(readings - 1) * contract.inputs[0].longest_interval_s // DAY_S)
        case _:
            # A night is of the day before, and a NowCast looks back into it.
            pass
    return days


def qualifies(wanted: Input, interval_us: int) -> bool:
    """Return whether a series of this nominal interval may be an input."""
    daily = wanted.daily and interval_us == DAY_S * US_PER_S
    return daily or interval_us <= wanted.longest_interval_s * US_PER_S


def from_observations(asked: Asked, *series: Observations) -> Outcome:
    """Compute a value from one series of each of the contract's inputs.

    Args:
        asked: A grain that needs no `components`.
        series: Observations of `span` or more, with all flags, in the order of the inputs.
    """
    contract = asked.contract
    pairs = zip(contract.inputs, series, strict=True)
    if not all(qualifies(wanted, each.interval_us) for wanted, each in pairs):
        return Outcome(
            value=None, completeness=0.0, n_used=0, n_expected=0, reason="not_applicable"
        )
    whole = span(asked)
    seen = [usable(each.within(whole), accept_suspect=contract.accept_suspect) for each in series]
    if type(contract.formula) in JOINED:
        return _joining(contract)(asked, contract.formula, seen)
    return _computing(contract)(asked, contract.formula, *seen)


def _looking(contract: Contract) -> Looked:
    return LOOKED[type(contract.formula)]


def _computing(contract: Contract) -> SeriesFormula:
    return SERIES[type(contract.formula)]


def _joining(contract: Contract) -> JoinedFormula:
    return JOINED[type(contract.formula)]


def from_rows(asked: Asked, rows: Iterable[ResultRow]) -> Outcome:
    """Compute a value from other results of the same area.

    Args:
        asked: A grain that needs `components`.
        rows: Latest rows of the components; those outside of the window are left out.
    """
    whole = span(asked)
    inside = [row for row in rows if whole.start_us <= row.start_us and row.end_us <= whole.end_us]
    formula = asked.contract.formula
    if isinstance(formula, HighestIndex):
        return air.highest_index(formula, {row.indicator: row for row in inside})
    if asked.contract.spatial.rule == "ratio_of_sums":
        return ratio.of_days(asked, inside)
    known: dict[str, dict[int, float]] = {}
    for row in inside:
        if row.unrounded is not None:
            known.setdefault(row.indicator, {})[row.start_us] = row.unrounded
    return _from_means(asked, known)


def _from_means(asked: Asked, known: Mapping[str, Mapping[int, float]]) -> Outcome:
    contract = asked.contract
    match contract.formula:
        case ExceededCount(component=name) as formula:
            found = counts.exceeded_count(asked, formula, known.get(name, {}))
        case ExtremeDay():
            found = extremes.days_above(asked, _by_day(asked, known.get(contract.id, {})))
        case MeanValue():
            found = means.mean_of_hours(asked, known.get(contract.id, {}))
        case DayEveningNight() as formula:
            levels = {name: _by_day(asked, each) for name, each in known.items()}
            found = noise.long_term_lden(asked, formula, levels)
        case _:
            found = noise.long_term(asked, _by_day(asked, known.get(contract.id, {})))
    return found


def _by_day(asked: Asked, levels: Mapping[int, float]) -> dict[date, float]:
    return {day_of(start, asked.zone): level for start, level in levels.items()}


def result_row(
    asked: Asked, outcome: Outcome, *, area: str, now_us: int, retrospective: bool
) -> ResultRow:
    """Return what was found as a row: revision 0 while its window is open, else 1.

    Args:
        asked: Contract and window.
        outcome: What was found.
        area: `device:ID`, `place:ID`, `district:ID`, `provider:ID` or `city`.
        now_us: The current instant.
        retrospective: The window starts before the first version that is known.
    """
    state = state_at(now_us, span(asked).end_us, asked.contract.lateness_h)
    marks = (*outcome.marks, "retrospective") if retrospective else outcome.marks
    return ResultRow(
        indicator=asked.contract.id,
        version=asked.contract.version,
        area=area,
        start_us=asked.window.start_us,
        end_us=asked.window.end_us,
        tz=asked.zone.key,
        value=outcome.value,
        unrounded=outcome.unrounded,
        band=outcome.band,
        main_input=outcome.main_input,
        completeness=outcome.completeness,
        n_used=outcome.n_used,
        n_expected=outcome.n_expected,
        state=state,
        revision=0 if state == "open" else 1,
        reason=outcome.reason,
        computed_us=now_us,
        marks=marks,
        numerator=outcome.numerator,
        denominator=outcome.denominator,
    )
