"""When a Tasmota message was made: local time, an epoch, or a clock that nobody has set.

Source: formats.md section 11 (`Time`, `Epoch`, `SetOption52`, `Time 3` and `Time 4`).
"""

import re
from typing import Any, Final
from zoneinfo import ZoneInfo

from city.instants import InstantError, epoch_us, local_us, text_us
from city.reasons import MessageReason, Note
from ingest.codecs.members import number_of
from ingest.codecs.seam import MessageError

__all__ = ["time_of_message"]

# Firmware before 6 wrote `2018.02.04 23:17:01`.
OLD: Final = re.compile(r"(\d{4})\.(\d\d)\.(\d\d) (\d\d:\d\d:\d\d)", re.ASCII)
NOT_SET: Final = "1970-01-0"
ZONE: Final = re.compile(r"(?:[Zz]|[+-]\d\d:?\d\d)$", re.ASCII)


def time_of_message(sent: dict[str, Any], timezone: str) -> tuple[int | None, list[Note]]:
    """Return the time of a message, and what to note of it.

    Args:
        sent: The object that has `Time`.
        timezone: IANA zone of a time without an offset.

    Raises:
        MessageError: `bad_time`.
    """
    try:
        for name in ("Epoch", "Time"):
            number = number_of(sent.get(name))
            if number is not None:
                return epoch_us(number), []
        text = sent.get("Time")
        return (None, []) if text is None or text == "" else _of_text(text, timezone)
    except InstantError as error:
        raise MessageError(MessageReason.BAD_TIME, f"`Time`: {error}") from None


def _of_text(text: object, timezone: str) -> tuple[int | None, list[Note]]:
    if not isinstance(text, str):
        raise InstantError(f"{str(text)[:64]!r} is no time")
    text = OLD.sub(r"\1-\2-\3T\4", text)
    if ZONE.search(text):
        return text_us(text), []
    if text.startswith(NOT_SET):
        # Before it has heard of the time; east of Greenwich that would be before 1970.
        return text_us(f"{text}Z"), []
    time_us, ambiguous = local_us(text, ZoneInfo(timezone))
    return time_us, [Note.TIME_AMBIGUOUS] if ambiguous else []
