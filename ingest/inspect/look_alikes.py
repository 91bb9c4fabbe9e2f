"""Devices whose ids are different, and which people take for one. Pure.

Ids are compared as they were sent, without their escapes: by letters that look alike, and by the
letters alone where only their case differs. Nothing is made one: a person has to say.

Source: formats.md section 20, no. 35; Unicode Technical Standard 39, section 4 and confusables.txt,
of which the table has the letters that Latin shares with Greek and Cyrillic, digits and dashes.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ingest.inspect.findings import LookAlikes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingest.inspect.findings import FoundDevice

__all__ = ["look_alikes", "look_of"]

# What each looks like, and those that look so.
LIKE: Final = {
    "a": "\u0430\u0251\u03b1", "c": "\u0441\u03f2", "e": "\u0435", "h": "\u04bb",
    "i": "\u0456\u0131\u03b9", "j": "\u0458\u03f3", "k": "\u03ba", "o": "\u043e\u03bf\u0585",
    "p": "\u0440\u03c1", "q": "\u051b", "s": "\u0455", "u": "\u03c5", "v": "\u03bd\u0475",
    "w": "\u051d", "x": "\u0445\u03c7", "y": "\u0443\u03b3", "A": "\u0410\u0391",
    "B": "\u0412\u0392", "C": "\u0421\u03f9", "E": "\u0415\u0395", "H": "\u041d\u0397",
    "J": "\u0408", "K": "\u041a\u039a", "M": "\u041c\u039c", "N": "\u039d", "O": "0\u041e\u039f",
    "P": "\u0420\u03a1", "S": "\u0405", "T": "\u0422\u03a4", "X": "\u0425\u03a7",
    "Y": "\u04ae\u03a5", "Z": "\u0396", "l": "1I|\u0406\u0399\u04c0\u01c0",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2212", "\u00e4": "\u04d3", "\u00eb": "\u0451",
    "\u00ef": "\u0457", "\u00f6": "\u04e7", "": "\u00ad",
}  # fmt: skip
LOOKS: Final = str.maketrans({sent: look for look, each in LIKE.items() for sent in each})
ODD_SHOWN: Final = 3


def look_alikes(devices: Iterable[FoundDevice]) -> list[LookAlikes]:
    """Return the devices of a provider that look alike, those of each look together."""
    ids: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for each in devices:
        # Letters that look alike, and letters of another case, are not the same question.
        ids[each.provider, look_of(each.id)].add(each.id)
        ids[each.provider, f"\0{_text(each.id).casefold()}"].add(each.id)
    found = {
        (provider, tuple(sorted(alike))) for (provider, _), alike in ids.items() if len(alike) > 1
    }
    return [LookAlikes(provider, [*alike], _difference(alike)) for provider, alike in sorted(found)]


def look_of(device: str) -> str:
    """Return what a device's id looks like; equal for ids that people take for each other."""
    return _text(device).translate(LOOKS).replace("rn", "m")


def _text(device: str) -> str:
    return unicodedata.normalize("NFKC", unquote(device))


def _difference(alike: tuple[str, ...]) -> str:
    """Say in what ids differ, as far as the eye does not."""
    sent = [unquote(each) for each in alike]
    odd = sorted({each for text in sent for each in text if not each.isascii()})
    names = [f"{each!r} is {unicodedata.name(each, 'a letter without a name')}" for each in odd]
    if names:
        more = f" and {len(names) - ODD_SHOWN} more" if len(names) > ODD_SHOWN else ""
        return f"{', '.join(names[:ODD_SHOWN])}{more}"
    if len({each.casefold() for each in sent}) == 1:
        return "only the case of their letters differs"
    return "letters and digits that look alike: 0 and O; 1, I and l; rn and m"
