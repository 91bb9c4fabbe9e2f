"""Rows of a register, whatever file it is: CSV, GeoJSON, a workbook (XLSX), or JSON."""

import csv
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, cast

import msgspec
import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from madina.errors import CommandError
from madina.registers.mapping import Mapping

__all__ = ["FORMATS", "Row", "read_rows"]

Cells = dict[str, object]
FAULTS: Final = (
    OSError,
    UnicodeDecodeError,
    csv.Error,
    msgspec.MsgspecError,
    zipfile.BadZipFile,
    InvalidFileException,
    KeyError,
)


class Row(msgspec.Struct, frozen=True):
    """One row, and where it stands for people: `line 5`, `feature 3`, `row 7`.

    Attributes:
        fault: Why it cannot be taken; empty where it can.
    """

    where: str
    cells: Cells
    fault: str = ""


class _Feature(msgspec.Struct):
    """A feature of GeoJSON (RFC 7946, section 3.2)."""

    properties: Cells | None = None
    geometry: Cells | None = None
    id: str | int | None = None


class _Collection(msgspec.Struct, tag_field="type", tag="FeatureCollection"):
    features: list[_Feature]


def read_rows(path: Path, mapping: Mapping) -> list[Row]:
    """Read every row.

    Raises:
        CommandError: The file cannot be read, or is of no kind that we know.
    """
    reader = FORMATS.get(path.suffix.lower())
    if reader is None:
        raise CommandError(f"{path} is none of {', '.join(FORMATS)}")
    try:
        return list(reader(path, mapping))
    except FAULTS as error:
        raise CommandError(f"{path} cannot be read: {error}") from error


def _csv(path: Path, mapping: Mapping) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, strict=True, delimiter=mapping.delimiter)
        for cells in rows:
            # The reader's types leave out what it does with rows of another length.
            found = cast("dict[str | None, object]", cells)
            odd = None in found or None in found.values()
            fault = "another number of cells than headings" if odd else ""
            known = {name: cell for name, cell in found.items() if name is not None}
            yield Row(f"line {rows.line_num}", known, fault)


def _geojson(path: Path, _mapping: Mapping) -> Iterator[Row]:
    collection = msgspec.json.decode(path.read_bytes(), type=_Collection)
    for number, feature in enumerate(collection.features, 1):
        cells = dict(feature.properties or {})
        if feature.id is not None:
            cells.setdefault("id", feature.id)
        fault = ""
        if feature.geometry is not None:
            fault = _place(cells, feature.geometry)
        yield Row(f"feature {number}", cells, fault)


def _place(cells: Cells, geometry: Cells) -> str:
    """Add the position of a point; return what is wrong with it."""
    position = geometry.get("coordinates")
    if geometry.get("type") != "Point" or not isinstance(position, list):
        return f"a device stands at a Point, not at a {geometry.get('type')}"
    found = cast("list[object]", position)
    if len(found) < 2:  # noqa: PLR2004 - longitude and latitude
        return "its Point has no longitude and latitude"
    cells["lon"], cells["lat"] = found[0], found[1]
    return ""


def _workbook(path: Path, mapping: Mapping) -> Iterator[Row]:
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        sheet = book[mapping.sheet] if mapping.sheet else book.worksheets[0]
        rows = sheet.iter_rows(values_only=True)
        headings = [str(cell).strip() if cell is not None else "" for cell in next(rows, ())]
        for number, cells in enumerate(rows, 2):
            named: Cells = {name: cell for name, cell in zip(headings, cells, strict=False) if name}
            # Sheets have empty rows behind the last one.
            if any(cell is not None for cell in named.values()):
                yield Row(f"row {number}", named)
    finally:
        book.close()


def _json(path: Path, mapping: Mapping) -> Iterator[Row]:
    raw = path.read_bytes()
    if mapping.items is None:
        items = msgspec.json.decode(raw, type=list[Cells])
    else:
        document = msgspec.json.decode(raw, type=dict[str, object])
        items = msgspec.convert(document[mapping.items], list[Cells])
    for number, cells in enumerate(items, 1):
        yield Row(f"item {number}", cells)


FORMATS: Final[dict[str, Callable[[Path, Mapping], Iterator[Row]]]] = {
    ".csv": _csv,
    ".geojson": _geojson,
    ".xlsx": _workbook,
    ".json": _json,
}
