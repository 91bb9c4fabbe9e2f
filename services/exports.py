"""Published values as files, written page by page: an export of any length takes little memory."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
from pyarrow import parquet

from city.instants import to_text
from indicators.contracts import contract_hash
from indicators.contracts.loader import meaning_bytes
from indicators.package import Packing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from indicators.contracts import Contract

__all__ = ["FIELDS", "FORMATS", "exported"]

# Member, type of Table Schema, what it is.
FIELDS: Final = (
    ("indicator", "string", "name of the indicator"),
    ("version", "string", "version of its definition"),
    ("unit", "string", "UCUM code of value and unrounded"),
    ("area", "string", "device:PROVIDER/ID, place:ID, district:ID or city"),
    ("start", "datetime", "first instant, UTC"),
    ("end", "datetime", "first instant that no longer belongs to it, UTC"),
    ("tz", "string", "IANA zone of its civil time"),
    ("value", "number", "as published; empty: see reason"),
    ("unrounded", "number", "before rounding; empty: an index, a band, or no value"),
    ("band", "string", "name of the band"),
    ("main_input", "string", "of several inputs the one that decided"),
    ("completeness", "number", "share of the expected that was used, 0 to 1"),
    ("n_used", "integer", "slots with a usable observation"),
    ("n_expected", "integer", "slots"),
    ("state", "string", "provisional or final at the instant of the export"),
    ("marks", "string", "words on the value, with a blank between them"),
    ("revision", "integer", "1 for the first"),
    ("reason", "string", "why there is no value, or why it was computed again"),
    ("computed_at", "datetime", "when it was computed, UTC"),
)
NAMES: Final = tuple(name for name, _, _ in FIELDS)
TYPES: Final[Mapping[str, pa.DataType]] = {
    "string": pa.string(),
    "datetime": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
}
SCHEMA: Final = pa.schema([pa.field(name, TYPES[kind]) for name, kind, _ in FIELDS])
# Media type and suffix of a file's name.
FORMATS: Final[Mapping[str, tuple[str, str]]] = {
    "csv": ("text/csv; charset=utf-8", "csv"),
    "parquet": ("application/vnd.apache.parquet", "parquet"),
    "package": ("application/zip", "zip"),
}
Row = dict[str, Any]


class _Pipe(io.BytesIO):
    """What a writer writes into, and we take out again."""

    def __init__(self) -> None:
        super().__init__()
        self._sent = 0

    def seekable(self) -> bool:
        return False

    def seek(self, at: int, whence: int = 0) -> int:
        """Refuse: what was written may be gone already."""
        raise io.UnsupportedOperation(f"seek to {at} from {whence}")

    def tell(self) -> int:
        return self._sent + super().tell()

    def taken(self) -> bytes:
        """Return what was written since."""
        data = self.getvalue()
        self._sent += len(data)
        super().seek(0)
        self.truncate()
        return data


async def exported(
    kind: str, pages: AsyncIterator[list[Row]], contracts: Iterable[Contract], at_us: int
) -> AsyncIterator[bytes]:
    """Write rows in a format of `FORMATS`.

    Args:
        kind: Which.
        pages: Rows with the members of `FIELDS`.
        contracts: Every definition that a row may be of.
        at_us: The instant whose revisions they are.
    """
    writers = {"csv": _csv, "parquet": _parquet}
    if kind in writers:
        async for part in writers[kind](pages):
            yield part
        return
    pipe = _Pipe()
    packing = Packing(pipe)
    packing.begin("values.csv")
    versions: set[str] = set()

    async def told() -> AsyncIterator[list[Row]]:
        async for rows in pages:
            versions.update(row["version"] for row in rows)
            yield rows

    async for part in _csv(told()):
        packing.write(part)
        yield pipe.taken()
    _finish(packing, [each for each in contracts if each.version in versions], at_us)
    yield pipe.taken()


def _finish(packing: Packing, contracts: list[Contract], at_us: int) -> None:
    fields = [{"name": name, "type": kind, "description": words} for name, kind, words in FIELDS]
    packing.end("values.csv", profile="tabular-data-resource", schema={"fields": fields})
    for each in contracts:
        path = f"contracts/{each.id}-{each.version}.json"
        packing.add(
            path,
            meaning_bytes(each),
            title=each.title["en"],
            description=f"the definition in version {each.version}; its SHA-256 is its hash",
            contract=contract_hash(each),
            sources=[
                {"title": " ".join(filter(None, (source.document, source.section)))}
                for source in each.sources
            ],
        )
    packing.finish(name="madina-values", kind="madina-values-1", created=to_text(at_us))


async def _csv(pages: AsyncIterator[list[Row]]) -> AsyncIterator[bytes]:
    yield (",".join(NAMES) + "\r\n").encode()
    async for rows in pages:
        text = io.StringIO()
        csv.writer(text).writerows(_cells(row) for row in rows)
        yield text.getvalue().encode()


async def _parquet(pages: AsyncIterator[list[Row]]) -> AsyncIterator[bytes]:
    pipe = _Pipe()
    with parquet.ParquetWriter(pipe, SCHEMA, compression="zstd") as writer:
        async for rows in pages:
            writer.write_table(_table(rows))
            yield pipe.taken()
    yield pipe.taken()


def _table(rows: list[Row]) -> pa.Table:
    cells = [_cells(row) for row in rows]
    arrays = [
        pa.array([_as(kind, row[place]) for row in cells], TYPES[kind])
        for place, (_, kind, _) in enumerate(FIELDS)
    ]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _as(kind: str, cell: object) -> object:
    return float(cell) if kind == "number" and isinstance(cell, int) else cell


def _cells(row: Row) -> list[object]:
    return [" ".join(row[name]) if name == "marks" else row[name] for name in NAMES]
