"""What a payload of each kind of input holds: documents, lines, rows, one text.

Source: formats.md section 16.
"""

import csv
import io
from collections.abc import Sequence
from typing import Any, Final, cast

from city.reasons import MessageReason
from ingest.codecs.envelope import text_of
from ingest.codecs.json_text import read_json
from ingest.codecs.mapping.document import CsvMapping, LinesMapping, PathMapping, TextMapping
from ingest.codecs.mapping.paths import Budget, PathError, compile_path
from ingest.codecs.measures import OBSERVATIONS_MAX
from ingest.codecs.seam import MessageError

__all__ = ["document_of", "records_of"]

SPACE: Final = " \t\r\n"


def document_of(mapping: PathMapping, payload: bytes) -> object:
    """Read a payload; lines and rows become an array.

    Raises:
        MessageError: A reason of JSON or text, or `too_many`.
    """
    if isinstance(mapping, TextMapping):
        return text_of(payload).strip(SPACE)
    if isinstance(mapping, CsvMapping):
        return _rows(mapping, text_of(payload))
    if isinstance(mapping, LinesMapping):
        lines = [line for line in payload.split(b"\n") if line.strip()]
        _check_number(lines)
        return [read_json(line) for line in lines]
    return read_json(payload)


def records_of(mapping: PathMapping, document: object, budget: Budget) -> Sequence[object]:
    """Return the records of a document.

    Raises:
        MessageError: `missing_field` where `records` leads to no array, or `too_many`.
    """
    if mapping.records is None:
        lists = isinstance(mapping, LinesMapping | CsvMapping)
        return cast("list[object]", document) if lists else [document]
    try:
        found = compile_path(mapping.records).read(document, budget)
    except PathError as error:
        words = f"`records`: {mapping.records[:64]!r} fails: {error}"
        raise MessageError(MessageReason.MISSING_FIELD, words) from None
    if not isinstance(found, list):
        words = f"`records`: {mapping.records[:64]!r} leads to no array"
        raise MessageError(MessageReason.MISSING_FIELD, words)
    records = cast("list[Any]", found)
    _check_number(records)
    return records


def _rows(mapping: CsvMapping, text: str) -> list[dict[str, str]]:
    reader = csv.reader(io.StringIO(text), delimiter=mapping.delimiter, strict=True)
    rows: list[dict[str, str]] = []
    try:
        for at, row in enumerate(reader):
            if not row or (at == 0 and mapping.header):
                continue
            if len(row) != len(mapping.columns):
                words = f"line {reader.line_num} has {len(row)} columns, not {len(mapping.columns)}"
                raise MessageError(MessageReason.MISSING_FIELD, words)
            rows.append(dict(zip(mapping.columns, row, strict=True)))
    except csv.Error as error:
        words = f"line {reader.line_num}: {error}"
        raise MessageError(MessageReason.MISSING_FIELD, words) from None
    _check_number(rows)
    return rows


def _check_number(records: Sequence[object]) -> None:
    if len(records) > OBSERVATIONS_MAX:
        words = f"{len(records)} records, at most {OBSERVATIONS_MAX} in a message"
        raise MessageError(MessageReason.TOO_MANY, words)
