"""Texts with `{column}` in them, and how a column of a row is found. Pure."""

import re
from collections.abc import Mapping
from fnmatch import translate
from functools import lru_cache
from typing import Final, cast

__all__ = ["Fields", "Template", "field_of", "fits", "text_of"]

Fields = Mapping[str, object]

PLACE: Final = re.compile(r"\{([^{}]+)\}")


class Template:
    """A text in which columns are filled in.

    Attributes:
        fields: The columns that it needs.
    """

    def __init__(self, text: str) -> None:
        parts = PLACE.split(text)
        self._literals = parts[::2]
        self.fields = parts[1::2]
        self._plain = self.fields[0] if text == f"{{{''.join(self.fields[:1])}}}" else None

    def fill(self, fields: Fields) -> str | None:
        """Return the text; None where a column of it is empty, missing or no text."""
        if self._plain is not None:
            return text_of(field_of(fields, self._plain))
        found = [text_of(field_of(fields, name)) for name in self.fields]
        if None in found:
            return None
        filled = [text for text in found if text is not None]
        joined = zip(self._literals, [*filled, ""], strict=True)
        return "".join([part for pair in joined for part in pair]) or None


def field_of(fields: Fields, name: str) -> object:
    """Return a column; `a.b` is member `b` of member `a` where no column has that very name."""
    found = fields.get(name)
    if found is not None or "." not in name or name in fields:
        return found
    at: object = fields.get(name.partition(".")[0])
    for part in name.split(".")[1:]:
        if not isinstance(at, dict):
            return None
        at = cast("dict[str, object]", at).get(part)
    return at


def text_of(found: object) -> str | None:
    """Return what stands in a column as text; None where it is empty or no scalar."""
    if isinstance(found, str):
        return found.strip() or None
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) if isinstance(found, int | float) else None


def fits(when: Mapping[str, str | list[str]], fields: Fields) -> bool:
    """Say whether every column has a text of its patterns, whatever the case."""
    for name, patterns in when.items():
        text = text_of(field_of(fields, name))
        wanted = [patterns] if isinstance(patterns, str) else patterns
        if text is None or not any(_pattern(each).match(text) for each in wanted):
            return False
    return True


@lru_cache(maxsize=1024)
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob), re.IGNORECASE)
