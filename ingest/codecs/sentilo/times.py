"""Times as Sentilo writes them: `dd/MM/yyyyTHH:mm:ss`, day first, with or without a zone.

Source: sentilo/sentilo, API documentation and DateUtils: UTC without a zone, no lenient parsing.
"""

import re
from typing import Final

from city.instants import InstantError, text_us

__all__ = ["sentilo_us"]

TEXT: Final = re.compile(
    r"(\d\d)/(\d\d)/(\d{4})T(\d\d:\d\d:\d\d)(?:([A-Za-z]+)|([+-]\d\d:?\d\d))?", re.ASCII
)
# A name is an offset, whatever the season: CET in July is one hour, not two.
ZONES: Final = {
    "Z": "Z", "UTC": "Z", "GMT": "Z", "UT": "Z", "WET": "Z", "WEST": "+01:00", "CET": "+01:00",
    "CEST": "+02:00", "EET": "+02:00", "EEST": "+03:00",
}  # fmt: skip


def sentilo_us(text: str) -> int:
    """Return the instant that a text stands for, in microseconds since 1970.

    Raises:
        InstantError: If it stands for none.
    """
    match = TEXT.fullmatch(text)
    if match is None:
        raise InstantError(f"{text[:64]!r} is not written dd/MM/yyyyTHH:mm:ss")
    day, month, year, clock, name, offset = match.groups()
    zone = offset or ZONES.get(name or "UTC")
    if zone is None:
        raise InstantError(f"{text[:64]!r} has a zone that is not known")
    return text_us(f"{year}-{month}-{day}T{clock}{zone}")
