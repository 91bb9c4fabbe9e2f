"""The store over one DuckDB file: each call one snapshot, each batch one transaction."""
# ruff: noqa: S608 - statements are put together from this package's own names and integers

import contextlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import structlog
from duckdb import DuckDBPyConnection

from city.ledger import Balance
from city.scope import Scope
from store.duckdb.balance import (
    read_balance,
    read_counts,
    read_ledger_rows,
    read_marks,
    read_received,
)
from store.duckdb.compaction import Compaction, compact, remove_leftovers
from store.duckdb.copying import copy_whole
from store.duckdb.database import Database, DatabaseOptions
from store.duckdb.folding import fold, prune_recent
from store.duckdb.lookups import (
    read_codec_records,
    read_matches,
    read_recent,
    read_series,
    read_watermarks,
)
from store.duckdb.reading import read_aggregates, read_columns, read_observations
from store.duckdb.workbench import read_entries, read_held_counts, read_parked
from store.duckdb.writing import apply_batch
from store.interface import (
    Aggregate,
    Batch,
    CodecRecord,
    FencedError,
    GatewayCount,
    Grain,
    LedgerGroup,
    LedgerQuery,
    LedgerRow,
    LedgerSnapshot,
    Mark,
    ObservationQuery,
    ParkedDevice,
    ParkedQuery,
    QuarantineEntry,
    QuarantineQuery,
    RecentKey,
    Series,
    StoreBusyError,
    StoredObservation,
)

__all__ = ["DuckDBStore", "Position"]

log = structlog.get_logger(__name__)

MIB: Final = 1 << 20
# Batches between two folds: the deltas stay at some thousands of rows.
FOLD_EVERY: Final = 64
# Appended keys before older ones are pruned; it reads the whole table, so it waits for a share too.
PRUNE_EVERY: Final = 10_000
# The copy's name inside DuckDB; a compaction's is another.
BACKUP: Final = "madina_backup"


class Position(msgspec.Struct, frozen=True):
    """How far the log is applied at one instant.

    Attributes:
        marks: Last applied log sequence by shard.
        counts: Applied messages of every gateway process and shard.
    """

    marks: dict[int, int]
    counts: list[GatewayCount]


class DuckDBStore:
    """`store.interface.Store` over one file. One process and one object may have it open.

    Args:
        path: The file; made where there is none.
        memory_limit_bytes: What DuckDB may use for buffers.
        threads: Workers of DuckDB besides the calling threads.
        wal_limit_bytes: Size of the write-ahead log at which a commit also checkpoints.
        disk_reserve_bytes: Free space of the disk below which batches are refused.

    Raises:
        StoreLockedError: Another process or object has the file open.
        StoreVersionError: A newer version wrote the file.
        StoreBusyError: The file cannot be opened or made now.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        memory_limit_bytes: int = 1024 * MIB,
        threads: int = 1,
        wal_limit_bytes: int = 16 * MIB,
        disk_reserve_bytes: int = 64 * MIB,
    ) -> None:
        options = DatabaseOptions(
            memory_limit_bytes=memory_limit_bytes,
            threads=threads,
            wal_limit_bytes=wal_limit_bytes,
            disk_reserve_bytes=disk_reserve_bytes,
        )
        self._database = Database(Path(path), options)
        remove_leftovers(self._database.path)
        # Who writes, folds, expires or compacts holds it.
        self._writer = threading.RLock()
        self._marks: dict[int, int] | None = None
        # Marks of a batch whose commit failed in a way that leaves open whether it happened.
        self._doubtful: list[Mark] = []
        self._unfolded = FOLD_EVERY
        self._unpruned = 0
        self._recent_kept = 0

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    def write(self, batch: Batch) -> None:
        """Apply a batch in one transaction. See `Store.write`."""
        with self._writer:
            marks = self._known_marks()
            if self._doubtful and self._doubtful == batch.marks and _applied(marks, batch.marks):
                self._doubtful = []
                return
            for mark in batch.marks:
                found = marks.get(mark.shard, 0)
                if found != mark.previous:
                    raise FencedError(shard=mark.shard, expected=mark.previous, found=found)
            self._apply(batch)
            marks.update({mark.shard: mark.sequence for mark in batch.marks})
            self._tidy(len(batch.recent))

    def _known_marks(self) -> dict[int, int]:
        """Return the marks in the file, which nobody else can change while it is open."""
        if self._database.broken:
            self._database.reopen()
        if self._marks is None:
            self._marks = self.marks()
        return self._marks

    def _mend(self) -> None:
        """Open the file afresh after a fatal error, so that it can be read while it is full."""
        if self._database.broken:
            with contextlib.suppress(StoreBusyError):
                self._database.reopen()

    def _apply(self, batch: Batch) -> None:
        try:
            with self._database.transaction() as connection:
                apply_batch(connection, batch)
        except StoreBusyError as error:
            self._marks, self._doubtful = None, batch.marks
            self._mend()
            log.warning("batch.deferred", cause=error.cause, retry_after_s=error.retry_after_s)
            raise
        self._doubtful = []

    def _tidy(self, recent: int) -> None:
        """Fold and prune when it is due; the batch is in, so a failure only waits for the next."""
        self._unfolded += 1
        self._unpruned += recent
        prune = self._unpruned >= max(PRUNE_EVERY, self._recent_kept // 4)
        if self._unfolded < FOLD_EVERY and not prune:
            return
        try:
            with self._database.transaction() as connection:
                fold(connection)
                if prune:
                    self._recent_kept = prune_recent(connection)
        except StoreBusyError as error:
            log.warning("fold.deferred", cause=error.cause)
            self._mend()
            return
        self._unfolded = 0
        self._unpruned = 0 if prune else self._unpruned

    def marks(self) -> dict[int, int]:
        """Return the last applied log sequence by shard."""
        with self._database.reading() as cursor:
            return read_marks(cursor)

    def counts(self) -> list[GatewayCount]:
        """Return the applied counts of every gateway process and shard."""
        with self._database.reading() as cursor:
            return read_counts(cursor)

    def series(self) -> list[Series]:
        """Return every series, by number."""
        with self._database.reading() as cursor:
            return read_series(cursor)

    def watermarks(self) -> pa.Table:
        """Return the newest observation of each series, of `OBSERVATION_SCHEMA`."""
        with self._database.reading() as cursor:
            return read_watermarks(cursor)

    def codec_records(self, codec: str | None = None) -> list[CodecRecord]:
        """Return the last record of each codec and key. See `Store.codec_records`."""
        with self._database.reading() as cursor:
            return read_codec_records(cursor, codec)

    def recent(self) -> list[RecentKey]:
        """Return the last 64 keys of each device, oldest first."""
        with self._database.reading() as cursor:
            return read_recent(cursor)

    def find(self, late: pa.Table) -> pa.Table:
        """Return the stored first values at the (series, time) of a table of `LATE_SCHEMA`."""
        with self._database.reading() as cursor:
            return read_matches(cursor, "observations", late)

    def find_conflicts(self, late: pa.Table) -> pa.Table:
        """Return the stored conflicts at the (series, time) of a table of `LATE_SCHEMA`."""
        with self._database.reading() as cursor:
            return read_matches(cursor, "conflicts", late)

    def observations(self, scope: Scope, query: ObservationQuery) -> list[StoredObservation]:
        """Return observations by time. See `Store.observations`."""
        if not scope.admits(query.provider):
            return []
        with self._database.reading() as cursor:
            return read_observations(cursor, query)

    def columns(self, series: Sequence[int], from_us: int, to_us: int) -> pa.Table:
        """Return first values, of `OBSERVATION_SCHEMA`, sorted by series and time."""
        with self._database.reading() as cursor:
            return read_columns(cursor, series, from_us, to_us)

    def aggregates(self, scope: Scope, query: ObservationQuery, grain: Grain) -> list[Aggregate]:
        """Return aggregates by time, grains in UTC."""
        if not scope.admits(query.provider):
            return []
        with self._database.reading() as cursor:
            return read_aggregates(cursor, query, grain)

    def ledger(self, scope: Scope, query: LedgerQuery) -> Balance:
        """Return the applied part of the balance. See `Store.ledger`."""
        with self._database.reading() as cursor:
            return read_balance(cursor, scope, query)

    def ledger_snapshot(
        self, scope: Scope, query: LedgerQuery, group: LedgerGroup = "total"
    ) -> LedgerSnapshot:
        """Return balance and counts of one instant; with `minute`, its rows by minute too."""
        by_minute = group == "minute"
        with self._database.reading() as cursor:
            return LedgerSnapshot(
                balance=read_balance(cursor, scope, query),
                counts=read_counts(cursor),
                received=read_received(cursor, scope, query) if by_minute else [],
                rows=read_ledger_rows(cursor, scope, query) if by_minute else [],
            )

    def ledger_rows(self, scope: Scope, query: LedgerQuery) -> list[LedgerRow]:
        """Return sums by minute, provider and route; `shard` is -1."""
        with self._database.reading() as cursor:
            return read_ledger_rows(cursor, scope, query)

    def quarantine(self, scope: Scope, query: QuarantineQuery) -> list[QuarantineEntry]:
        """Return entries, newest first."""
        with self._database.reading() as cursor:
            return read_entries(cursor, scope, query)

    def quarantine_counts(self, scope: Scope) -> dict[str, int]:
        """Return how many held entries there are by reason."""
        with self._database.reading() as cursor:
            return read_held_counts(cursor, scope)

    def parked(self, scope: Scope, query: ParkedQuery) -> list[ParkedDevice]:
        """Return devices with waiting messages, by provider and id."""
        with self._database.reading() as cursor:
            return read_parked(cursor, scope, query)

    def expire(self, before_us: int) -> int:
        """Delete observations and conflicts older than an instant. See `Store.expire`.

        Deleted bytes stay in the file until they are overwritten, or until `compact`.
        """
        with self._writer:
            self._mend()
            with self._database.transaction() as connection:
                gone = [
                    connection.execute(
                        f"DELETE FROM {table} WHERE time_us < ?",
                        [before_us],
                    ).fetchall()[0][0]
                    for table in ("observations", "conflicts")
                ]
            return sum(gone)

    def compact(self) -> Compaction:
        """Copy the file into a smaller one that is sorted by series; batches wait meanwhile.

        Raises:
            StoreBusyError: No room for the copy, or readers did not end; nothing has changed.
        """
        with self._writer:
            self._mend()
            self._marks = None
            try:
                done = compact(self._database)
            finally:
                self._mend()
            log.info("store.compacted", before=done.before_bytes, after=done.after_bytes)
            return done

    def copy(self, target: Path, told: Callable[[int, int], None]) -> Position:
        """Write a new file that holds all of this one at one instant; batches go on meanwhile.

        Args:
            target: There is no such file.
            told: Hears rows copied and rows in all, now and then; what it raises ends the copy.

        Returns:
            How far the log is applied in the copy.

        Raises:
            StoreBusyError: The copy failed; nothing of it is left.
        """
        read: list[Position] = []

        def position(cursor: DuckDBPyConnection) -> None:
            read.append(Position(read_marks(cursor), read_counts(cursor)))

        try:
            with self._database.visiting() as cursor:
                copy_whole(cursor, target, BACKUP, told=told, also=position)
        except BaseException:
            target.unlink(missing_ok=True)
            Path(f"{target}.wal").unlink(missing_ok=True)
            raise
        return read[0]

    def forget_marks(self) -> None:
        """Have applied nothing of the log, so that another one is read from its beginning.

        What gateways have counted stays, so a frame that was applied is still not counted again.
        """
        with self._writer:
            self._mend()
            with self._database.transaction() as connection:
                fold(connection)
                connection.execute("DELETE FROM progress WHERE gateway = ''")
            self._marks = None

    def close(self) -> None:
        """Checkpoint and release the file. Closing twice is allowed."""
        with self._writer:
            self._database.close()


def _applied(marks: dict[int, int], wanted: Sequence[Mark]) -> bool:
    return bool(wanted) and all(marks.get(mark.shard, 0) == mark.sequence for mark in wanted)
