"""Apply a batch inside a transaction that somebody else begins and ends.

A statement costs half a millisecond however few rows it has, so marks, counts, received messages
and outcomes go into one journal by one insert.
"""
# ruff: noqa: S608 - statements are put together from this package's own names and integers

from collections.abc import Sequence
from operator import attrgetter

import msgspec
import pyarrow as pa
from duckdb import DuckDBPyConnection

from store.duckdb.schema import (
    JOURNAL_COLUMNS,
    LEDGER_COLUMNS,
    OBSERVATION_COLUMNS,
    SUM_COLUMNS,
)
from store.interface import (
    Batch,
    CodecRecord,
    QuarantineEntry,
    RecentKey,
    Resolution,
    Series,
)

__all__ = ["apply_batch"]

TEXT = frozenset({"gateway", "provider", "route"})
JOURNAL_SCHEMA = pa.schema(
    [pa.field(name, pa.string() if name in TEXT else pa.int64()) for name in JOURNAL_COLUMNS]
)
_sums = attrgetter(*SUM_COLUMNS)
NO_SUMS = (0,) * len(SUM_COLUMNS)
NO_PROGRESS = (None, None, None)
NO_LEDGER = (None,) * (len(LEDGER_COLUMNS) - 1)


def apply_batch(connection: DuckDBPyConnection, batch: Batch) -> None:
    """Insert everything a batch holds; the caller has checked the fence."""
    _insert(connection, "observations", OBSERVATION_COLUMNS, batch.observations)
    _insert(connection, "conflicts", OBSERVATION_COLUMNS, batch.conflicts)
    _insert(connection, "journal", ", ".join(JOURNAL_COLUMNS), _journal(batch))
    if batch.series:
        _insert(connection, "series", "*", _structs(batch.series, Series))
    if batch.recent:
        _insert(connection, "recent", "*", _recent(batch.recent))
    if batch.codec_records:
        _replace(connection, _structs(batch.codec_records, CodecRecord))
    if batch.quarantine:
        _insert(connection, "quarantine", "*", _quarantine(batch.quarantine))
    if batch.resolutions:
        _resolve(connection, _structs(batch.resolutions, Resolution))


def _insert(connection: DuckDBPyConnection, table: str, columns: str, rows: pa.Table) -> None:
    # DuckDB finds `rows` by its name in this frame: half the price of registering it (0.4 ms).
    if rows.num_rows:
        connection.execute(f"INSERT INTO {table} SELECT {columns} FROM rows")


def _replace(connection: DuckDBPyConnection, rows: pa.Table) -> None:
    connection.execute(
        "DELETE FROM codec_records WHERE (codec, key) IN (SELECT codec, key FROM rows)"
    )
    _insert(connection, "codec_records", "*", rows)


def _journal(batch: Batch) -> pa.Table:
    rows: list[tuple[object, ...]] = [
        (mark.shard, "", 0, mark.sequence, *NO_LEDGER) for mark in batch.marks
    ]
    rows += [(of.shard, of.gateway, of.epoch, of.count, *NO_LEDGER) for of in batch.counts]
    rows += [
        (row.shard, *NO_PROGRESS, row.minute_us, "", "", row.received, *NO_SUMS)
        for row in batch.received
    ]
    rows += [
        (row.shard, *NO_PROGRESS, row.minute_us, row.provider, row.route, 0, *_sums(row))
        for row in batch.ledger
    ]
    if not rows:
        return JOURNAL_SCHEMA.empty_table()
    columns = zip(JOURNAL_COLUMNS, zip(*rows, strict=True), strict=True)
    return pa.Table.from_pydict(dict(columns), schema=JOURNAL_SCHEMA)


def _structs(rows: Sequence[msgspec.Struct], kind: type[msgspec.Struct]) -> pa.Table:
    names = kind.__struct_fields__
    return pa.Table.from_pydict({name: [getattr(row, name) for row in rows] for name in names})


def _recent(keys: Sequence[RecentKey]) -> pa.Table:
    return pa.Table.from_pydict(
        {
            "provider": [key.provider for key in keys],
            "device": [key.device for key in keys],
            "key": pa.array([key.key for key in keys], pa.uint64()),
            "received_us": [key.received_us for key in keys],
        }
    )


def _quarantine(entries: Sequence[QuarantineEntry]) -> pa.Table:
    names = [name for name in QuarantineEntry.__struct_fields__ if name != "reasons"]
    columns = {name: [getattr(entry, name) for entry in entries] for name in names}
    columns["reasons"] = [msgspec.json.encode(entry.reasons).decode() for entry in entries]
    order = [*names[:-1], "reasons", names[-1]]
    return pa.Table.from_pydict({name: columns[name] for name in order})


def _resolve(connection: DuckDBPyConnection, rows: pa.Table) -> None:
    if rows.num_rows:
        connection.execute(
            "UPDATE quarantine SET state = rows.state, resolved_us = rows.resolved_us,"
            " reason = coalesce(nullif(rows.reason, ''), quarantine.reason),"
            " words = coalesce(nullif(rows.words, ''), quarantine.words)"
            " FROM rows WHERE quarantine.id = rows.id"
        )
