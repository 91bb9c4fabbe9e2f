"""Rows of CSV files, of lines of JSON, and of JSON documents, one after the other.

A file is read again for every pass, so that its size does not matter; only a JSON document, which
has no rows before its end, is held whole.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from loadtest.replay.mapping import Mapping
from loadtest.replay.templates import Fields, field_of

__all__ = ["BadRow", "FileError", "Row", "read_rows"]

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
SHOWN: Final = 12


class FileError(ValueError):
    """A file that is not what its mapping says; the words name it."""


class Row(msgspec.Struct, frozen=True):
    """One row.

    Attributes:
        file: Name of the file.
        number: Line of it; in a JSON document, which row, from 1.
        key: Member that `each` made a row of; empty otherwise.
        raw: The JSON object as it stands in the file; empty in CSV.
    """

    file: str
    number: int
    fields: Fields
    key: str = ""
    raw: bytes = b""


class BadRow(msgspec.Struct, frozen=True):
    """A row that cannot be read."""

    file: str
    number: int
    words: str


def read_rows(path: Path, mapping: Mapping, needed: frozenset[str]) -> Iterator[Row | BadRow]:
    """Yield the rows of a file in its order.

    Args:
        path: Of the file.
        mapping: How it is written.
        needed: Columns that a CSV file has to have.

    Raises:
        FileError: If the file cannot be read, is no UTF-8, or lacks a column.
    """
    try:
        if mapping.format == "csv":
            yield from _csv(path, mapping.separator, needed)
        elif mapping.format == "ndjson":
            yield from _lines(path)
        else:
            yield from _document(path, mapping.rows)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is no UTF-8: {error}") from error


def _csv(path: Path, separator: str, needed: frozenset[str]) -> Iterator[Row | BadRow]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=separator)
        header = [name.strip() for name in next(reader, list[str]())]
        _check_header(path, header, needed)
        stem, size = path.stem, len(header)
        for cells in reader:
            if len(cells) == size:
                fields = dict(zip(header, cells, strict=True))
                fields["file"] = stem
                yield Row(path.name, reader.line_num, fields)
            elif cells:
                words = f"{len(cells)} cells where the header has {size}"
                yield BadRow(path.name, reader.line_num, words)


def _check_header(path: Path, header: list[str], needed: frozenset[str]) -> None:
    missing = sorted(needed - {*header})
    if missing:
        there = ", ".join(map(repr, header[:SHOWN])) or "none"
        raise FileError(f"{path} has no column {missing[0]!r}; it has {there}")
    twice = sorted({name for name in header if header.count(name) > 1} & needed)
    if twice:
        raise FileError(f"{path} has the column {twice[0]!r} more than once")


def _lines(path: Path) -> Iterator[Row | BadRow]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            text = line.removeprefix(BYTE_ORDER_MARK).strip() if number == 1 else line.strip()
            if not text:
                continue
            try:
                found = msgspec.json.decode(text, type=dict[str, Any])
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                yield BadRow(path.name, number, f"no JSON object: {error}")
                continue
            yield Row(path.name, number, {"file": path.stem, **found}, raw=text)


def _document(path: Path, rows: str) -> Iterator[Row | BadRow]:
    text = path.read_bytes().removeprefix(BYTE_ORDER_MARK)
    try:
        whole = cast("object", msgspec.json.decode(text))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise FileError(f"{path} is no JSON document: {error}") from error
    if rows and isinstance(whole, dict):
        whole = field_of(cast("dict[str, object]", whole), rows)
    if not isinstance(whole, list):
        where = f"at {rows!r}" if rows else "in it"
        raise FileError(f"{path} has no array of rows {where}")
    for number, item in enumerate(cast("list[object]", whole), 1):
        if isinstance(item, dict):
            fields = {"file": path.stem, **cast("dict[str, object]", item)}
            yield Row(path.name, number, fields, raw=msgspec.json.encode(item))
        else:
            yield BadRow(path.name, number, "no JSON object")
