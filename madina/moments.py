"""Moments as people write them on a command line: an instant, or how long ago."""

import re
from typing import Final

from city.clock import US_PER_S, Clock
from city.instants import InstantError, text_us, to_text
from madina.errors import CommandError

__all__ = ["MOMENT_HELP", "moment"]

MOMENT_HELP: Final = "2026-03-04T05:06:07Z, or how long ago: 90s, 15m, 24h, 7d."
AGO: Final = re.compile(r"(\d{1,9})([smhd])")
UNIT_S: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def moment(text: str | None, clock: Clock) -> str | None:
    """Return a moment as the API takes it; None where none was given.

    Raises:
        CommandError: If it is neither an instant with a zone nor a length of time.
    """
    if text is None:
        return None
    if ago := AGO.fullmatch(text):
        now_us = clock.now_us()
        return to_text(max(now_us - int(ago[1]) * UNIT_S[ago[2]] * US_PER_S, 0))
    try:
        return to_text(text_us(text, space=True))
    except InstantError as error:
        raise CommandError(f"{error}: write {MOMENT_HELP}") from error
