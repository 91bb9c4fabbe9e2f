"""Times and units: what an observation becomes once its codec has said what was sent. Pure.

Source: formats.md section 0.5 (clock not set, future) and design.md (units to canonical).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from city.clock import US_PER_S
from city.quantities import quantity_of
from city.reasons import Note, ObservationReason
from city.units import Conversion, conversion

if TYPE_CHECKING:
    from ingest.codecs.seam import Value
    from store.interface import Kind

__all__ = [
    "CLOCK_SET_US",
    "EXACT_MAX",
    "FUTURE_US",
    "SettledTime",
    "SettledUnit",
    "kind_of",
    "settle_time",
    "settle_unit",
]

# 2010-01-01: a clock that says less was never set.
CLOCK_SET_US: Final = 1_262_304_000_000_000
# How far ahead of the receive time a clock may be.
FUTURE_US: Final = 5 * 60 * US_PER_S
# 10 years: no clock that is only wrong.
ABSURD_US: Final = 10 * 366 * 86_400 * US_PER_S
# From here on a double no longer holds every integer.
EXACT_MAX: Final = 1 << 53


class SettledTime(msgspec.Struct, frozen=True):
    """The time of an observation.

    Attributes:
        believed: It is the one that was sent.
        note: Why it is not; None where none was sent.
    """

    time_us: int
    believed: bool = True
    note: Note | None = None


class SettledUnit(msgspec.Struct, frozen=True):
    """The unit of a series, and how a value as sent becomes one in it."""

    unit: str | None
    kind: Kind
    conversion: Conversion = Conversion()


def settle_time(
    sent_us: int | None, received_us: int, *, recorded: bool
) -> SettledTime | ObservationReason:
    """Return the time to store, or `time_future`."""
    if sent_us is None:
        return SettledTime(received_us, believed=False)
    if recorded or CLOCK_SET_US <= sent_us <= received_us + FUTURE_US:
        return SettledTime(sent_us)
    if sent_us > received_us + ABSURD_US:
        return ObservationReason.TIME_FUTURE
    note = Note.CLOCK_NOT_SET if sent_us < CLOCK_SET_US else Note.TIME_FUTURE
    return SettledTime(received_us, believed=False, note=note)


def kind_of(value: Value) -> Kind:
    """Return the kind of series that a value belongs to."""
    if isinstance(value, bool):
        return "bool"
    return "text" if isinstance(value, str) else "number"


@lru_cache(maxsize=16_384)
def settle_unit(
    quantity: str, kind: Kind, sent: str | None, *, known: SettledUnit | None, readable: bool
) -> SettledUnit | ObservationReason:
    """Return unit and conversion of a value.

    Args:
        quantity: Its name.
        kind: Of the value.
        sent: UCUM code; None where none was sent.
        known: Of the series, where it exists.
        readable: False where a unit was sent that nobody knows.

    Returns:
        The unit, or `type_mismatch`, or `unit_mismatch`.
    """
    canonical = known or quantity_of(quantity)
    if kind != (canonical.kind if canonical else kind):
        return ObservationReason.TYPE_MISMATCH
    if kind != "number":
        return SettledUnit(None, kind)
    unit = canonical.unit if canonical else sent
    if unit is None and sent is None:
        return SettledUnit(None, kind)
    change = conversion(sent or unit or "", unit or "") if readable else None
    return ObservationReason.UNIT_MISMATCH if change is None else SettledUnit(unit, kind, change)
