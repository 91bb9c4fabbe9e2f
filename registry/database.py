"""One database: how it is opened, read and changed; nothing else in the room begins a transaction.

Changes of several processes happen one after the other, so that a revision which somebody has seen
never gets company later: SQLite has one writer, and on PostgreSQL a change begins with a lock.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    create_engine,
    event,
    insert,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError  # noqa: A004 - the pool's

from city.clock import Clock
from registry.errors import RegistryAwayError
from registry.tables import AuditRow, CounterRow

__all__ = ["ACCESS", "FACTS", "Also", "Change", "Database", "nothing_else"]

FACTS: Final = "facts"
ACCESS: Final = "access"

BUSY_TIMEOUT_MS: Final = 10_000
POOL_SIZE: Final = 8
WRITES: Final = "madina_writes"

SQLITE: Final = "sqlite"
POSTGRESQL: Final = ("postgresql", "postgres")
# SQLAlchemy's own choice is a driver that we do not bring.
DRIVER: Final = "postgresql+psycopg"
# A server that has gone without a word is noticed after so long, not after the system's 15 minutes.
CONNECTION: Final = {
    "connect_timeout": 5,
    "tcp_user_timeout": 15_000,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "application_name": "madina",
}
# Held by whoever changes facts or migrates; any number that nobody else uses.
LOCK: Final = 6_007_913_021
AWAY: Final = (OperationalError, InterfaceError, TimeoutError)


class Change:
    """A transaction that changes facts: its connection, its instant, its revisions, its audit."""

    def __init__(self, connection: Connection, *, actor: str, now_us: int) -> None:
        self.connection = connection
        self.now_us = now_us
        self._actor = actor

    def revisions(self, count: int = 1) -> range:
        """Take revisions for rows that ingest reads, in ascending order."""
        last = self._advance(FACTS, count)
        return range(last - count + 1, last + 1)

    def access_changed(self) -> None:
        """Say that what gateways know of users and routes has to be written again."""
        self._advance(ACCESS, 1)

    def note(self, action: str, subject: str, detail: str = "") -> None:
        """Write the audit log; `action` is `noun.past_participle`."""
        self.connection.execute(
            insert(AuditRow).values(
                time_us=self.now_us,
                actor=self._actor,
                action=action,
                subject=subject,
                detail=detail,
            )
        )

    def _advance(self, counter: str, count: int) -> int:
        statement = (
            update(CounterRow)
            .where(CounterRow.name == counter)
            .values(value=CounterRow.value + count)
            .returning(CounterRow.value)
        )
        return self.connection.execute(statement).scalar_one()


# What else is written in the transaction of a change.
Also = Callable[[Change], None]


def nothing_else(_: Change) -> None:
    """Write nothing else."""


class Database:
    """The engine of one database and the two ways to use it. Safe to use from several threads."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._clock = clock
        self.engine: Engine = _engine(make_url(url))
        self._reader = self.engine
        if self.engine.dialect.name != SQLITE:
            self._reader = self.engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )

    @contextlib.contextmanager
    def reading(self) -> Generator[Connection]:
        """Read from one consistent state of the database.

        Raises:
            RegistryAwayError: The database does not answer, or not now.
        """
        with _translated(), self._reader.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def changing(self, actor: str) -> Generator[Change]:
        """Change facts in one transaction; whatever is raised inside undoes all of it.

        Raises:
            RegistryAwayError: The database does not answer, or not now; nothing has changed.
        """
        with _translated(), self.engine.connect() as opened:
            connection = opened.execution_options(**{WRITES: True})
            with connection.begin():
                if self.engine.dialect.name != SQLITE:
                    _wait_for_turn(connection)
                yield Change(connection, actor=actor, now_us=self._clock.now_us())

    def counter(self, name: str) -> int:
        """Return what a counter says."""
        with self.reading() as connection:
            statement = select(CounterRow.value).where(CounterRow.name == name)
            return connection.execute(statement).scalar_one()

    def copy(self, target: Path) -> bool:
        """Write all of it into a new file; False where it is on a server, which has its own tools.

        Raises:
            RegistryAwayError: Not now; nothing of the copy is left.
        """
        if self.engine.dialect.name != SQLITE:
            return False
        try:
            with _translated(), self.engine.connect() as connection:
                # Not in a transaction of ours: it reads one snapshot, and writers go on.
                driver = connection.connection.driver_connection
                assert driver is not None, "the connection is open"
                driver.execute("vacuum into ?", [str(target)])
        except sqlite3.Error as error:
            target.unlink(missing_ok=True)
            raise RegistryAwayError(error) from error
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return True

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _engine(url: URL) -> Engine:
    if url.drivername in POSTGRESQL:
        url = url.set(drivername=DRIVER)
    if url.drivername == DRIVER:
        # What the address says itself wins.
        given = {name: value for name, value in CONNECTION.items() if name not in url.query}
        return create_engine(url, pool_size=POOL_SIZE, pool_pre_ping=True, connect_args=given)
    engine = create_engine(url, pool_size=POOL_SIZE)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


@contextlib.contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except AWAY as error:
        raise RegistryAwayError(error) from error


def _wait_for_turn(connection: Connection) -> None:
    connection.execute(text(f"set local lock_timeout = {BUSY_TIMEOUT_MS}"))
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
    """Readers never wait for the writer; a writer waits for another one, and not for ever."""
    connection.isolation_level = None  # transactions begin below, not in the driver
    cursor = connection.cursor()
    cursor.execute(f"pragma busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("pragma journal_mode = wal")
    cursor.execute("pragma synchronous = normal")
    cursor.execute("pragma foreign_keys = on")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once where the transaction will write: no upgrade can fail later."""
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("begin immediate" if writes else "begin")
