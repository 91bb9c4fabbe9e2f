"""The DuckDB file of one process: its lock, its connection, and reopening it after a fatal error.

DuckDB invalidates a database whose log could not be written (disk full); every connection has to be
closed before the file can be opened afresh. Readers therefore come through a gate that can be shut.
"""

import contextlib
import fcntl
import os
import re
import threading
from collections.abc import Generator
from pathlib import Path

import duckdb
import msgspec
import structlog

from store.duckdb.schema import create_or_migrate
from store.interface import StoreBusyError, StoreLockedError

__all__ = ["Database", "DatabaseOptions"]

log = structlog.get_logger(__name__)

# How long a swap of the connection waits for readers under way, and readers for a swap.
GATE_S = 30.0
RETRY_AFTER_S = 1.0
UNFINISHED = ".new"

HELD_BY = re.compile(r"PID (\d+)")

# DuckDB's words (it passes on strerror) and ours.
CAUSES = (
    ("no space left", "disk full"),
    ("file too large", "file size limit reached"),
    ("disk quota exceeded", "disk quota used up"),
    ("out of memory", "memory limit of the store reached"),
    ("read-only file system", "file system is read-only"),
)

FATAL = (duckdb.FatalException, duckdb.InternalException)
BUSY = (
    *FATAL,
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.TransactionException,
    duckdb.ConnectionException,
    duckdb.InterruptException,
)


class DatabaseOptions(msgspec.Struct, frozen=True):
    """What DuckDB may use.

    Attributes:
        memory_limit_bytes: DuckDB's buffers; its connection objects come on top.
        threads: Workers of DuckDB; a writer is cheapest with one.
        wal_limit_bytes: Size of the write-ahead log at which a commit also checkpoints.
        disk_reserve_bytes: Free space below which nothing is written: a checkpoint needs room, and
            one that fails invalidates the database.
    """

    memory_limit_bytes: int
    threads: int
    wal_limit_bytes: int
    disk_reserve_bytes: int


class Database:
    """One open DuckDB file. Any thread may read; the owner makes sure that one thread writes."""

    def __init__(self, path: Path, options: DatabaseOptions) -> None:
        self.path = path
        self._options = options
        self._gate = threading.Condition()
        self._readers = 0
        self._shut = False
        self._closed = False
        self._broken = False
        self._lock = _lock_file(path)
        try:
            with self._translated():
                if not path.exists():
                    self._make()
                self._connection = self._connect(path)
        except BaseException:
            os.close(self._lock)
            raise

    @property
    def broken(self) -> bool:
        """Whether a fatal error has made the connection useless until `reopen`."""
        return self._broken

    @contextlib.contextmanager
    def reading(self) -> Generator[duckdb.DuckDBPyConnection]:
        """Lend a cursor of the caller's own: a snapshot for as long as it holds a transaction.

        Raises:
            StoreBusyError: The file cannot be read now.
        """
        with self.visiting() as cursor:
            cursor.execute("BEGIN READ ONLY")
            yield cursor

    @contextlib.contextmanager
    def visiting(self) -> Generator[duckdb.DuckDBPyConnection]:
        """Lend a cursor outside a transaction, to attach and write another file.

        Raises:
            StoreBusyError: The file cannot be read now.
        """
        cursor = self._enter()
        try:
            with self._translated():
                yield cursor
        finally:
            cursor.close()
            with self._gate:
                self._readers -= 1
                self._gate.notify_all()

    @contextlib.contextmanager
    def transaction(self) -> Generator[duckdb.DuckDBPyConnection]:
        """Lend the writer's connection inside a transaction: committed at the end, or undone.

        Raises:
            StoreBusyError: Disk, memory or file trouble. Nothing was written, unless it was the
                commit itself that failed: then only the file knows.
        """
        self._check_reserve()
        with self._translated():
            connection = self._connection
            connection.execute("BEGIN")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                self._roll_back(connection)
                raise

    @contextlib.contextmanager
    def writing(self) -> Generator[duckdb.DuckDBPyConnection]:
        """Lend the writer's connection outside a transaction (checkpoints, attaching)."""
        with self._translated():
            yield self._connection

    def reopen(self) -> None:
        """Close every connection and open the file afresh.

        Raises:
            StoreBusyError: The file still cannot be opened.
        """
        with self.shut():
            log.warning("store.reopened", path=str(self.path))

    @contextlib.contextmanager
    def shut(self) -> Generator[None]:
        """Keep readers out and the file closed for the length of the block, then open it again."""
        self._shut_gate()
        try:
            self._connection.close()
            self._broken = True
            yield
        finally:
            try:
                with self._translated():
                    self._connection = self._connect(self.path)
                    self._broken = False
            finally:
                self._open_gate()

    def close(self) -> None:
        """Checkpoint, close the file and give up its lock. Closing twice is allowed."""
        if self._closed:
            return
        self._shut_gate()
        self._closed = True
        try:
            self._connection.close()
        finally:
            os.close(self._lock)
            self._open_gate()

    def _check_reserve(self) -> None:
        status = os.statvfs(self.path.parent)
        free, reserve = status.f_bavail * status.f_frsize, self._options.disk_reserve_bytes
        if free < reserve:
            raise self._busy(f"disk full: {free} bytes free, {reserve} are kept in reserve")

    def _enter(self) -> duckdb.DuckDBPyConnection:
        with self._gate:
            if not self._gate.wait_for(lambda: not self._shut, GATE_S):
                raise self._busy("the file is being opened again")
            if self._closed or self._broken:
                raise self._busy("the file is closed")
            cursor = self._connection.cursor()
            self._readers += 1
            return cursor

    def _shut_gate(self) -> None:
        with self._gate:
            self._shut = True
            if self._gate.wait_for(lambda: self._readers == 0, GATE_S):
                return
            self._shut = False
            self._gate.notify_all()
        raise self._busy("readers have not ended")

    def _open_gate(self) -> None:
        with self._gate:
            self._shut = False
            self._gate.notify_all()

    def _make(self) -> None:
        """Make the file under another name first: one that is cut short can never be opened."""
        unfinished = Path(f"{self.path}{UNFINISHED}")
        for left in (unfinished, Path(f"{unfinished}.wal")):
            left.unlink(missing_ok=True)
        connection = self._connect(unfinished)
        try:
            connection.execute("CHECKPOINT")
        finally:
            connection.close()
        unfinished.replace(self.path)

    def _connect(self, path: Path) -> duckdb.DuckDBPyConnection:
        options = self._options
        try:
            connection = duckdb.connect(
                str(path),
                config={
                    "memory_limit": f"{options.memory_limit_bytes}B",
                    "threads": options.threads,
                    "checkpoint_threshold": f"{options.wal_limit_bytes}B",
                    "autoinstall_known_extensions": False,
                    "autoload_known_extensions": False,
                },
            )
        except duckdb.IOException as error:
            if "lock" in str(error).lower():
                holder = HELD_BY.search(str(error))
                raise StoreLockedError(
                    store=str(self.path), holder=int(holder[1]) if holder else None
                ) from error
            raise
        try:
            create_or_migrate(connection, str(self.path))
        except BaseException:
            connection.close()
            raise
        return connection

    def _roll_back(self, connection: duckdb.DuckDBPyConnection) -> None:
        try:
            connection.execute("ROLLBACK")
        except duckdb.Error:
            # A commit that failed has rolled back already; an invalidated database refuses all.
            self._broken = self._broken or not _answers(connection)

    @contextlib.contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except BUSY as error:
            if isinstance(error, FATAL):
                self._broken = True
            raise self._busy(_cause(error)) from error

    def _busy(self, cause: str) -> StoreBusyError:
        return StoreBusyError(store=str(self.path), cause=cause, retry_after_s=RETRY_AFTER_S)


def _answers(connection: duckdb.DuckDBPyConnection) -> bool:
    try:
        connection.execute("SELECT 1").fetchall()
    except duckdb.Error:
        return False
    return True


def _cause(error: duckdb.Error) -> str:
    text = str(error)
    for words, cause in CAUSES:
        if words in text.lower():
            return cause
    return text.splitlines()[0] if text else type(error).__name__


def _lock_file(path: Path) -> int:
    """Take the lock beside the file; DuckDB's own does not outlive a swap of the file."""
    descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 20).decode(errors="replace").strip()
        os.close(descriptor)
        raise StoreLockedError(
            store=str(path), holder=int(holder) if holder.isdigit() else None
        ) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor
