"""Formulas in a sentence each, for people who read a definition."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from indicators.contracts.model import Contract
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

__all__ = ["formula_words"]

Words = Callable[[Contract, Any], str]


def formula_words(contract: Contract) -> str:
    """Return a formula in a sentence."""
    return _words(contract)(contract, contract.formula)


def _words(contract: Contract) -> Words:
    return WORDS[type(contract.formula)]


def _mean_index(contract: Contract, _: MeanIndex) -> str:
    return (
        f"mean of the day's valid hour means, cut to {contract.rounding.truncate_input} decimals,"
        " then linear between the breakpoints of its band, rounded half up"
    )


def _mean_value(_: Contract, __: MeanValue) -> str:
    return "mean of the valid hour means; below 0 it is published as 0"


def _mean_band(_: Contract, __: MeanBand) -> str:
    return "the number of the band that holds the mean of the hour, not rounded before"


def _highest_index(_: Contract, formula: HighestIndex) -> str:
    words = f"the highest of {', '.join(formula.components)} that are known"
    return words + "".join(f"; needs {' or '.join(group)}" for group in formula.needed)


def _exceeded_count(_: Contract, formula: ExceededCount) -> str:
    what = f"{formula.grain} values of {formula.component}"
    if formula.running_h:
        what = f"days' greatest {formula.running_h}-hour running means of {what}"
    return f"count of {what} that, rounded to {formula.digits} decimals, are > {formula.level}"


def _nowcast(_: Contract, formula: NowCast) -> str:
    return (
        f"sum of w^(i-1) c_i over the last {formula.hours} clock hours / sum of w^(i-1),"
        " w = lowest / highest hour mean, at least 0.5"
        + ("; then the index of it" if formula.publish == "index" else "")
    )


def _energy_mean(_: Contract, formula: EnergyMean) -> str:
    part = formula.period
    if part is None:
        return "10 log10 of the mean of 10^(L/10), weighed by duration"
    return (
        "10 log10 of the mean of 10^(L/10)"
        f" from {part.starts:%H:%M} to {part.ends:%H:%M} by the wall clock"
    )


def _day_evening_night(_: Contract, __: DayEveningNight) -> str:
    return (
        "10 log10 of (12 x 10^(Lday/10) + 4 x 10^((Levening+5)/10) + 8 x 10^((Lnight+10)/10)) / 24"
    )


def _exceeded_level(_: Contract, formula: ExceededLevel) -> str:
    return f"the level exceeded {formula.percent} % of the time, linear between the ordered levels"


def _counted(_: Contract, formula: Counted) -> str:
    if formula.publish == "per_hour":
        return "what was counted, by the hours of the time that is known"
    return (
        f"what was counted; below {formula.whole:.0%} of the time scaled to the whole of it"
        " and marked estimated"
    )


def _heat_index(_: Contract, formula: HeatIndex) -> str:
    humid = ""
    if formula.moisture == "dew_point":
        humid = "; relative humidity is e(dew point) / e(temperature), e = exp(17.27 T/(237.7 + T))"
    return (
        "the regression of the US National Weather Service with its two adjustments (below 80 F its"
        " simple mean) of each sample in degrees Fahrenheit, back in Celsius; of an hour the mean,"
        f" of a day the greatest valid hour{humid}"
    )


def _extreme_day(_: Contract, formula: ExtremeDay) -> str:
    which = "greatest" if formula.extreme == "max" else "least"
    part = formula.needed
    run = f", in a run of {formula.run} such days or more" if formula.run > 1 else ""
    return (
        f"1 where the day's {which} valid hour mean is > {formula.above}{run}, else 0; one hour"
        f" from {part.starts:%H:%M} to {part.ends:%H:%M} has to be valid; of a year their sum"
    )


def _register_use(contract: Contract, formula: RegisterUse) -> str:
    return (
        "sum of the differences between readings: a register that begins again counts up to its"
        f" modulus, what is faster than {formula.max_rate:g} {contract.unit}/h (or the device's"
        " max_rate) or set back counts nothing; split in proportion to time at the window's edges"
        f" up to {formula.edge_intervals:g} intervals"
    )


def _stage(_: Contract, __: Stage) -> str:
    return "the newest level, until its slot is over"


def _stage_band(_: Contract, formula: StageBand) -> str:
    return (
        "the number of the band by the gauge's alert_level, warning_level and flood_level: up at"
        f" once, down after {formula.wait_min} minutes {formula.margin_m} m below"
    )


def _rate_of_rise(_: Contract, formula: RateOfRise) -> str:
    return (
        f"median slope between every two levels of the last {formula.minutes} minutes, at least"
        f" {formula.points}; of the last {formula.points} where the interval is above"
        f" {formula.dense_min} minutes"
    )


def _time_to_threshold(_: Contract, formula: TimeToThreshold) -> str:
    return (
        "(next threshold above the level - level) / rate of rise, where that is above"
        f" {formula.above} m/h; at most {formula.cap_h} h; 0 above all thresholds"
    )


def _space_mean_speed(_: Contract, __: SpaceMeanSpeed) -> str:
    return (
        "sum of N / sum of N/v over the intervals in which vehicles moved: the harmonic mean of"
        " speeds; not applicable where nobody drove"
    )


def _time_mean(_: Contract, __: TimeMean) -> str:
    return "mean of the shares of time, each weighed by how long it was measured"


def _fill_level(_: Contract, formula: FillLevel) -> str:
    return f"mean of the levels, each the median of the last {formula.smoothed}, within 0 to 100"


def _fill_rate(_: Contract, formula: FillRate) -> str:
    emptied = formula.collection
    return (
        "median slope between every two readings since the last collection (of the last"
        f" {formula.before_days} days), at least {formula.points} over {formula.hours} h; a"
        f" collection is a drop by {emptied.drop} or more to {emptied.to} % or less within"
        f" {emptied.within_h} h"
    )


def _days_to_full(_: Contract, formula: DaysToFull) -> str:
    return (
        f"(100 - newest level) / fill rate, where that is above {formula.above} %/d; at most"
        f" {formula.cap_d} d"
    )


def _held_share(_: Contract, formula: HeldShare) -> str:
    what = "occupied bay-seconds / bay-seconds"
    if formula.above is not None:
        what = f"time with an occupancy of {100 * formula.above:g} % or more / time"
    return f"100 x {what}; {_held(formula.hold_intervals)}"


def _held_level(_: Contract, formula: HeldLevel) -> str:
    return f"bays that are free at the end, at least 0; {_held(formula.hold_intervals)}"


def _held(intervals: int) -> str:
    return (
        "occupied = total - free, held between 0 and the total; what was reported holds until the"
        f" next report, at most {intervals} intervals"
    )


WORDS: Final[Mapping[type, Words]] = {
    MeanIndex: _mean_index,
    MeanValue: _mean_value,
    MeanBand: _mean_band,
    HighestIndex: _highest_index,
    ExceededCount: _exceeded_count,
    NowCast: _nowcast,
    EnergyMean: _energy_mean,
    DayEveningNight: _day_evening_night,
    Counted: _counted,
    ExceededLevel: _exceeded_level,
    HeatIndex: _heat_index,
    ExtremeDay: _extreme_day,
    SpaceMeanSpeed: _space_mean_speed,
    TimeMean: _time_mean,
    RegisterUse: _register_use,
    Stage: _stage,
    StageBand: _stage_band,
    RateOfRise: _rate_of_rise,
    TimeToThreshold: _time_to_threshold,
    FillLevel: _fill_level,
    FillRate: _fill_rate,
    DaysToFull: _days_to_full,
    HeldShare: _held_share,
    HeldLevel: _held_level,
}
