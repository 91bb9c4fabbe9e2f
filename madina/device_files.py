"""Devices as CSV files: what a city has them in, and gets them back in."""

import csv
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, TextIO, cast

from madina.api import Document
from madina.errors import CommandError

__all__ = ["COLUMNS", "read_devices", "write_devices"]

# Between tags of one cell.
TAGS: Final = ";"
STATUSES: Final = ("active", "pending", "retired")


def _text(cell: str) -> str:
    return cell


def _status(cell: str) -> str:
    if cell not in STATUSES:
        raise ValueError(f"{cell!r} is none of {', '.join(STATUSES)}")
    return cell


def _tags(cell: str) -> list[str]:
    return [tag.strip() for tag in cell.split(TAGS) if tag.strip()]


# Every column, and what its cells are; an empty cell says nothing.
COLUMNS: Final[Mapping[str, Callable[[str], object]]] = {
    "provider": _text,
    "id": _text,
    "kind": _text,
    "name": _text,
    "status": _status,
    "expected_interval_s": float,
    "lat": float,
    "lon": float,
    "district": _text,
    "place": _text,
    "tags": _tags,
    "address": _text,
    "timezone": _text,
    "site_class": _text,
    "population": int,
    "profile": _text,
    "installed_on": _text,
    "retired_on": _text,
}
NEEDED: Final = ("provider", "id")


def read_devices(path: Path) -> list[Document]:
    """Read devices as the API takes them.

    Args:
        path: CSV, UTF-8, with a line of headings; only `provider` and `id` are needed.

    Raises:
        CommandError: It cannot be read; the words name file, line and column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            _check_headings(path, rows.fieldnames or [])
            return [_device(path, rows.line_num, row) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error


def write_devices(file: TextIO, devices: Iterable[Document]) -> int:
    """Write devices as `read_devices` reads them; return how many."""
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(COLUMNS)
    count = 0
    for device in devices:
        rows.writerow([_cell(device.get(column)) for column in COLUMNS])
        count += 1
    return count


def _check_headings(path: Path, headings: Iterable[str]) -> None:
    found = [*headings]
    for column in NEEDED:
        if column not in found:
            raise CommandError(f"{path} has no column {column!r}")
    for column in found:
        if column not in COLUMNS:
            known = ", ".join(COLUMNS)
            raise CommandError(f"{path} has a column {column!r}, which is none of {known}")


def _device(path: Path, line: int, row: Mapping[str | None, str | None]) -> Document:
    if None in row or None in row.values():
        raise CommandError(f"{path} line {line}: another number of cells than headings")
    device: Document = {}
    for column, cell in row.items():
        if column is None or not cell:
            continue
        try:
            device[column] = COLUMNS[column](cell)
        except ValueError as error:
            raise CommandError(f"{path} line {line}: {column}: {error}") from error
    missing = [column for column in NEEDED if column not in device]
    if missing:
        raise CommandError(f"{path} line {line}: {' and '.join(missing)} missing")
    return device


def _cell(value: object) -> object:
    return TAGS.join(map(str, cast("list[object]", value))) if isinstance(value, list) else value
