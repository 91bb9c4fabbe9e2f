"""Names and values as line protocol and InfluxQL write them.

Source: InfluxDB 1.x and 2.x documentation, "Line protocol": special characters. A backslash in a
tag cannot be escaped there, and a line ends at a newline whatever is in front of it, so these go
as `~5C` and `~0A`; `~` itself as `~7E`. No device id holds a `~` (`city.identity`).
"""

import re
from typing import Final

__all__ = ["identifier", "literal", "tag", "tag_text", "tag_value", "text"]

UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f\\~]")
CODED: Final = re.compile(r"~([0-9A-F]{2})")
SPECIAL: Final = re.compile(r"([,= ])")


def tag(value: str) -> str:
    """Write a tag's value; an empty one cannot be written: leave the tag out."""
    return SPECIAL.sub(r"\\\1", tag_value(value))


def tag_value(value: str) -> str:
    """Return a tag's value as the server keeps it, for conditions in InfluxQL."""
    if UNSAFE.search(value):
        return UNSAFE.sub(lambda found: f"~{ord(found[0]):02X}", value)
    return value


def tag_text(written: str) -> str:
    """Return the value that a tag was written for."""
    return CODED.sub(lambda found: chr(int(found[1], 16)), written) if "~" in written else written


def text(value: str) -> str:
    """Write a string field, its quotes included."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def identifier(name: str) -> str:
    """Write a name in InfluxQL."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def literal(value: str) -> str:
    """Write a string in InfluxQL."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
