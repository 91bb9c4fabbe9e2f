"""Device ids: any text that a sender calls a device becomes one that topics and URLs can carry.

Source: formats.md section 0.3. Ids that differ only by escaping stay different.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import quote

__all__ = ["device_id", "eui", "joined_id"]

MAX_ID: Final = 128
PLAIN: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
# Control characters and marks that nobody sees: two ids that look alike must be alike.
UNSEEN: Final = re.compile(
    "[\u0000-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
EUI: Final = re.compile(r"[0-9a-f]{16}")
SEPARATORS: Final = re.compile(r"[-:. ]")


@lru_cache(maxsize=65_536)
def device_id(text: str) -> str | None:
    """Return the id that a sender's text stands for; None where it cannot be one."""
    if PLAIN.fullmatch(text):
        return text
    return _checked(_escaped(text, safe=".:_-")) if _usable(text) else None


def joined_id(parts: Sequence[str]) -> str | None:
    """Return the id of a device that is named by several parts; None where one is no name."""
    if not parts or not all(map(_usable, parts)):
        return None
    return _checked(":".join(_escaped(part, safe="._-") for part in parts))


def eui(text: str) -> str | None:
    """Return a LoRaWAN EUI as 16 lower-case hexadecimal digits; None where it is none."""
    digits = SEPARATORS.sub("", text).lower()
    return digits if EUI.fullmatch(digits) else None


def _usable(text: str) -> bool:
    return bool(text) and UNSEEN.search(text) is None


def _escaped(text: str, safe: str) -> str:
    # quote() keeps `~` whatever it is told.
    return quote(unicodedata.normalize("NFC", text), safe=safe).replace("~", "%7E")


def _checked(escaped: str) -> str | None:
    return escaped if len(escaped) <= MAX_ID else None
