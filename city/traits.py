"""What a city knows of a device and indicators need: numbers, written as its tags.

A tag `register_modulus=100000` says where a register begins again at 0. Other tags are free words.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Final

__all__ = ["NUMBERS", "Traits", "number_of", "trait_fault", "traits_of"]

# Name to text, as the tags say it.
Traits = Mapping[str, str]

# Name to UCUM code of its number.
NUMBERS: Final[Mapping[str, str]] = {
    "register_modulus": "m3",
    "max_rate": "m3/h",
    "install_reading": "m3",
    "alert_level": "m",
    "warning_level": "m",
    "flood_level": "m",
}
# Levels above some datum may lie below it.
SIGNED: Final = frozenset({"alert_level", "warning_level", "flood_level"})


def traits_of(tags: Iterable[str]) -> dict[str, str]:
    """Return what tags say; those that are no trait, or a wrong one, are left out."""
    found: dict[str, str] = {}
    for tag in tags:
        name, separator, text = tag.partition("=")
        if separator and name in NUMBERS and trait_fault(tag) is None:
            found[name] = text
    return found


def trait_fault(tag: str) -> str | None:
    """Return what is wrong with a tag that is a trait by its name; None: nothing."""
    name, separator, text = tag.partition("=")
    if not separator:
        return None
    if name in NUMBERS and not _is_number(name, text):
        least = "" if name in SIGNED else " of 0 or more"
        return f"{tag!r}: {name} is a number ({NUMBERS[name]}){least}"
    return None


def number_of(traits: Traits, name: str) -> float | None:
    """Return the number of a trait; None where nobody said it."""
    text = traits.get(name)
    return None if text is None else float(text)


def _is_number(name: str, text: str) -> bool:
    try:
        number = float(text)
    except ValueError:
        return False
    return math.isfinite(number) and (number >= 0 or name in SIGNED)
