"""What arrived after it may have been computed: kept in SQL before the store has it.

Ingest writes to the store through `MarkedWriter`. A batch that holds observations from before the
instant up to which windows are closed, or may be while it is being written, is announced first,
with the log positions that the store will have reached once the batch is in; whoever computes waits
for those positions. What changes facts about a device announces in its own transaction. So a crash
at any moment leaves an announcement that changes nothing, never a change that nobody told.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec
import structlog
from sqlalchemy import delete, insert, select
from sqlalchemy.exc import SQLAlchemyError

from city.clock import US_PER_MINUTE, Clock
from indicators.touched import Touched
from registry.database import Change, Database
from registry.result_tables import ArrivalRow
from store.interface import Batch, Mark, Store, StoreBusyError

__all__ = [
    "CLOSING",
    "SETTLE_US",
    "STEP_US",
    "Arrival",
    "ArrivalCause",
    "Arrivals",
    "MarkedWriter",
]

log = structlog.get_logger(__name__)

# Counter of the registry: windows known by this instant are closed, or being closed.
CLOSING: Final = "closing"
# What closes windows waits longer than this between saying so and reading the store.
ASK_EVERY_US: Final = 1_000_000
RETRY_S: Final = 1.0
# How long after a window's end it is closed: what is on its way still counts in revision 1.
SETTLE_US: Final = 2 * US_PER_MINUTE
# Windows end on it, so they are closed up to a multiple of it.
STEP_US: Final = 15 * US_PER_MINUTE
# A message may wait this long for the log, where it is not yet seen to be on its way.
UNSEEN_US: Final = US_PER_MINUTE
EVER_US: Final = 2**62

ArrivalCause = Literal["late_data", "replay", "device_metadata", "calibration"]


class Arrival(msgspec.Struct, frozen=True):
    """One batch, or a change of what is known of a device, that touched closed windows.

    Attributes:
        marks: Log sequence by shard that the store reaches with the batch; none for a change.
    """

    id: int
    written_us: int
    marks: dict[int, int]
    cause: ArrivalCause

    def applied(self, marks: Mapping[int, int]) -> bool:
        """Say whether the store has the batch."""
        return all(marks.get(shard, 0) >= sequence for shard, sequence in self.marks.items())


class Arrivals:
    """Reads and writes announcements."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def closing_us(self) -> int:
        """Return the instant up to which windows may have been closed."""
        return self._database.counter(CLOSING)

    def announce(self, marks: Iterable[Mark], touched: Touched, cause: ArrivalCause) -> None:
        """Write an announcement."""
        with self._database.changing("madina") as change:
            self.announce_with(change, marks, touched, cause)

    def announce_with(
        self, change: Change, marks: Iterable[Mark], touched: Touched, cause: ArrivalCause
    ) -> None:
        """Write an announcement in the transaction of the change that it tells of."""
        change.connection.execute(
            insert(ArrivalRow).values(
                written_us=self._clock.now_us(),
                marks=[[mark.shard, mark.sequence] for mark in marks],
                cause=cause,
                touched=touched.keep(),
            )
        )

    def waiting(self, limit: int) -> list[Arrival]:
        """Return the oldest announcements."""
        table = ArrivalRow
        columns = (table.id, table.written_us, table.marks, table.cause)
        statement = select(*columns).order_by(table.id).limit(limit)
        with self._database.reading() as connection:
            return [_arrival(*row) for row in connection.execute(statement)]

    def touched(self, arrivals: Iterable[Arrival]) -> Touched:
        """Return what some announcements touch together."""
        ids = [arrival.id for arrival in arrivals]
        statement = select(ArrivalRow.touched).where(ArrivalRow.id.in_(ids))
        with self._database.reading() as connection:
            return Touched.merged(connection.execute(statement).scalars())

    def forget(self, arrivals: Iterable[Arrival]) -> None:
        """Delete announcements whose windows are computed."""
        ids = [arrival.id for arrival in arrivals]
        with self._database.changing("madina") as change:
            change.connection.execute(delete(ArrivalRow).where(ArrivalRow.id.in_(ids)))


class MarkedWriter:
    """Writes batches to a store and announces what they touch of the past.

    Args:
        store: Where the batches go.
        arrivals: Where they are announced.
        clock: For how long an answer of the registry is believed.
    """

    def __init__(self, store: Store, arrivals: Arrivals, clock: Clock) -> None:
        self._store = store
        self._arrivals = arrivals
        self._clock = clock
        self._closing_us = 0
        self._asked_us: int | None = None
        self._announced: list[Mark] = []

    def write(self, batch: Batch) -> None:
        """Announce and write a batch. See `Store.write`.

        Raises:
            StoreBusyError: The store, or the registry's database, cannot take it now.
            FencedError: Another owner has written.
        """
        closing_us = self._closing()
        touched = _touched(batch, max(closing_us, _may_close_us(batch)))
        if len(touched) and self._announced != batch.marks:
            self._announce(batch, touched)
        self._store.write(batch)
        self._announced = []
        # Windows may have been closed while the store was busy.
        if self._closing() != closing_us:
            later = _touched(batch, self._closing_us)
            if len(later) > len(touched):
                self._announce(batch, later)

    def _closing(self) -> int:
        now_us = self._clock.now_us()
        if self._asked_us is None or now_us - self._asked_us >= ASK_EVERY_US:
            try:
                self._closing_us = self._arrivals.closing_us()
            except SQLAlchemyError as error:
                raise _busy(error) from error
            self._asked_us = now_us
        return self._closing_us

    def _announce(self, batch: Batch, touched: Touched) -> None:
        cause: ArrivalCause = "replay" if batch.resolutions else "late_data"
        try:
            self._arrivals.announce(batch.marks, touched, cause)
        except SQLAlchemyError as error:
            raise _busy(error) from error
        self._announced = list(batch.marks)


def _touched(batch: Batch, until_us: int) -> Touched:
    if batch.observations.num_rows == 0:
        return Touched.merged(())
    return Touched.before(batch.observations, until_us)


def _may_close_us(batch: Batch) -> int:
    """Return up to where windows may be closed while a batch is being written.

    Closing waits for everything that was received, so it stays behind the oldest message here. A
    message that is replayed from quarantine was received long ago, and holds nothing back.
    """
    if batch.resolutions:
        return EVER_US
    if batch.observations.num_rows == 0:
        return 0
    oldest_us = int(batch.observations.column("received_us").to_numpy().min())
    until_us = oldest_us - SETTLE_US + UNSEEN_US
    return until_us - until_us % STEP_US


def _arrival(number: int, written_us: int, marks: list[list[int]], cause: str) -> Arrival:
    return Arrival(
        id=number,
        written_us=written_us,
        marks={mark[0]: mark[1] for mark in marks},
        cause=msgspec.convert(cause, ArrivalCause),
    )


def _busy(error: SQLAlchemyError) -> StoreBusyError:
    cause = f"late arrivals cannot be announced in the registry: {type(error).__name__}"
    return StoreBusyError(store="registry", cause=cause, retry_after_s=RETRY_S)
