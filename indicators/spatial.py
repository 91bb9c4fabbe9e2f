"""Several devices as a place and several places as a district, by a contract's spatial rule.

Levels of noise are not combined: what a district publishes is a share of places above a level,
which is another indicator. Source: indicators.md section 15d.
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from indicators.contracts.model import Contract
from indicators.exact import half_up, settled
from indicators.formulas.ratio import of_sums
from indicators.rows import Mark, NullReason, Outcome, ResultRow

__all__ = ["of_district", "of_place"]

# Fewer valid places than this are marked where the rule admits them at all.
FEW_SITES: Final = 3
COMBINE: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "mean": statistics.fmean,
    "median": statistics.median,
}


def of_place(contract: Contract, rows: Sequence[ResultRow]) -> Outcome:
    """Combine the rows of one place's devices; one valid row stands for the place.

    Args:
        contract: Of the rows.
        rows: One a device, of the same window.
    """
    valid = _valid(rows)
    if not valid:
        return _none(rows, _shared(rows) or "incomplete")
    if len(valid) == 1 and contract.spatial.rule != "sum":
        return _taken(valid[0], valid, ())
    return _combined(contract, rows, valid, ())


def of_district(contract: Contract, rows: Sequence[ResultRow]) -> Outcome:
    """Combine the rows of places; with too few valid ones the value is null.

    Args:
        contract: Of the rows.
        rows: One a place, of the same window.
    """
    valid = _valid(rows)
    if len(valid) < contract.spatial.min_sites:
        return _none(rows, "min_sites")
    return _combined(contract, rows, valid, ("few_sites",) if len(valid) < FEW_SITES else ())


def _combined(
    contract: Contract,
    rows: Sequence[ResultRow],
    valid: Sequence[ResultRow],
    marks: tuple[Mark, ...],
) -> Outcome:
    rule = contract.spatial.rule
    if rule in COMBINE:
        found = _of_all(contract, COMBINE[rule](list(map(_unrounded, valid))), valid, marks)
    elif rule == "sum":
        found = _sum(contract, math.fsum(map(_unrounded, valid)), rows, marks)
    elif rule == "ratio_of_sums":
        found = _ratio(contract, valid, marks)
    elif rule == "worst":
        worst = min if contract.spatial.least else max
        found = _taken(worst(valid, key=_badness), valid, marks)
    else:
        found = _none(rows, "not_applicable")
    return found


def _ratio(contract: Contract, valid: Sequence[ResultRow], marks: tuple[Mark, ...]) -> Outcome:
    """Return the ratio of the sums, with the sums: they may be of a place, and of a district."""
    value, numerator, denominator = of_sums(contract, valid)
    found = _of_all(contract, value, valid, marks)
    return msgspec.structs.replace(found, numerator=numerator, denominator=denominator)


def _sum(
    contract: Contract, value: float, rows: Sequence[ResultRow], marks: tuple[Mark, ...]
) -> Outcome:
    """Return a sum: what has no number lacks in it, and in its completeness.

    Where there is nothing to count (a car park without bays), nothing lacks.
    """
    counted = [row for row in rows if row.reason != "not_applicable"]
    short = any(row.value is None for row in counted)
    return _of_all(contract, value, counted, (*(("at_least",) if short else ()), *marks))


def _of_all(
    contract: Contract, value: float, valid: Sequence[ResultRow], marks: tuple[Mark, ...]
) -> Outcome:
    """Return a number that several rows have a part in."""
    used = sum(row.n_used for row in valid)
    expected = sum(row.n_expected for row in valid)
    told: set[Mark] = {"retrospective", *marks}
    kept: set[Mark] = {mark for row in valid for mark in row.marks if mark not in told}
    return Outcome(
        value=float(half_up(settled(value), contract.rounding.digits)),
        unrounded=value,
        completeness=used / expected if expected else 0.0,
        n_used=used,
        n_expected=expected,
        marks=(*sorted(kept), *marks),
    )


def _valid(rows: Sequence[ResultRow]) -> list[ResultRow]:
    return [row for row in rows if row.value is not None]


def _shared(rows: Sequence[ResultRow]) -> NullReason | None:
    """Return why there is nothing, where it is the same everywhere and no lack of data."""
    return "not_applicable" if {row.reason for row in rows} == {"not_applicable"} else None


def _unrounded(row: ResultRow) -> float:
    assert row.value is not None, "only valid rows are combined"
    return row.value if row.unrounded is None else row.unrounded


def _badness(row: ResultRow) -> tuple[float, float]:
    assert row.value is not None, "only valid rows are compared"
    return row.value, row.unrounded or 0.0


def _taken(row: ResultRow, valid: Sequence[ResultRow], marks: tuple[Mark, ...]) -> Outcome:
    """Return one row's finding; a suspect in any of those compared may have decided it."""
    suspect = any("suspect_included" in each.marks for each in valid)
    kept: list[Mark] = [
        mark for mark in row.marks if mark not in ("suspect_included", "retrospective")
    ]
    if suspect:
        kept.insert(0, "suspect_included")
    return Outcome(
        value=row.value,
        unrounded=row.unrounded,
        band=row.band,
        main_input=row.main_input,
        completeness=row.completeness,
        n_used=row.n_used,
        n_expected=row.n_expected,
        marks=(*kept, *marks),
        numerator=row.numerator,
        denominator=row.denominator,
    )


def _none(rows: Sequence[ResultRow], reason: NullReason) -> Outcome:
    best = max(rows, key=lambda row: row.completeness, default=None)
    return Outcome(
        value=None,
        completeness=best.completeness if best else 0.0,
        n_used=best.n_used if best else 0,
        n_expected=best.n_expected if best else 0,
        reason=reason,
    )
