"""Ratios that add up: of areas and of days they are a ratio of sums, never a mean of ratios.

9 of 10 and 10 of 100 are 17.27 %, not 50 %. Source: indicators.md section 15d.
"""

import math
from collections.abc import Sequence

import msgspec

from indicators.civil import day_of
from indicators.columns import Gate
from indicators.contracts.model import Contract
from indicators.formulas.asked import Asked
from indicators.formulas.days import days_gate
from indicators.formulas.means import incomplete
from indicators.formulas.outcomes import nothing, rounded
from indicators.rows import Mark, Outcome, ResultRow

__all__ = ["of_days", "of_sums", "published"]


def published(
    asked: Asked, numerator: float, denominator: float, found: Gate, marks: tuple[Mark, ...] = ()
) -> Outcome:
    """Return a ratio with what it is made of; without a denominator it is `not_applicable`.

    Args:
        asked: A unit of % makes it 100 times as much.
        numerator: In one unit with
        denominator: which is not below 0.
        found: What is known of the window.
        marks: On the value.
    """
    if not denominator:
        return nothing(found, "not_applicable")
    value = _factor(asked.contract) * numerator / denominator
    return msgspec.structs.replace(
        rounded(asked, value, found, marks), numerator=numerator, denominator=denominator
    )


def of_sums(contract: Contract, rows: Sequence[ResultRow]) -> tuple[float, float, float]:
    """Return the ratio of several rows' sums, the numerators' sum and the denominators' sum."""
    numerator, denominator = _sums(rows)
    return _factor(contract) * numerator / denominator, numerator, denominator


def of_days(asked: Asked, rows: Sequence[ResultRow]) -> Outcome:
    """Return the ratio of a month or a year: the sums of its days.

    Args:
        asked: A grain that is computed from days.
        rows: Of its days; one without anything to relate to is known, and adds nothing.
    """
    known = {
        day_of(row.start_us, asked.zone): row
        for row in rows
        if row.value is not None or row.reason == "not_applicable"
    }
    found = days_gate(asked, set(known))
    if not found.passed:
        return incomplete(found)
    valid = [row for row in known.values() if row.value is not None]
    numerator, denominator = _sums(valid)
    marks: list[Mark] = sorted(
        {mark for row in valid for mark in row.marks if mark != "retrospective"}
    )
    return published(asked, numerator, denominator, found, tuple(marks))


def _factor(contract: Contract) -> int:
    return 100 if contract.unit == "%" else 1


def _sums(rows: Sequence[ResultRow]) -> tuple[float, float]:
    pairs = [(row.numerator, row.denominator) for row in rows]
    kept = [(one, other) for one, other in pairs if one is not None and other is not None]
    assert len(kept) == len(pairs), "a ratio is published with what it is made of"
    return math.fsum(one for one, _ in kept), math.fsum(other for _, other in kept)
