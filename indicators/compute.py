"""From a contract to its result: which observations or results it needs, its value, its row.

Nothing is read or stored here, and nothing is rounded between steps.
"""

from collections.abc import Iterable
from datetime import date
from typing import Final

from city.clock import US_PER_S
from indicators.civil import Grain, Window, day_of
from indicators.columns import Observations, usable
from indicators.contracts.model import (
    Contract,
    DayEveningNight,
    EnergyMean,
    ExceededLevel,
    HighestIndex,
    MeanIndex,
    NowCast,
)
from indicators.formulas import air, noise
from indicators.formulas.asked import Asked
from indicators.rows import Outcome, ResultRow, state_at

__all__ = ["components", "from_observations", "from_rows", "qualifies", "result_row", "span"]

US_PER_HOUR: Final = 3_600 * US_PER_S
DAY_S: Final = 86_400


def components(contract: Contract, grain: Grain) -> tuple[str, ...]:
    """Return the indicators whose day rows a value is computed from; none: from observations."""
    match contract.formula:
        case HighestIndex(components=ids):
            return ids
        case DayEveningNight(periods=periods) if grain == "year":
            return tuple(each.component for each in periods)
        case _ if grain == "year":
            return (contract.id,)
        case _:
            return ()


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
        case _:
            spans = [window]
    if asked.grain == "year":
        spans = [window]
    return Window(min(each.start_us for each in spans), max(each.end_us for each in spans))


def qualifies(contract: Contract, interval_us: int) -> bool:
    """Return whether a series of this nominal interval may be an input."""
    wanted = contract.inputs[0]
    daily = wanted.daily and interval_us == DAY_S * US_PER_S
    return daily or interval_us <= wanted.longest_interval_s * US_PER_S


def from_observations(asked: Asked, series: Observations) -> Outcome:
    """Compute a value from one series of the contract's input.

    Args:
        asked: A grain that needs no `components`.
        series: Observations of `span` or more, with all flags.
    """
    contract = asked.contract
    if not qualifies(contract, series.interval_us):
        return Outcome(
            value=None, completeness=0.0, n_used=0, n_expected=0, reason="not_applicable"
        )
    seen = usable(series.within(span(asked)), accept_suspect=contract.accept_suspect)
    match contract.formula:
        case MeanIndex():
            found = air.mean_index(asked, seen)
        case NowCast() as formula:
            found = air.nowcast(asked, formula, seen)
        case EnergyMean() as formula:
            found = noise.energy_mean(asked, formula, seen)
        case DayEveningNight() as formula:
            found = noise.day_evening_night(asked, formula, seen)
        case ExceededLevel() as formula:
            found = noise.exceeded_level(asked, formula, seen)
        case HighestIndex():
            raise AssertionError("an indicator of indicators has no observations")
    return found


def from_rows(asked: Asked, rows: Iterable[ResultRow]) -> Outcome:
    """Compute a value from other results of the same area.

    Args:
        asked: A grain that needs `components`.
        rows: Latest day rows of the components; those outside of the window are left out.
    """
    inside = [
        row
        for row in rows
        if asked.window.start_us <= row.start_us and row.end_us <= asked.window.end_us
    ]
    formula = asked.contract.formula
    if isinstance(formula, HighestIndex):
        return air.highest_index(formula, {row.indicator: row for row in inside})
    levels: dict[str, dict[date, float]] = {}
    for row in inside:
        if row.unrounded is not None:
            day = day_of(row.start_us, asked.zone)
            levels.setdefault(row.indicator, {})[day] = row.unrounded
    if isinstance(formula, DayEveningNight):
        return noise.long_term_lden(asked, formula, levels)
    return noise.long_term(asked, levels.get(asked.contract.id, {}))


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
    )
