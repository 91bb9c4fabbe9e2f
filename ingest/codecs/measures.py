"""Measurements on their way from a message to observations, with the rules every format shares.

Source: formats.md sections 0.2 (absent values, positions), 0.6 (values), 0.7 (how many) and 20
(places that cannot be).
"""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from city.flags import Flag
from city.reasons import MessageReason, ObservationReason
from ingest.codecs.seam import CodedObservation, Decoded, MessageError, Rejection, Value

__all__ = ["OBSERVATIONS_MAX", "Measure", "Measures", "join", "position_of"]

OBSERVATIONS_MAX: Final = 1_000
TEXT_MAX: Final = 1_024
# As integers are stored: signed, or the counters of 64 bits.
INTEGER_MIN, INTEGER_MAX = -(1 << 63), (1 << 64) - 1
PLACE: Final = re.compile(r"(latitude|longitude|altitude)((?:_\d+)?)")
DEGREES_MAX: Final = {"latitude": 90, "longitude": 180}


class Measure(msgspec.Struct, frozen=True):
    """One value and what it measures.

    Attributes:
        unit: UCUM code; None where none is known.
        time_us: Its own time; None: that of the message.
        end_us: End of the interval that starts at its time.
        metadata: Its own, beside that of the message.
        flag: Its own; None: that of the message.
    """

    quantity: str
    value: Value
    unit: str | None = None
    time_us: int | None = None
    end_us: int | None = None
    metadata: dict[str, Any] | None = None
    flag: Flag | None = None


class Measures:
    """Collects what a message measures; a bad value is rejected alone."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.found: list[Measure] = []
        self.rejected: list[Rejection] = []
        self.ignored = 0

    def add(
        self,
        raw: str,
        quantity: str | None,
        value: object,
        unit: str | None = None,
        time_us: int | None = None,
    ) -> None:
        """Take one value; nothing and empty text are no measurement.

        Args:
            raw: Name as sent, for people.
            quantity: What it stands for; None where it cannot be a name.
            value: As sent.
            unit: UCUM code of a number.
            time_us: Its own time.
        """
        self.take(raw, quantity, value, Measure("", 0, unit, time_us))

    def take(self, raw: str, quantity: str | None, value: object, known: Measure) -> None:
        """Take one value of which more than its unit and time is known.

        Args:
            raw: Name as sent, for people.
            quantity: What it stands for; None where it cannot be a name.
            value: As sent.
            known: Everything but quantity and value.
        """
        if value is None or value == "":
            return
        reason = _fault(value)
        if quantity is None:
            self.reject(raw, ObservationReason.BAD_QUANTITY, "this gives no name of a quantity")
        elif reason is not None:
            self.reject(raw, reason, f"{quantity} = {str(value)[:64]!r}")
        elif isinstance(value, int | float | str):
            unit = None if isinstance(value, bool | str) else known.unit
            self.found.append(
                Measure(
                    quantity, value, unit, known.time_us, known.end_us, known.metadata, known.flag
                )
            )

    def reject(self, raw: str, reason: ObservationReason, words: str) -> None:
        """Note a measurement that cannot be an observation."""
        self.rejected.append(Rejection(raw[:TEXT_MAX], reason, f"{raw[:64]!r}: {words}"))

    def decoded(
        self,
        device: str,
        *,
        time_us: int | None,
        metadata: dict[str, Any],
        message_id: str | None = None,
        near_ids: tuple[str, ...] = (),
        flag: Flag = Flag.NOT_EVALUATED,
    ) -> Decoded:
        """Return the message; a position that the device measured wins over any other.

        Raises:
            MessageError: `too_many`.
        """
        self._check_places()
        _check_number(len(self.found), OBSERVATIONS_MAX)
        position = position_of(self.found)
        if position:
            metadata = {**metadata, "position": position}
        observations = [
            CodedObservation(
                device, each.quantity, each.value, each.unit,
                time_us if each.time_us is None else each.time_us, each.end_us,
                flag if each.flag is None else each.flag,
                {**metadata, **each.metadata} if each.metadata else metadata,
            )
            for each in self.found
        ]  # fmt: skip
        return Decoded(observations, self.rejected, message_id, device, self.ignored, near_ids)

    def _check_places(self) -> None:
        """Drop receivers without a fix, reject places that are not on earth."""
        if not any(PLACE.fullmatch(each.quantity) for each in self.found):
            return
        lost = _without_fix(self.found)
        kept: list[Measure] = []
        for each in self.found:
            kind, channel = _place(each.quantity)
            if kind and channel in lost:
                continue
            if kind in DEGREES_MAX and _beyond(each.value, DEGREES_MAX[kind]):
                words = f"{each.value} degrees are more than {DEGREES_MAX[kind]}"
                self.reject(each.quantity, ObservationReason.OUT_OF_RANGE, words)
            else:
                kept.append(each)
        self.found = kept


def join(parts: Sequence[Decoded], *, most: int = OBSERVATIONS_MAX) -> Decoded:
    """Return one message of parts that have devices, times or metadata of their own.

    Args:
        parts: In the order in which they were sent.
        most: How many observations a message may have.

    Raises:
        MessageError: `too_many`.
    """
    observations = [each for part in parts for each in part.observations]
    _check_number(len(observations), most)
    rejected = [each for part in parts for each in part.rejected]
    device = parts[0].device if parts else ""
    return Decoded(observations, rejected, None, device, sum(part.ignored for part in parts))


def position_of(measures: Iterable[Measure]) -> dict[str, float]:
    """Return the first place that is measured as a whole: `lat`, `lon`, `alt` if known; or none."""
    for place in _places(measures).values():
        if {"latitude", "longitude"} <= place.keys():
            names = (("lat", "latitude"), ("lon", "longitude"), ("alt", "altitude"))
            return {short: place[name] for short, name in names if name in place}
    return {}


def _check_number(number: int, most: int) -> None:
    if number > most:
        words = f"{number} observations, at most {most} in a message"
        raise MessageError(MessageReason.TOO_MANY, words)


def _without_fix(measures: Iterable[Measure]) -> set[str]:
    """Return the channels of receivers that say 0, 0 and no altitude or 0."""
    return {
        channel
        for channel, place in _places(measures).items()
        if {"latitude", "longitude"} <= place.keys() and not any(place.values())
    }


def _places(measures: Iterable[Measure]) -> dict[str, dict[str, float]]:
    places: dict[str, dict[str, float]] = {}
    for each in measures:
        kind, channel = _place(each.quantity)
        if kind and isinstance(each.value, int | float) and not isinstance(each.value, bool):
            places.setdefault(channel, {})[kind] = each.value
    return places


def _place(quantity: str) -> tuple[str, str]:
    match = PLACE.fullmatch(quantity)
    return (match[1], match[2]) if match else ("", "")


def _beyond(value: Value, limit: int) -> bool:
    return isinstance(value, int | float) and abs(value) > limit


def _fault(value: object) -> ObservationReason | None:
    if isinstance(value, str):
        return ObservationReason.TEXT_TOO_LONG if len(value) > TEXT_MAX else None
    if isinstance(value, float):
        return None if math.isfinite(value) else ObservationReason.NONFINITE
    if isinstance(value, int):
        return None if INTEGER_MIN <= value <= INTEGER_MAX else ObservationReason.INTEGER_RANGE
    return ObservationReason.NESTED_ARRAY
