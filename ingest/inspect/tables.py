"""Rows of CSV that nobody has described: what separates them, and what their columns are. Pure.

The first row names the columns where it has words and nothing else, the same in every message.
Without it the columns are told by what stands in them, as far as that leaves no choice.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ingest.codecs.mapping.document import COLUMNS_MAX
from ingest.inspect.names import is_known
from ingest.inspect.refusal import NoMappingError
from ingest.inspect.values import is_absent, is_number, time_format

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Table", "rows_of", "table_of"]

# What seldom stands in a cell comes first.
SEPARATORS: Final = (";", "\t", "|", ",")
Rows = list[list[str]]


class Table(msgspec.Struct, frozen=True):
    """Rows of several messages, and how a mapping reads them."""

    options: dict[str, Any]
    rows: list[dict[str, str]]


def rows_of(payload: bytes) -> tuple[str, Rows] | None:
    """Return the separator and the rows of a text; None where it is no rows of equal length."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return None
    if "\0" in text or is_number(text.strip()):
        return None
    for separator in SEPARATORS:
        try:
            reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
            rows = [row for row in reader if row]
        except csv.Error:
            continue
        widths = {len(row) for row in rows}
        if len(widths) == 1 and 1 < max(widths) <= COLUMNS_MAX:
            return separator, rows
    return None


def table_of(found: Sequence[tuple[str, Rows]], word: str | None, received_us: int) -> Table:
    """Return the rows of messages as one table.

    Args:
        found: Of each message, as `rows_of` returns it.
        word: Of the topic, that names a quantity; None: it has none.
        received_us: When about they came.

    Raises:
        NoMappingError: No mapping can read them, or nobody can say what the columns are.
    """
    shapes = {(separator, len(rows[0])) for separator, rows in found}
    if len(shapes) > 1:
        raise NoMappingError("rows of CSV with different columns on topics that are alike")
    ((separator, _),) = shapes
    firsts = [rows[0] for _, rows in found]
    headed = {_is_header(each, received_us) for each in firsts}
    if len(headed) > 1:
        words = "some messages of CSV begin with the names of columns and others do not"
        raise NoMappingError(f"{words}: a mapping reads one kind; ask for one of them")
    header = headed == {True}
    if header and any(each != firsts[0] for each in firsts):
        words = "the first rows of CSV name different columns, or others in each message"
        raise NoMappingError(f"{words}: a mapping knows one order of columns")
    rows = [row for _, each in found for row in each[header:]]
    if not rows:
        raise NoMappingError("CSV with names of columns and no row below them: listen longer")
    columns = firsts[0] if header else _columns(rows, word, received_us)
    options = {"columns": columns, "delimiter": separator, "header": header}
    return Table(options, [dict(zip(columns, row, strict=True)) for row in rows])


def _is_header(row: Sequence[str], received_us: int) -> bool:
    return len({*row}) == len(row) and all(
        any(map(str.isalpha, cell)) and not is_absent(cell) and not time_format([cell], received_us)
        for cell in row
    )


def _columns(rows: Rows, word: str | None, received_us: int) -> list[str]:
    """Return names of columns that nothing names, by what stands in them."""
    columns: dict[str, int] = {}
    numbers: list[int] = []
    for at, cells in enumerate(zip(*rows, strict=True)):
        sent = [each for each in cells if each]
        if sent and "time" not in columns and time_format(sent, received_us):
            columns["time"] = at
        elif sent and "name" not in columns and all(map(is_known, sent)):
            columns["name"] = at
        elif sent and all(is_number(each) or is_absent(each) for each in sent):
            numbers.append(at)
    if len(numbers) != 1 or ("name" not in columns and word is None):
        what = "nothing says what it is" if len(numbers) == 1 else "nothing says what they are"
        raise NoMappingError(
            f"CSV without names of columns: {len(numbers)} of {len(rows[0])} columns have numbers,"
            f" and {what}. Write a mapping of `input` csv with its `columns` and `values`"
        )
    columns["value" if "name" in columns else word or "value"] = numbers[0]
    named = {at: name for name, at in columns.items()}
    return [named.get(at, f"column_{at + 1}") for at in range(len(rows[0]))]
