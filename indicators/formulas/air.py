"""Air: the US AQI of a civil day and EPA's NowCast of an hour, exact to the last decimal.

Source: indicators.md sections 1 and 2 (40 CFR 58 Appendix G; EPA PM NowCast).
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

from city.clock import US_PER_S
from indicators.civil import elapsed_hours_back, parts
from indicators.columns import Gate, Observations, expected_parts, gate_of
from indicators.contracts.model import Contract
from indicators.contracts.shapes import HighestIndex, MeanIndex, NowCast
from indicators.exact import mean_of, truncated
from indicators.formulas.asked import Asked
from indicators.formulas.bands import index_of
from indicators.formulas.means import incomplete, means_of, suspect_marks
from indicators.rows import Mark, Outcome, ResultRow

__all__ = ["highest_index", "mean_index", "nowcast"]

US_PER_HOUR: Final = 3_600 * US_PER_S


def mean_index(asked: Asked, _: MeanIndex, seen: Observations) -> Outcome:
    """Return the index of the mean of a day's valid hour means.

    A series whose interval is longer than an hour enters at the day: it has no hours.

    Args:
        asked: A civil day.
        seen: Usable observations, ug/m3.
    """
    hours = list(parts(asked.window, US_PER_HOUR, asked.zone))
    whole_day = seen.interval_us > US_PER_HOUR
    shares = [asked.window] if whole_day else hours
    level = "day" if whole_day else "hour"
    means = means_of(seen, shares, asked.share(level))
    known = [each for each in means if each is not None]
    found = gate_of(len(known), expected_parts(seen, shares), asked.share("day"))
    if not found.passed:
        return incomplete(found)
    used = [part for part, each in zip(shares, means, strict=True) if each is not None]
    return _indexed(
        asked.contract, max(mean_of(known), Fraction()), found, suspect_marks(seen, used)
    )


def nowcast(asked: Asked, formula: NowCast, seen: Observations) -> Outcome:
    """Return the NowCast of an hour: the hours before it count less the more they differ.

    Args:
        asked: The most recent hour.
        formula: Of its contract.
        seen: Usable observations of this hour and those looked back on, ug/m3.
    """
    hours = elapsed_hours_back(asked.window, formula.hours)
    means = means_of(seen, hours, asked.share("hour"))
    known = sum(each is not None for each in means)
    recent = sum(each is not None for each in means[: formula.recent])
    found = Gate(known, formula.hours, known / formula.hours, recent >= formula.recent_needed)
    if not found.passed:
        return incomplete(found)
    weighed = _weighed(means, Fraction(formula.least_weight))
    used = [hour for hour, each in zip(hours, means, strict=True) if each is not None]
    marks = suspect_marks(seen, used)
    if formula.publish == "index":
        return _indexed(asked.contract, weighed, found, marks)
    return Outcome(
        value=float(truncated(weighed, asked.contract.rounding.digits)),
        unrounded=float(weighed),
        completeness=found.completeness,
        n_used=found.used,
        n_expected=found.expected,
        marks=marks,
    )


def highest_index(formula: HighestIndex, rows: Mapping[str, ResultRow]) -> Outcome:
    """Return the highest of other indicators of the same window.

    Args:
        formula: Its components in the order in which they win a tie.
        rows: The components' rows by id; those not measured are left out.
    """
    present = [rows[name] for name in formula.components if name in rows]
    valued = [row for row in present if row.value is not None]
    if not valued:
        best = max(present, key=lambda row: row.completeness, default=None)
        if best is None:
            return incomplete(Gate(0, 0, 0.0, passed=False))
        return incomplete(Gate(best.n_used, best.n_expected, best.completeness, passed=False))
    main = max(valued, key=lambda row: row.value or 0.0)
    names = {row.indicator for row in valued}
    if not all(names.intersection(group) for group in formula.needed):
        return Outcome(
            value=None,
            completeness=main.completeness,
            n_used=main.n_used,
            n_expected=main.n_expected,
            reason="min_pollutants",
        )
    marks: list[Mark] = []
    if any("suspect_included" in row.marks for row in valued):
        marks.append("suspect_included")
    if "beyond_aqi" in main.marks:
        marks.append("beyond_aqi")
    if "few_sites" in main.marks:
        marks.append("few_sites")
    return Outcome(
        value=main.value,
        band=main.band,
        main_input=main.indicator.removeprefix(formula.stem),
        completeness=main.completeness,
        n_used=main.n_used,
        n_expected=main.n_expected,
        marks=tuple(marks),
    )


def _weighed(means: Sequence[Fraction | None], least: Fraction) -> Fraction:
    # Negative hours are instrument noise: 0 keeps the weight between 0 and 1.
    raised = [None if each is None else max(each, Fraction()) for each in means]
    present = [each for each in raised if each is not None]
    highest = max(present)
    if not highest:
        return highest
    weight = max(min(present) / highest, least)
    aged = [(weight**age, each) for age, each in enumerate(raised) if each is not None]
    return sum((w * each for w, each in aged), Fraction()) / sum(w for w, _ in aged)


def _indexed(
    contract: Contract, average: Fraction, found: Gate, marks: tuple[Mark, ...]
) -> Outcome:
    digits = contract.rounding.truncate_input
    assert digits is not None, "a contract is checked before it is computed"
    scaled = index_of(contract, truncated(average, digits))
    return Outcome(
        value=scaled.index,
        band=scaled.band,
        completeness=found.completeness,
        n_used=found.used,
        n_expected=found.expected,
        reason="not_applicable" if scaled.index is None else None,
        marks=(*marks, *scaled.marks),
    )
