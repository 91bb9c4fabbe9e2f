"""Values of formats that send everything as text, brought to what they stand for.

Source: formats.md section 0.6. A pattern, not `float()`: that also reads `1_000` and digits
of other scripts.
"""

import re
from typing import Final

__all__ = ["cast_text"]

NUMBER: Final = re.compile(r"[+-]?[0-9]+((?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(%?)", re.ASCII)
NONFINITE: Final = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE | re.ASCII)
WORDS: Final = {"true": True, "false": False}
# Longer texts are refused anyway; no integer of a thousand digits is worth reading.
TEXT_MAX: Final = 1_024
PERCENT: Final = "%"


def cast_text(sent: object) -> tuple[object, str | None]:
    """Return what a value stands for, and the unit that is written behind it.

    Anything but text stays as it is. A number that is none stays one that is none (`nan`), so that
    it is refused as such.
    """
    if not isinstance(sent, str) or len(sent) > TEXT_MAX:
        return sent, None
    text = sent.strip(" ")
    number = NUMBER.fullmatch(text)
    if number is not None:
        digits = text.removesuffix(PERCENT)
        return float(digits) if number[1] else int(digits), number[2] or None
    if text in WORDS:
        return WORDS[text], None
    return (float("nan") if NONFINITE.fullmatch(text) else sent), None
