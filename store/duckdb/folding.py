"""Fold what batches appended into one row a key, so that small tables stay small.

Folding changes how sums are held, never what they are: it runs in a transaction of its own after a
batch, and a fold that fails is tried again after a later one.
"""
# ruff: noqa: S608 - statements are put together from this package's own names and integers

from typing import Final

import msgspec
from duckdb import DuckDBPyConnection

from store.duckdb.schema import SUM_COLUMNS

__all__ = ["RECENT_KEPT", "fold", "prune_recent"]

RECENT_KEPT: Final = 64


class Fold(msgspec.Struct, frozen=True):
    """A table, its delta, and how rows of one key become one.

    Attributes:
        bounded: Column whose range in the delta bounds the search in the table.
    """

    table: str
    keys: tuple[str, ...]
    values: tuple[str, ...]
    bounded: str


FOLDS: Final = (
    Fold(
        table="ledger",
        keys=("shard", "minute_us", "provider", "route"),
        values=tuple(f"sum({name})::BIGINT" for name in ("received", *SUM_COLUMNS)),
        bounded="minute_us",
    ),
    Fold(
        table="progress",
        keys=("shard", "gateway", "epoch"),
        values=("max(position)",),
        bounded="epoch",
    ),
)


def fold(connection: DuckDBPyConnection) -> None:
    """Merge deltas into their tables; the caller holds the transaction."""
    for rule in FOLDS:
        _fold(connection, rule)


def _fold(connection: DuckDBPyConnection, rule: Fold) -> None:
    table, delta, bounded = rule.table, f"{rule.table}_delta", rule.bounded
    low, high = connection.execute(
        f"SELECT min({bounded}), max({bounded}) FROM {delta}"
    ).fetchall()[0]
    if low is None:
        return
    match = " AND ".join(f"{delta}.{key} = {table}.{key}" for key in rule.keys)
    touched = (
        f"FROM {table} WHERE {bounded} BETWEEN {int(low)} AND {int(high)}"
        f" AND EXISTS (SELECT 1 FROM {delta} WHERE {match})"
    )
    keys = ", ".join(rule.keys)
    # What the table holds of these keys joins the delta, and comes back as one row a key.
    connection.execute(f"INSERT INTO {delta} SELECT * {touched}")
    connection.execute(f"DELETE {touched}")
    connection.execute(
        f"INSERT INTO {table} SELECT {keys}, {', '.join(rule.values)} FROM {delta} GROUP BY {keys}"
    )
    connection.execute(f"DELETE FROM {delta}")


def prune_recent(connection: DuckDBPyConnection) -> int:
    """Delete all but the last `RECENT_KEPT` keys of each device; return how many are left."""
    connection.execute(
        "DELETE FROM recent WHERE rowid IN (SELECT row FROM (SELECT rowid AS row,"
        " row_number() OVER (PARTITION BY provider, device ORDER BY received_us DESC, rowid DESC)"
        " AS age FROM recent) WHERE age > ?)",
        [RECENT_KEPT],
    )
    return int(connection.execute("SELECT count(*) FROM recent").fetchall()[0][0])
