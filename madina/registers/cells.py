"""What a cell of a register may hold for each member of a device, and how it is written. Pure."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Final, cast

__all__ = ["MEMBERS", "NEEDED", "CellError", "written"]

# Between tags of one cell.
TAGS: Final = ";"
NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
SHOWN: Final = 60

Cell = object


class CellError(ValueError):
    """A cell that cannot be what its column is."""


def _single(cell: Cell) -> str:
    """Return the text of a cell that holds one thing; empty for nothing."""
    if cell is None:
        return ""
    if isinstance(cell, list | tuple | dict):
        raise CellError(f"{cast('object', cell)!s:.{SHOWN}} is more than one value")
    if isinstance(cell, bool):
        raise CellError(f"{cell} is no text")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _text(cell: Cell) -> object:
    return _single(cell)


def _text_or_none(cell: Cell) -> object:
    return _single(cell) or None


def _status(cell: Cell) -> object:
    return _single(cell) or "active"


def _number(cell: Cell) -> object:
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return cell
    text = _single(cell)
    if not text:
        return None
    if not NUMBER.fullmatch(text):
        hint = ": write it with a point" if "," in text else ""
        raise CellError(f"{text[:SHOWN]!r} is no number{hint}")
    return float(text)


def _whole(cell: Cell) -> object:
    number = _number(cell)
    if isinstance(number, float):
        if not number.is_integer():
            raise CellError(f"{number} is no whole number")
        return int(number)
    return number


def _day(cell: Cell) -> object:
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    text = _single(cell)
    if not text:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise CellError(f"{text[:SHOWN]!r} is no day: write it as 2026-03-04") from None


def _tags(cell: Cell) -> object:
    if isinstance(cell, list):
        return [_single(tag) for tag in cast("list[object]", cell)]
    return [tag.strip() for tag in _single(cell).split(TAGS) if tag.strip()]


# Every member, in the order of files that we write, and how its cells are read.
MEMBERS: Final[Mapping[str, Callable[[Cell], object]]] = {
    "provider": _text,
    "id": _text,
    "kind": _text,
    "name": _text,
    "status": _status,
    "expected_interval_s": _number,
    "lat": _number,
    "lon": _number,
    "district": _text_or_none,
    "place": _text_or_none,
    "address": _text,
    "timezone": _text_or_none,
    "site_class": _text_or_none,
    "population": _whole,
    "profile": _text_or_none,
    "installed_on": _day,
    "retired_on": _day,
    "tags": _tags,
}
NEEDED: Final = ("provider", "id")


def written(value: object) -> object:
    """Return the cell of a member's value, for files that hold one value a cell."""
    if isinstance(value, list):
        return TAGS.join(map(str, cast("list[object]", value)))
    return value
