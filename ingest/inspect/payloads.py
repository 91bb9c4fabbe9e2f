"""Payloads that bear no signature, as records: JSON, lines of JSON, rows of CSV. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from ingest.codecs.envelope import unpack
from ingest.codecs.seam import MessageError
from ingest.inspect.refusal import NoMappingError
from ingest.inspect.sniff import document_of, lines_of
from ingest.inspect.tables import rows_of, table_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ingest.inspect.findings import Heard

__all__ = ["UNKNOWN", "Reading", "payloads_of", "readings"]

UNKNOWN: Final = "nobody knows this format: see `mapping` for a layout of its bytes"


class Reading(msgspec.Struct, frozen=True):
    """One way to read payloads.

    Attributes:
        options: Of the mapping: its input, and where the records are.
        records: Of all messages.
        many: A message may have several, so that each names its device.
        around: Documents that hold the records; empty where they are the records themselves.
        what: For people.
    """

    options: dict[str, Any]
    records: list[dict[str, Any]]
    many: bool = False
    around: list[dict[str, Any]] = []
    what: str = "members by their names"


def payloads_of(samples: Sequence[Heard]) -> list[bytes]:
    """Return payloads unpacked, without those that are empty.

    Raises:
        NoMappingError: One cannot be unpacked, or nothing is left.
    """
    try:
        found = [unpack(each.payload) for each in samples]
    except MessageError as error:
        raise NoMappingError(f"{UNKNOWN} ({error})") from None
    filled = [each for each in found if each.strip()]
    if not filled:
        raise NoMappingError("its messages are empty")
    return filled


def readings(payloads: Sequence[bytes], word: str | None, received_us: int) -> Iterator[Reading]:
    """Yield the ways in which payloads can be read, the best first.

    Args:
        payloads: As `payloads_of` returns them.
        word: Of the topic, that names a quantity; None: it has none.
        received_us: When about they came.

    Raises:
        NoMappingError: There is none.
    """
    documents = [document_of(each) for each in payloads]
    if all(each is not None for each in documents):
        yield from _json(documents)
        return
    lines = [lines_of(each) for each in payloads]
    if all(lines):
        records = [each for some in lines for each in some]
        what = "lines of JSON; members by their names"
        yield Reading({"input": "ndjson"}, records, many=True, what=what)
        return
    rows = [found for each in payloads if (found := rows_of(each)) is not None]
    if len(rows) < len(payloads):
        raise NoMappingError(UNKNOWN)
    table = table_of(rows, word, received_us)
    by = "their names" if table.options["header"] else "what stands in them"
    options = {"input": "csv", **table.options}
    yield Reading(options, [*table.rows], many=True, what=f"rows of CSV; columns by {by}")


def _json(documents: Sequence[Any]) -> Iterator[Reading]:
    if all(isinstance(each, list) for each in documents):
        records = _objects([each for document in documents for each in document])
        if records:
            yield Reading({"input": "json", "records": "@"}, records, many=True)
        return
    objects = _objects(documents)
    for key in objects[0] if objects else ():
        arrays = [each.get(key) for each in objects]
        if all(isinstance(each, list) and cast("list[Any]", each) for each in arrays):
            records = _objects([each for array in arrays for each in cast("list[Any]", array)])
            if records:
                at = msgspec.json.encode(key).decode()
                options = {"input": "json", "records": at}
                yield Reading(options, records, many=True, around=_without(objects, key))
    if objects:
        yield Reading({"input": "json"}, objects)


def _without(objects: Sequence[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    return [{name: each for name, each in one.items() if name != key} for one in objects]


def _objects(found: Sequence[Any]) -> list[dict[str, Any]]:
    objects = [cast("dict[str, Any]", each) for each in found if isinstance(each, dict)]
    return objects if len(objects) == len(found) else []
