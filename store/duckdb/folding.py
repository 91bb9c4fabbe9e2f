"""Fold what batches appended into one row a key, so that small tables stay small.

Folding changes how sums are held, never what they are: it runs in a transaction of its own after a
batch, and a fold that fails is tried again after a later one.
"""
# ruff: noqa: S608 - statements are put together from this package's own names and integers

from typing import Final

import msgspec
from duckdb import DuckDBPyConnection

from store.duckdb.schema import LEDGER_COLUMNS, PROGRESS_COLUMNS

__all__ = ["RECENT_KEPT", "Fold", "fold", "prune_recent"]

RECENT_KEPT: Final = 64


class Fold(msgspec.Struct, frozen=True):
    """A table, its part of the journal, and how rows of one key become one.

    Attributes:
        columns: Of the table and its part of the journal; the keys come first.
        keys: How many of the columns are the key.
        fold: Function that makes one value of several.
        bounded: Column whose range in the journal bounds the search in the table.
    """

    table: str
    columns: tuple[str, ...]
    keys: int
    fold: str
    bounded: str


FOLDS: Final = (
    Fold(table="ledger", columns=LEDGER_COLUMNS, keys=4, fold="sum", bounded="minute_us"),
    Fold(table="progress", columns=PROGRESS_COLUMNS, keys=3, fold="max", bounded="epoch"),
)


def fold(connection: DuckDBPyConnection) -> None:
    """Merge the journal into its tables; the caller holds the transaction."""
    for rule in FOLDS:
        _fold(connection, rule)
    connection.execute("DELETE FROM journal")


def _fold(connection: DuckDBPyConnection, rule: Fold) -> None:
    table, bounded = rule.table, rule.bounded
    low, high = connection.execute(
        f"SELECT min({bounded}), max({bounded}) FROM journal"
    ).fetchall()[0]
    if low is None:
        return
    match = " AND ".join(f"journal.{key} = {table}.{key}" for key in rule.columns[: rule.keys])
    touched = (
        f"FROM {table} WHERE {bounded} BETWEEN {int(low)} AND {int(high)}"
        f" AND EXISTS (SELECT 1 FROM journal WHERE {match})"
    )
    columns, keys = ", ".join(rule.columns), ", ".join(rule.columns[: rule.keys])
    folded = ", ".join(f"{rule.fold}({name})::BIGINT" for name in rule.columns[rule.keys :])
    # What the table holds of these keys joins the journal, and comes back as one row a key.
    connection.execute(f"INSERT INTO journal ({columns}) SELECT {columns} {touched}")
    connection.execute(f"DELETE {touched}")
    connection.execute(
        f"INSERT INTO {table} SELECT {keys}, {folded} FROM journal"
        f" WHERE {bounded} IS NOT NULL GROUP BY {keys}"
    )


def prune_recent(connection: DuckDBPyConnection) -> int:
    """Delete all but the last `RECENT_KEPT` keys of each device; return how many are left."""
    connection.execute(
        "DELETE FROM recent WHERE rowid IN (SELECT row FROM (SELECT rowid AS row,"
        " row_number() OVER (PARTITION BY provider, device ORDER BY received_us DESC, rowid DESC)"
        " AS age FROM recent) WHERE age > ?)",
        [RECENT_KEPT],
    )
    return int(connection.execute("SELECT count(*) FROM recent").fetchall()[0][0])
