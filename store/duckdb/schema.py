"""Tables of the DuckDB file, and how older files become the present version.

No table has a primary key: an index costs four times the write (measured in docs/store.md), and
the fence on marks already makes a batch count once.
"""
# ruff: noqa: S608 - statements are put together from this package's own names and integers

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from duckdb import DuckDBPyConnection

from store.interface import StoreVersionError

__all__ = [
    "JOURNAL_COLUMNS",
    "LEDGER_COLUMNS",
    "OBSERVATION_COLUMNS",
    "PROGRESS_COLUMNS",
    "SUM_COLUMNS",
    "VERSION",
    "create_or_migrate",
]

VERSION: Final = 2

OBSERVATION_COLUMNS: Final = "series, time_us, value, flag, received_us, end_us, other, metadata"

# Sums of the ledger in the order in which its tables and `LedgerRow` hold them.
SUM_COLUMNS: Final = (
    "accepted",
    "quarantined",
    "duplicate",
    "decoded",
    "stored",
    "duplicate_observations",
    "rejected",
    "conflict",
)

OBSERVATION_TABLE = """(
    series INTEGER NOT NULL,
    time_us BIGINT NOT NULL,
    value DOUBLE,
    flag UTINYINT NOT NULL,
    received_us BIGINT NOT NULL,
    end_us BIGINT,
    other VARCHAR,
    metadata VARCHAR
)"""

# Marks are rows without a gateway; the others hold what is applied of a gateway process.
PROGRESS_COLUMNS: Final = ("shard", "gateway", "epoch", "position")

# Rows with an empty provider and route hold `received`, which gateways count by minute only, and
# what became of messages that have no route.
LEDGER_COLUMNS: Final = ("shard", "minute_us", "provider", "route", "received", *SUM_COLUMNS)

JOURNAL_COLUMNS: Final = (*PROGRESS_COLUMNS, *LEDGER_COLUMNS[1:])

COLUMN_TYPES: Final = MappingProxyType(
    {"shard": "INTEGER", "gateway": "VARCHAR", "provider": "VARCHAR", "route": "VARCHAR"}
)


def _columns(names: Iterable[str], rule: str = "NOT NULL") -> str:
    return ", ".join(f"{name} {COLUMN_TYPES.get(name, 'BIGINT')} {rule}" for name in names)


def _with_journal(table: str, names: Iterable[str], present: str) -> str:
    """Return a view of what a table holds and what the journal adds to it."""
    columns = ", ".join(names)
    return (
        f"CREATE VIEW {table}_all AS SELECT {columns} FROM {table}"
        f" UNION ALL SELECT {columns} FROM journal WHERE {present} IS NOT NULL"
    )


CODEC_RECORDS: Final = """CREATE TABLE codec_records (
    codec VARCHAR NOT NULL,
    key VARCHAR NOT NULL,
    value BLOB NOT NULL
)"""

TABLES: Final = (
    "CREATE TABLE version (version INTEGER NOT NULL)",
    f"CREATE TABLE observations {OBSERVATION_TABLE}",
    f"CREATE TABLE conflicts {OBSERVATION_TABLE}",
    # A batch appends its marks, counts and sums to the journal in one insert; folding moves them
    # into one row a key. A journal row is of progress or of the ledger; the other columns are null.
    f"CREATE TABLE ledger ({_columns(LEDGER_COLUMNS)})",
    f"CREATE TABLE progress ({_columns(PROGRESS_COLUMNS)})",
    f"CREATE TABLE journal ({_columns(JOURNAL_COLUMNS, rule='')})",
    _with_journal("ledger", LEDGER_COLUMNS, present="minute_us"),
    _with_journal("progress", PROGRESS_COLUMNS, present="gateway"),
    """CREATE TABLE series (
        series INTEGER NOT NULL,
        provider VARCHAR NOT NULL,
        device VARCHAR NOT NULL,
        quantity VARCHAR NOT NULL,
        unit VARCHAR,
        kind VARCHAR NOT NULL
    )""",
    """CREATE TABLE recent (
        provider VARCHAR NOT NULL,
        device VARCHAR NOT NULL,
        key UBIGINT NOT NULL,
        received_us BIGINT NOT NULL
    )""",
    """CREATE TABLE quarantine (
        id VARCHAR NOT NULL,
        shard INTEGER NOT NULL,
        received_us BIGINT NOT NULL,
        minute_us BIGINT NOT NULL,
        topic VARCHAR NOT NULL,
        provider VARCHAR NOT NULL,
        device VARCHAR NOT NULL,
        route VARCHAR NOT NULL,
        codec VARCHAR NOT NULL,
        client VARCHAR NOT NULL,
        flags INTEGER NOT NULL,
        reason VARCHAR NOT NULL,
        words VARCHAR NOT NULL,
        payload BLOB NOT NULL,
        length BIGINT NOT NULL,
        sha256 VARCHAR NOT NULL,
        content_type VARCHAR NOT NULL,
        state VARCHAR NOT NULL,
        reasons VARCHAR NOT NULL,
        resolved_us BIGINT NOT NULL
    )""",
    CODEC_RECORDS,
    f"INSERT INTO version VALUES ({VERSION})",
)

Migrations = Mapping[int, Callable[[DuckDBPyConnection], None]]

# What takes a file of version N to N + 1.
MIGRATIONS: Final[Migrations] = MappingProxyType(
    {1: lambda connection: _execute(connection, CODEC_RECORDS)}
)


def _execute(connection: DuckDBPyConnection, statement: str) -> None:
    connection.execute(statement)


def create_or_migrate(
    connection: DuckDBPyConnection, path: str, migrations: Migrations = MIGRATIONS
) -> None:
    """Make the tables of a new file, or bring an older file to the present version.

    Args:
        connection: Open on the file, no transaction under way.
        path: Named in errors.
        migrations: Steps by the version that they start from; each runs in one transaction with
            the new version number.

    Raises:
        StoreVersionError: The file is newer than this program, or no step leads on from it.
    """
    found = _version(connection)
    if found is None:
        _run(connection, lambda: [connection.execute(statement) for statement in TABLES])
        return
    last = max(migrations, default=VERSION - 1) + 1
    if found > last:
        raise StoreVersionError(f"{path} has version {found}, this program reads up to {last}")
    for version in range(found, last):
        step = migrations.get(version)
        if step is None:
            raise StoreVersionError(f"{path} has version {found}, which cannot be migrated")
        _run(connection, lambda step=step, version=version: _step(connection, step, version))


def _version(connection: DuckDBPyConnection) -> int | None:
    tables = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'version' AND NOT internal"
    ).fetchall()
    if tables[0][0] == 0:
        return None
    return int(connection.execute("SELECT max(version) FROM version").fetchall()[0][0])


def _step(
    connection: DuckDBPyConnection, step: Callable[[DuckDBPyConnection], None], version: int
) -> None:
    step(connection)
    connection.execute("UPDATE version SET version = ?", [version + 1])


def _run(connection: DuckDBPyConnection, change: Callable[[], object]) -> None:
    connection.execute("BEGIN")
    try:
        change()
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
