"""Which process computes standing indicators, and how far it has come; both in the registry.

The lease is renewed in the transaction that says how far closing has come, so a process that was
stopped and wakes up finds that it has lost the lease before it says anything.
"""

from typing import Final

from sqlalchemy import Connection, or_, select, update

from city.clock import US_PER_S, Clock
from indicators.arrivals import CLOSING
from registry.database import Database
from registry.result_tables import LeaseRow
from registry.tables import CounterRow

__all__ = ["Lease", "LeaseLostError", "Progress"]

NAME: Final = "indicators"
CLOSED: Final = "closed"
LEASE_US: Final = 30 * US_PER_S


class LeaseLostError(Exception):
    """Another process computes now; nothing was changed."""


class Progress:
    """Up to where windows are being closed, and up to where all of them are; microseconds UTC."""

    def __init__(self, closing_us: int, closed_us: int) -> None:
        self.closing_us = closing_us
        self.closed_us = closed_us


class Lease:
    """The right to compute, of one process.

    Args:
        database: Of the registry.
        clock: The leases of several hosts need clocks that agree to some seconds.
        holder: Names this process among all.
    """

    def __init__(self, database: Database, clock: Clock, holder: str) -> None:
        self._database = database
        self._clock = clock
        self._holder = holder

    def take(self) -> bool:
        """Take or renew the lease; return whether it is ours."""
        with self._database.changing("madina") as change:
            return self._renewed(change.connection)

    def release(self) -> None:
        """Let another process begin at once."""
        with self._database.changing("madina") as change:
            ours = (LeaseRow.name == NAME) & (LeaseRow.holder == self._holder)
            change.connection.execute(update(LeaseRow).where(ours).values(until_us=0))

    def progress(self) -> Progress:
        """Return how far closing has come."""
        names = (CLOSING, CLOSED)
        statement = select(CounterRow.name, CounterRow.value).where(CounterRow.name.in_(names))
        with self._database.reading() as connection:
            found = {row.name: row.value for row in connection.execute(statement)}
        return Progress(found[CLOSING], found[CLOSED])

    def closing(self, until_us: int) -> None:
        """Say that windows known by an instant are about to be closed.

        Raises:
            LeaseLostError: If another process has taken the lease.
        """
        self._advance(CLOSING, until_us)

    def closed(self, until_us: int) -> None:
        """Say that every window known by an instant is closed.

        Raises:
            LeaseLostError: If another process has taken the lease.
        """
        self._advance(CLOSED, until_us)

    def _advance(self, counter: str, until_us: int) -> None:
        with self._database.changing("madina") as change:
            if not self._renewed(change.connection):
                raise LeaseLostError
            forward = (CounterRow.name == counter) & (CounterRow.value < until_us)
            change.connection.execute(update(CounterRow).where(forward).values(value=until_us))

    def _renewed(self, connection: Connection) -> bool:
        now_us = self._clock.now_us()
        free = or_(LeaseRow.holder == self._holder, LeaseRow.until_us < now_us)
        taken = connection.execute(
            update(LeaseRow)
            .where(LeaseRow.name == NAME, free)
            .values(holder=self._holder, until_us=now_us + LEASE_US)
        )
        return taken.rowcount == 1
