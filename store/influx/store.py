"""`store.interface.Store` on an InfluxDB server."""

import threading
import time
from collections.abc import Callable, Sequence

import pyarrow as pa

from city.ledger import Balance
from city.scope import Scope
from store.influx.address import InfluxAddress
from store.influx.aggregates import read_aggregates
from store.influx.buckets import provision_buckets
from store.influx.catalogue import Catalogue
from store.influx.codec_records import read_codec_records
from store.influx.connection import TIMEOUT_S, Connection
from store.influx.expiry import expire
from store.influx.following import Following
from store.influx.ledger import Ledger
from store.influx.limits import ServerLimits, server_limits
from store.influx.lookups import find, find_conflicts, read_recent, read_watermarks
from store.influx.points import Limits
from store.influx.provision import missing, provision
from store.influx.reading import read_columns, read_observations
from store.influx.terms import read_chains
from store.influx.workbench import Workbench
from store.influx.writer import Writer
from store.interface import (
    Aggregate,
    Batch,
    CodecRecord,
    GatewayCount,
    Grain,
    LedgerGroup,
    LedgerQuery,
    LedgerRow,
    LedgerSnapshot,
    ObservationQuery,
    ParkedDevice,
    ParkedQuery,
    QuarantineEntry,
    QuarantineQuery,
    RecentKey,
    Series,
    StoredObservation,
)

__all__ = ["InfluxStore"]


class InfluxStore:
    """Any number of processes may open one database; each shard has one writer at a time."""

    def __init__(
        self,
        address: InfluxAddress,
        *,
        timeout_s: float = TIMEOUT_S,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take a clock for durations only. Nothing is asked of the server yet."""
        self.address = address
        self._connection = Connection(address, timeout_s)
        self._catalogue = Catalogue()
        self._workbench = Workbench(self._connection)
        self._writer = Writer(self._connection, self._catalogue, self._workbench)
        self._following = Following(self._connection, self._catalogue, self._writer.terms, seconds)
        self._ledger = Ledger(self._connection)
        self._writing = threading.RLock()
        self._read_limits: Limits = {}

    def write(self, batch: Batch) -> None:
        """Apply a batch. See `Store.write`; of a `FencedError` other shards' part may count."""
        with self._writing:
            self._writer.write(batch)

    def marks(self) -> dict[int, int]:
        """Return the last applied log sequence by shard."""
        chains = read_chains(self._connection)
        self._read_limits = {shard: chain.at for shard, chain in chains.items()}
        return {shard: chain.head.mark for shard, chain in chains.items()}

    def counts(self) -> list[GatewayCount]:
        """Return the applied counts of every gateway process and shard."""
        return self._ledger.counts()

    def series(self) -> list[Series]:
        """Return every series, by the numbers of this process."""
        self._following.look(read_chains(self._connection))
        return self._catalogue.series()

    def watermarks(self) -> pa.Table:
        """Return the newest observation of each series, of `OBSERVATION_SCHEMA`."""
        self._following.look_if_due()
        return read_watermarks(self._connection, self._catalogue, self._limits())

    def recent(self) -> list[RecentKey]:
        """Return the last 64 keys of each device, oldest first."""
        return read_recent(self._connection, self._limits())

    def codec_records(self, codec: str | None = None) -> list[CodecRecord]:
        """Return the last record of each codec and key; with a name, those of one codec."""
        chains = read_chains(self._connection)
        records, highest = read_codec_records(self._connection, chains, codec)
        self._writer.record_number = max(self._writer.record_number, highest)
        return records

    def find(self, late: pa.Table) -> pa.Table:
        """Return the stored first values at the (series, time) of a table of `LATE_SCHEMA`."""
        return find(self._connection, self._catalogue, late, self._limits())

    def find_conflicts(self, late: pa.Table) -> pa.Table:
        """Return the stored conflicts at the (series, time) of a table of `LATE_SCHEMA`."""
        return find_conflicts(self._connection, self._catalogue, late, self._limits())

    def observations(self, scope: Scope, query: ObservationQuery) -> list[StoredObservation]:
        """Return observations by time. See `Store.observations`."""
        if not scope.admits(query.provider):
            return []
        self._following.look_if_due()
        return read_observations(self._connection, self._catalogue, query)

    def columns(self, series: Sequence[int], from_us: int, to_us: int) -> pa.Table:
        """Return first values by series and time. See `Store.columns`."""
        return read_columns(self._connection, self._catalogue, series, from_us, to_us)

    def aggregates(self, scope: Scope, query: ObservationQuery, grain: Grain) -> list[Aggregate]:
        """Return aggregates by time, grains in UTC."""
        if not scope.admits(query.provider):
            return []
        self._following.look_if_due()
        return read_aggregates(self._connection, self._catalogue, query, grain)

    def ledger(self, scope: Scope, query: LedgerQuery) -> Balance:
        """Return the applied part of the balance. See `Store.ledger`."""
        return self._ledger.snapshot(scope, query).balance

    def ledger_snapshot(
        self, scope: Scope, query: LedgerQuery, group: LedgerGroup = "total"
    ) -> LedgerSnapshot:
        """Return balance and counts of one instant; with `minute`, its rows by minute too."""
        return self._ledger.snapshot(scope, query, group)

    def ledger_rows(self, scope: Scope, query: LedgerQuery) -> list[LedgerRow]:
        """Return sums by minute, provider and route; `shard` is -1."""
        return self._ledger.rows(scope, query)

    def quarantine(self, scope: Scope, query: QuarantineQuery) -> list[QuarantineEntry]:
        """Return entries, newest first."""
        return self._workbench.entries(scope, query)

    def quarantine_counts(self, scope: Scope) -> dict[str, int]:
        """Return how many held entries there are by reason."""
        return self._workbench.held_counts(scope)

    def parked(self, scope: Scope, query: ParkedQuery) -> list[ParkedDevice]:
        """Return devices with waiting messages, by provider and id."""
        return self._workbench.parked(scope, query)

    def expire(self, before_us: int) -> int:
        """Delete observations and conflicts older than an instant. See `Store.expire`."""
        with self._writing:
            return expire(self._connection, before_us)

    def missing(self) -> str | None:
        """Say what the server has not got that `provision` makes; None where all is there.

        Raises:
            StoreBusyError: The server does not answer; `DeniedError` where it does not let us in.
        """
        return missing(self._connection)

    def provision(self, keep_days: int | None) -> list[str]:
        """Make what is missing and set how long observations are kept; return what was done.

        Raises:
            StoreBusyError: The server does not answer, or forbids it.
        """
        if self.address.version == 1:
            return provision(self._connection, keep_days=keep_days)
        return provision_buckets(self.address, keep_days=keep_days)

    def server_limits(self) -> ServerLimits | None:
        """Ask a server of version 1 for its limits; others have none that matter here.

        Raises:
            StoreBusyError: It does not answer, or shows them to administrators only.
        """
        return server_limits(self._connection) if self.address.version == 1 else None

    def close(self) -> None:
        """Release the connections. Closing twice is allowed."""
        self._connection.close()

    def _limits(self) -> Limits:
        """Return how far each shard is applied: as this process wrote it, else as it read it."""
        if not self._read_limits:
            self.marks()
        return {**self._read_limits, **self._writer.limits()}
