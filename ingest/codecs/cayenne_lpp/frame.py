"""One Cayenne LPP frame: positional, so any doubt refuses the whole of it.

Source: formats.md section 10.
"""

from typing import Final

import msgspec

from city.reasons import MessageReason
from ingest.codecs.cayenne_lpp.table import TYPES, UNIX_TIME, Kind
from ingest.codecs.measures import Measures
from ingest.codecs.profile import Profile
from ingest.codecs.seam import MessageError

__all__ = ["read_frame"]

HEADER: Final = 2
MICROS: Final = 1_000_000


class _Item(msgspec.Struct, frozen=True):
    """One channel's data.

    Attributes:
        kind: Number of its type.
        stretch: How many unix times stand before it, itself included.
    """

    channel: int
    kind: int
    numbers: list[int]
    stretch: int


def read_frame(payload: bytes, profile: Profile, measures: Measures) -> None:
    """Add everything that a frame says to the measurements of a message.

    Raises:
        MessageError: `lpp_truncated` or `lpp_unknown_type`.
    """
    items = _last_of_each(_items(payload, profile))
    times = [each.numbers[0] * MICROS for each in items if each.kind == UNIX_TIME]
    for each in items:
        if profile.lpp_time and each.kind == UNIX_TIME:
            continue
        # What stands before the first time belongs to it too: it is the time of the frame.
        time_us = times[max(0, each.stretch - 1)] if profile.lpp_time and times else None
        _measure(each, TYPES[each.kind], profile, measures, time_us)


def _measure(
    item: _Item, kind: Kind, profile: Profile, measures: Measures, time_us: int | None
) -> None:
    for at, (name, number) in enumerate(zip(kind.quantities, item.numbers, strict=True)):
        raw = f"{name}_{item.channel}"
        quantity = profile.quantity(raw)
        steps, unit = kind.steps[at % len(kind.steps)], kind.unit[at % len(kind.unit)]
        if unit is None and quantity is not None:
            unit = profile.unit(quantity)
        # A division by the steps is the double nearest to the decimal; a product is not.
        value = bool(number) if kind.boolean else number if steps == 1 else number / steps
        measures.add(raw, quantity, value, unit, time_us)


def _items(payload: bytes, profile: Profile) -> list[_Item]:
    items: list[_Item] = []
    at = stretch = 0
    while at < len(payload):
        if not any(payload[at:]):
            if profile.lpp_strip_zeros:
                break
            raise MessageError(MessageReason.LPP_TRUNCATED, f"only zeros from byte {at} on")
        kind = _kind_at(payload, at)
        end = at + HEADER + kind.size
        number = payload[at + 1]
        stretch += number == UNIX_TIME
        signed = kind.signed or (kind.maybe_signed and profile.lpp_signed_vi)
        numbers = [
            int.from_bytes(payload[start : start + kind.width], "big", signed=signed)
            for start in range(at + HEADER, end, kind.width)
        ]
        items.append(_Item(payload[at], number, numbers, stretch))
        at = end
    return items


def _kind_at(payload: bytes, at: int) -> Kind:
    if at + 1 == len(payload):
        raise MessageError(MessageReason.LPP_TRUNCATED, f"byte {at} is a channel without a type")
    kind = TYPES.get(payload[at + 1])
    if kind is None:
        words = f"byte {at + 1}: nobody knows how long type {payload[at + 1]} is"
        raise MessageError(MessageReason.LPP_UNKNOWN_TYPE, words)
    missing = at + HEADER + kind.size - len(payload)
    if missing > 0:
        words = f"byte {at + HEADER}: {missing} more bytes are needed for {kind.quantities[0]}"
        raise MessageError(MessageReason.LPP_TRUNCATED, words)
    return kind


def _last_of_each(items: list[_Item]) -> list[_Item]:
    """Keep the last of one channel and type, unless a unix time separates them."""
    last = {(each.stretch, each.kind, each.channel): each for each in items}
    return [each for each in items if last[each.stretch, each.kind, each.channel] is each]
