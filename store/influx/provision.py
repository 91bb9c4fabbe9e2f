"""Makes the database and what of it must be ours, and says what is there.

1.x only by InfluxQL; buckets of 2.x are made by the client library, in `store.influx.buckets`.
"""

from typing import Final

import msgspec

from store.errors import StoreBusyError
from store.influx.address import BOOKS
from store.influx.connection import DATA, Connection
from store.influx.line_protocol import identifier
from store.influx.rollups import set_rollups

__all__ = ["Policy", "missing", "policies", "provision"]

# Sequence numbers stand for times in the books: a year of them is one file for ever.
BOOKS_SHARD: Final = "52w"
DEFAULT_POLICY: Final = "autogen"
# The longest retention, in days, for which a file holds so many hours; for ever: a year.
SHARD_HOURS: Final = ((1, 6), (7, 24), (90, 7 * 24), (10**9, 30 * 24))
YEAR_HOURS: Final = 52 * 7 * 24


class Policy(msgspec.Struct, frozen=True):
    """A retention policy of 1.x.

    Attributes:
        duration: As the server writes it: `0s` for ever.
        shard: The time that one file holds.
    """

    name: str
    duration: str
    shard: str
    default: bool


def provision(connection: Connection, *, keep_days: int | None = None) -> list[str]:
    """Make the database and its policies where they are missing; return what was done.

    Where observations expire, hourly roll-ups of them stay.

    Args:
        connection: To a server of version 1.
        keep_days: How long observations are kept; None for ever.

    Raises:
        StoreBusyError: The server does not answer, or forbids it.
    """
    database = connection.address.database
    name = identifier(database)
    done: list[str] = []
    if database not in _databases(connection):
        connection.command(f"CREATE DATABASE {name}")
        done.append(f"database {database}")
    known = {policy.name: policy for policy in policies(connection)}
    if BOOKS not in known:
        connection.command(
            f"CREATE RETENTION POLICY {identifier(BOOKS)} ON {name} DURATION INF REPLICATION 1"
            f" SHARD DURATION {BOOKS_SHARD}"
        )
        done.append(f"retention policy {BOOKS}, for ever")
    usual = next((policy.name for policy in known.values() if policy.default), DEFAULT_POLICY)
    wanted = "0s" if keep_days is None else f"{keep_days * 24}h0m0s"
    hours = _shard_hours(keep_days)
    if (known[usual].duration, known[usual].shard) != (wanted, f"{hours}h0m0s"):
        duration = "INF" if keep_days is None else f"{keep_days}d"
        connection.command(
            f"ALTER RETENTION POLICY {identifier(usual)} ON {name} DURATION {duration}"
            f" SHARD DURATION {hours}h DEFAULT"
        )
        kept = "for ever" if keep_days is None else f"{keep_days} days"
        done.append(f"retention policy {usual}, {kept}, {hours:,} hours a file")
    return done + set_rollups(connection, usual, wanted=keep_days is not None)


def _shard_hours(keep_days: int | None) -> int:
    """Return the hours that one file holds. A question about all times opens every file.

    Source: InfluxDB 1.8 documentation, "Schema design", "Shard group duration recommendations".
    """
    if keep_days is None:
        return YEAR_HOURS
    return next(hours for days, hours in SHARD_HOURS if keep_days <= days)


def missing(connection: Connection) -> str | None:
    """Say what the server has not got that `provision` makes; None where all is there.

    Raises:
        StoreBusyError: The server does not answer.
        DeniedError: It does not let us in.
    """
    database = connection.address.database
    if connection.address.version == 1:
        if database not in _databases(connection):
            return f"database {database}"
        found = any(policy.name == BOOKS for policy in policies(connection))
        return None if found else f"retention policy {BOOKS} of database {database}"
    for policy, bucket in ((DATA, database), (BOOKS, f"{database}/{BOOKS}")):
        try:
            connection.ask(policy, "SHOW MEASUREMENTS LIMIT 1")
        except StoreBusyError as error:
            if "not found" not in error.cause:
                raise
            return f"bucket {bucket}"
    return None


def policies(connection: Connection) -> list[Policy]:
    """Return the retention policies of the database."""
    name = identifier(connection.address.database)
    answers = connection.command(f"SHOW RETENTION POLICIES ON {name}")
    return [
        Policy(row["name"], row["duration"], row["shardGroupDuration"], row["default"])
        for answer in answers
        for row in answer.rows()
    ]


def _databases(connection: Connection) -> set[str]:
    answers = connection.command("SHOW DATABASES")
    return {row["name"] for answer in answers for row in answer.rows()}
