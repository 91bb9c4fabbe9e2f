"""The ledger's sums read back: in total, by minute, and with the counts of the same instant."""
# ruff: noqa: S608 - statements are put together from this package's own names and integers

from typing import Final

import msgspec
from duckdb import DuckDBPyConnection

from city.ledger import Balance, MessageCounts, ObservationCounts
from city.scope import Scope
from store.duckdb.schema import SUM_COLUMNS
from store.interface import GatewayCount, LedgerQuery, LedgerRow, ReceivedRow

__all__ = [
    "Where",
    "read_balance",
    "read_counts",
    "read_ledger_rows",
    "read_marks",
    "read_received",
]

SUMS: Final = ", ".join(f"coalesce(sum({name}), 0)::BIGINT" for name in SUM_COLUMNS)
ANYTHING: Final = " OR ".join(f"sum({name}) <> 0" for name in SUM_COLUMNS)


class Where(msgspec.Struct, frozen=True):
    """A condition and its parameters."""

    text: str
    parameters: list[object]


def read_marks(connection: DuckDBPyConnection) -> dict[int, int]:
    """Return the last applied log sequence by shard."""
    rows = connection.execute(
        "SELECT shard, max(position) FROM progress_all WHERE gateway = '' GROUP BY shard"
    ).fetchall()
    return dict(rows)


def read_counts(connection: DuckDBPyConnection) -> list[GatewayCount]:
    """Return the applied count of every gateway process and shard."""
    rows = connection.execute(
        "SELECT gateway, epoch, shard, max(position) FROM progress_all WHERE gateway <> ''"
        " GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return [GatewayCount(*row) for row in rows]


def read_balance(connection: DuckDBPyConnection, scope: Scope, query: LedgerQuery) -> Balance:
    """Return the applied part of the balance; `pending` is 0."""
    where = _where(scope, query)
    row = connection.execute(
        f"SELECT {SUMS}, coalesce(sum(received), 0)::BIGINT FROM ledger_all WHERE {where.text}",
        where.parameters,
    ).fetchall()[0]
    accepted, quarantined, duplicate, decoded, stored, doubled, rejected, _, received = row
    if not _counted_by_gateways(scope, query):
        received = accepted + quarantined + duplicate
    return Balance(
        messages=MessageCounts(
            received=received, accepted=accepted, quarantined=quarantined, duplicate=duplicate
        ),
        observations=ObservationCounts(
            decoded=decoded, stored=stored, duplicate=doubled, rejected=rejected
        ),
    )


def read_received(
    connection: DuckDBPyConnection, scope: Scope, query: LedgerQuery
) -> list[ReceivedRow]:
    """Return messages received by minute; none where provider or route are asked for."""
    if not _counted_by_gateways(scope, query):
        return []
    where = _where(scope, query)
    rows = connection.execute(
        "SELECT minute_us, sum(received)::BIGINT FROM ledger_all"
        f" WHERE {where.text} AND received <> 0 GROUP BY minute_us ORDER BY minute_us",
        where.parameters,
    ).fetchall()
    return [ReceivedRow(shard=-1, minute_us=minute, received=count) for minute, count in rows]


def read_ledger_rows(
    connection: DuckDBPyConnection, scope: Scope, query: LedgerQuery
) -> list[LedgerRow]:
    """Return sums by minute, provider and route; messages without a route have both empty."""
    where = _where(scope, query)
    rows = connection.execute(
        f"SELECT minute_us, provider, route, {SUMS} FROM ledger_all"
        f" WHERE {where.text} GROUP BY minute_us, provider, route HAVING {ANYTHING}"
        " ORDER BY minute_us, provider, route",
        where.parameters,
    ).fetchall()
    return [LedgerRow(-1, *row) for row in rows]


def _counted_by_gateways(scope: Scope, query: LedgerQuery) -> bool:
    return scope.providers is None and query.provider is None and query.route is None


def _where(scope: Scope, query: LedgerQuery) -> Where:
    parts, parameters = ["true"], list[object]()
    for text, value in (
        ("minute_us >= ?", query.since_us),
        ("minute_us < ?", query.until_us),
        ("provider = ?", query.provider),
        ("route = ?", query.route),
    ):
        if value is not None:
            parts.append(text)
            parameters.append(value)
    if scope.providers is not None:
        parts.append("list_contains(?::VARCHAR[], provider)")
        parameters.append(sorted(scope.providers))
    return Where(text=" AND ".join(parts), parameters=parameters)
