"""Hourly roll-ups that a server of 1.x keeps by itself, for ever, where raw values expire.

Source: InfluxDB 1.8 documentation, "InfluxQL Continuous Queries" (RESAMPLE, INTO, GROUP BY *);
regular expressions are those of Go, which cannot say "none of these words", so it is spelt out.
"""
# ruff: noqa: S608 - statements are put together from our names and written literals

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from store.influx.connection import Connection
from store.influx.line_protocol import identifier
from store.influx.observation_lines import OBSERVATIONS
from store.influx.points import ABOUT

__all__ = ["HOURS", "QUERY", "none_of", "rollup_statement", "set_rollups"]

# The retention policy that they are in, and the query that fills it.
HOURS: Final = "hours"
QUERY: Final = "madina_hours"
HOURS_SHARD: Final = "52w"
# Late data change the hours of the last two days; what comes later, the raw values tell.
RESAMPLE: Final = "EVERY 30m FOR 2d"
AGGREGATES: Final = ("count", "mean", "min", "max")


def set_rollups(connection: Connection, source: str, *, wanted: bool) -> list[str]:
    """Make the roll-ups of a database, or end them; return what was done.

    Args:
        connection: To the server.
        source: The retention policy of the raw values.
        wanted: Ended ones keep what they have.

    Raises:
        StoreBusyError: The server does not answer, or forbids it.
    """
    database = connection.address.database
    name = identifier(database)
    known = _query(connection, database)
    statement = rollup_statement(database, source)
    if not wanted:
        if known is not None:
            connection.command(f"DROP CONTINUOUS QUERY {identifier(QUERY)} ON {name}")
            return [f"continuous query {QUERY} ended"]
        return []
    if known == statement:
        return []
    if known is not None:
        connection.command(f"DROP CONTINUOUS QUERY {identifier(QUERY)} ON {name}")
    connection.command(
        f"CREATE RETENTION POLICY {identifier(HOURS)} ON {name} DURATION INF REPLICATION 1"
        f" SHARD DURATION {HOURS_SHARD}"
    )
    connection.command(statement)
    return [f"continuous query {QUERY}: hourly {', '.join(AGGREGATES)} into {HOURS}, for ever"]


def rollup_statement(database: str, source: str) -> str:
    """Return the query, as the server writes it back."""
    fields = ", ".join(f"{each}(/{none_of(ABOUT)}/)" for each in AGGREGATES)
    into, origin = (
        ".".join(map(_written, (database, policy, OBSERVATIONS))) for policy in (HOURS, source)
    )
    return (
        f"CREATE CONTINUOUS QUERY {_written(QUERY)} ON {_written(database)} RESAMPLE {RESAMPLE}"
        f" BEGIN SELECT {fields} INTO {into} FROM {origin} GROUP BY time(1h), * END"
    )


def none_of(words: Sequence[str]) -> str:
    """Return a regular expression for every name without a dot that is none of some words."""
    return f"^({_tails(sorted(words))})$"


def _tails(words: Sequence[str]) -> str:
    """Return what may follow so that none of some tails, in order, comes out."""
    firsts = "".join(sorted({word[0] for word in words if word}))
    alternatives = [f"[^.{firsts}][^.]*"]
    if "" not in words:
        alternatives.append("")
    for first, same in groupby((word for word in words if word), key=lambda word: word[0]):
        alternatives.append(f"{first}({_tails([word[1:] for word in same])})")
    return "|".join(alternatives)


def _query(connection: Connection, database: str) -> str | None:
    for answer in connection.command("SHOW CONTINUOUS QUERIES"):
        for row in answer.rows():
            if (answer.name, row["name"]) == (database, QUERY):
                return str(row["query"])
    return None


def _written(name: str) -> str:
    """Write a name as the server does: in quotes where it has to be."""
    return name if name.isidentifier() and name.isascii() else identifier(name)
