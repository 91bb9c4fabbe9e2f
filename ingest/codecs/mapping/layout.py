"""Layouts of positional frames: which one fits, whether it is whole, what it says.

Source: formats.md section 16. Checked in the order `when`, `length`, `checksum`.
"""

from typing import Annotated, Any, Final

import msgspec

from city.reasons import MessageReason
from ingest.codecs.mapping.clock import ByteTime, Time
from ingest.codecs.mapping.fields import (
    ByteField,
    ByteOrder,
    Checksum,
    FieldError,
    Selector,
    read_field,
)
from ingest.codecs.mapping.values import ByteValue
from ingest.codecs.measures import Measures
from ingest.codecs.seam import MessageError

__all__ = ["Layout", "Length", "read_layout"]

VALUES_MAX: Final = 200
METADATA_MAX: Final = 32
LAYOUTS_MAX: Final = 64


class Length(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many bytes a frame has."""

    min: int = 0
    max: int | None = None


class Layout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one kind of frame is laid out.

    Attributes:
        when: The frames it is for; None for all.
        layouts: More of them, tried in this order where this one does not fit.
    """

    byte_order: ByteOrder = "big"
    when: Selector | None = None
    length: Length | None = None
    checksum: Checksum | None = None
    time: ByteTime | None = None
    values: Annotated[list[ByteValue], msgspec.Meta(max_length=VALUES_MAX)] = []
    metadata: Annotated[dict[str, ByteField], msgspec.Meta(max_length=METADATA_MAX)] = {}
    layouts: Annotated[list["Layout"], msgspec.Meta(max_length=LAYOUTS_MAX)] = []

    def __post_init__(self) -> None:
        """Refuse a layout that says nothing."""
        if not self.values and not self.layouts:
            raise ValueError("a layout has `values`, or `layouts` that have some")
        if any(each.layouts for each in self.layouts):
            raise ValueError("`layouts` are one list: none of them has `layouts` of its own")


def read_layout(
    layout: Layout, frame: bytes, measures: Measures, time: Time | None = None
) -> tuple[Time, dict[str, Any]]:
    """Add what a frame says to the measurements of a message.

    Args:
        layout: The first that fits, of itself and its `layouts`.
        frame: All bytes.
        measures: Where to add values.
        time: Of the message around the frame; None: the frame's own, if it has one.

    Returns:
        The time of the values, and metadata.

    Raises:
        MessageError: `mapping_no_layout`, `mapping_length`, `checksum` or `bad_time`.
    """
    found = _fitting(layout, frame)
    _check_length(found, frame)
    if found.checksum is not None:
        found.checksum.check(frame, found.byte_order)
    if found.time is not None:
        time = found.time.read(frame, found.byte_order)
    time = time or Time()
    for value in found.values:
        value.take(frame, found.byte_order, measures, time)
    return time, _metadata(found, frame)


def _fitting(layout: Layout, frame: bytes) -> Layout:
    for each in (layout, *layout.layouts):
        if each.values and (each.when is None or each.when.fits(frame, each.byte_order)):
            return each
    words = f"no layout is for a frame of {len(frame)} bytes that begins {frame[:8].hex(' ')!r}"
    raise MessageError(MessageReason.MAPPING_NO_LAYOUT, words)


def _check_length(layout: Layout, frame: bytes) -> None:
    length = layout.length or Length()
    if len(frame) < length.min or (length.max is not None and len(frame) > length.max):
        words = f"{len(frame)} bytes, the layout has {length.min} to {length.max or 'any number'}"
        raise MessageError(MessageReason.MAPPING_LENGTH, words)


def _metadata(layout: Layout, frame: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, field in layout.metadata.items():
        try:
            found[name] = read_field(frame, layout.byte_order, field)
        except FieldError:
            # Metadata only adds to a message: the values do not depend on it.
            continue
    return found
