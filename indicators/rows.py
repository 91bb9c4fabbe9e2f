"""A published number as a row: its words, its state, and when it becomes a new revision.

Rows are append-only. Source: indicators.md sections 15c and 17.
"""

from typing import Final, Literal

import msgspec

from city.clock import US_PER_S

__all__ = [
    "Cause",
    "Mark",
    "NullReason",
    "Outcome",
    "Reason",
    "ResultRow",
    "State",
    "restated",
    "state_at",
]

State = Literal["open", "provisional", "final"]
NullReason = Literal["incomplete", "min_pollutants", "min_sites", "suppressed", "not_applicable"]
Cause = Literal[
    "late_data",
    "correction",
    "replay",
    "qc_change",
    "calibration",
    "device_metadata",
    "bug_fix",
    "erasure",
]
Reason = NullReason | Cause
Mark = Literal[
    "suspect_included",
    "estimated",
    "beyond_aqi",
    "at_least",
    "borderline",
    "few_sites",
    "allocated",
    "retrospective",
]

US_PER_HOUR: Final = 3_600 * US_PER_S


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a formula found for one window; members as in `ResultRow`."""

    value: float | None
    completeness: float
    n_used: int
    n_expected: int
    unrounded: float | None = None
    band: str | None = None
    main_input: str | None = None
    reason: NullReason | None = None
    marks: tuple[Mark, ...] = ()
    numerator: float | None = None
    denominator: float | None = None


class ResultRow(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of one published number. The API writes instants as texts, without `_us`.

    Attributes:
        area: `device:ID`, `place:ID`, `district:ID`, `provider:ID` or `city`.
        start_us: Start of the window, microseconds UTC; with the end half-open.
        tz: IANA zone of the window.
        value: Published value; None with a reason.
        unrounded: Before rounding; None for an index or a band.
        band: English name of the band.
        main_input: What the highest of several inputs was.
        completeness: 0 to 1, of the level that gates.
        n_used: Slots with usable observations, of `n_expected`.
        state: `open` rows are computed on request and never stored.
        revision: 0 while open, 1 for the first after the window's end.
        reason: Why the value is null; otherwise the cause of a revision above 1.
        cause: Cause of a revision above 1 also where the value is null; for `explain`.
        numerator, denominator: Of a ratio, so that ratios of several areas or days become one of
            their sums; None where the value is no ratio or null.
    """

    indicator: str
    version: str
    area: str
    start_us: int
    end_us: int
    tz: str
    value: float | None
    unrounded: float | None
    band: str | None
    main_input: str | None
    completeness: float
    n_used: int
    n_expected: int
    state: State
    revision: int
    reason: Reason | None
    computed_us: int
    marks: tuple[Mark, ...] = ()
    cause: Cause | None = None
    numerator: float | None = None
    denominator: float | None = None


def state_at(now_us: int, known_us: int, lateness_h: int) -> State:
    """Return how settled a window is.

    Args:
        now_us: The current instant.
        known_us: End of the last observation that the window can use; of a night that is the
            morning after its day.
        lateness_h: How long late data are waited for.
    """
    if now_us < known_us:
        return "open"
    return "provisional" if now_us < known_us + lateness_h * US_PER_HOUR else "final"


def restated(latest: ResultRow | None, fresh: ResultRow, cause: Cause) -> ResultRow | None:
    """Return the row to append, or None where there is none to append.

    Args:
        latest: The latest stored revision of the same indicator, version, area and window.
        fresh: What was computed now.
        cause: Why it was computed again.
    """
    if fresh.state == "open":
        return None
    if latest is None:
        return msgspec.structs.replace(fresh, revision=1)
    assert _key(latest) == _key(fresh), "a new definition or window is a new result"
    if (latest.value, latest.completeness) == (fresh.value, fresh.completeness):
        return None
    reason = cause if fresh.value is not None else fresh.reason
    return msgspec.structs.replace(fresh, revision=latest.revision + 1, reason=reason, cause=cause)


def _key(row: ResultRow) -> tuple[str, str, str, int, int]:
    return row.indicator, row.version, row.area, row.start_us, row.end_us
