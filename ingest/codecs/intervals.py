"""Times that may be intervals, `a/b` in ISO 8601, and times of the wall clock.

Source: formats.md sections 0.2 (intervals) and 0.5 (no zone).
"""

from zoneinfo import ZoneInfo

import msgspec

from city.instants import InstantError, local_us, text_us
from city.reasons import MessageReason
from ingest.codecs.seam import MessageError

__all__ = ["Interval", "interval_of"]

SEPARATOR = "/"


class Interval(msgspec.Struct, frozen=True):
    """When something was measured.

    Attributes:
        end_us: None where it was an instant.
        ambiguous: The wall clock showed one of the times twice, or never.
    """

    start_us: int
    end_us: int | None = None
    ambiguous: bool = False


def interval_of(sent: object, where: str, *, timezone: str | None = None) -> Interval:
    """Read an instant or an interval.

    Args:
        sent: As it was sent.
        where: What holds it, for people.
        timezone: Zone of times without one; None: they have to have one.

    Raises:
        MessageError: `bad_time`.
    """
    if not isinstance(sent, str):
        words = f"`{where}` is {str(sent)[:64]!r}, no text of a time"
        raise MessageError(MessageReason.BAD_TIME, words)
    first, separator, second = sent.partition(SEPARATOR)
    try:
        start_us, doubtful = _instant(first, timezone)
        if not separator:
            return Interval(start_us, None, doubtful)
        end_us, doubtful_too = _instant(second, timezone)
    except InstantError as error:
        raise MessageError(MessageReason.BAD_TIME, f"`{where}`: {error}") from None
    if end_us <= start_us:
        words = f"`{where}`: the interval {sent[:64]!r} does not end after it begins"
        raise MessageError(MessageReason.BAD_TIME, words)
    return Interval(start_us, end_us, doubtful or doubtful_too)


def _instant(text: str, timezone: str | None) -> tuple[int, bool]:
    if timezone is None:
        return text_us(text), False
    try:
        return text_us(text), False
    except InstantError:
        return local_us(text, ZoneInfo(timezone))
