"""Quarantine read back for people: entries by what they have in common, newest first."""
# ruff: noqa: S608 - statements are put together from this package's own names and integers

import msgspec
from duckdb import DuckDBPyConnection

from city.scope import Scope
from store.interface import SAMPLES, ParkedDevice, ParkedQuery, QuarantineEntry, QuarantineQuery

__all__ = ["read_entries", "read_held_counts", "read_parked"]

COLUMNS = ", ".join(QuarantineEntry.__struct_fields__)


def read_entries(
    connection: DuckDBPyConnection, scope: Scope, query: QuarantineQuery
) -> list[QuarantineEntry]:
    """Return entries, newest first; none where `before` names an entry that is not there."""
    parts, parameters = ["true"], list[object]()
    for text, value in (
        ("state = ?", query.state),
        ("reason = ?", query.reason),
        ("provider = ?", query.provider),
        ("device = ?", query.device),
        ("route = ?", query.route),
        ("shard = ?", query.shard),
        ("list_contains(?::VARCHAR[], id)", None if query.ids is None else list(query.ids)),
        ("list_contains(?::VARCHAR[], provider)", _names(scope)),
        (
            "(received_us, id) < (SELECT (received_us, id) FROM quarantine WHERE id = ?)",
            query.before,
        ),
    ):
        if value is not None:
            parts.append(text)
            parameters.append(value)
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM quarantine WHERE {' AND '.join(parts)}"
        " ORDER BY received_us DESC, id DESC LIMIT ?",
        [*parameters, query.limit],
    ).fetchall()
    return [_entry(dict(zip(QuarantineEntry.__struct_fields__, row, strict=True))) for row in rows]


def read_held_counts(connection: DuckDBPyConnection, scope: Scope) -> dict[str, int]:
    """Return how many held entries there are by reason."""
    names = _names(scope)
    seen = "" if names is None else " AND list_contains(?::VARCHAR[], provider)"
    rows = connection.execute(
        f"SELECT reason, count(*) FROM quarantine WHERE state = 'held'{seen}"
        " GROUP BY reason ORDER BY reason",
        [] if names is None else [names],
    ).fetchall()
    return dict(rows)


def read_parked(
    connection: DuckDBPyConnection, scope: Scope, query: ParkedQuery
) -> list[ParkedDevice]:
    """Return devices with waiting messages, by provider and id."""
    parts, parameters = ["reason = ?", "state IN ('held', 'partial')"], list[object]([query.reason])
    after = query.after
    for text, values in (
        ("provider = ?", None if query.provider is None else [query.provider]),
        ("route = ?", None if query.route is None else [query.route]),
        ("list_contains(?::VARCHAR[], provider)", _listed(_names(scope))),
        ("(provider, device) > (?, ?)", None if after is None else [*after]),
    ):
        if values is not None:
            parts.append(text)
            parameters += values
    rows = connection.execute(
        "SELECT provider, device, arg_max(route, received_us), arg_max(codec, received_us),"
        f" count(*), min(received_us), max(received_us), arg_max(id, received_us, {SAMPLES})"
        f" FROM quarantine WHERE {' AND '.join(parts)} AND device <> ''"
        " GROUP BY provider, device ORDER BY provider, device LIMIT ?",
        [*parameters, query.limit],
    ).fetchall()
    return [ParkedDevice(*row[:-1], newest=tuple(row[-1])) for row in rows]


def _listed(names: list[str] | None) -> list[object] | None:
    return None if names is None else [names]


def _names(scope: Scope) -> list[str] | None:
    return None if scope.providers is None else sorted(scope.providers)


def _entry(row: dict[str, object]) -> QuarantineEntry:
    reasons = msgspec.json.decode(str(row["reasons"]))
    return msgspec.convert({**row, "reasons": reasons}, QuarantineEntry)
