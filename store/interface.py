"""What every store of time series can do; the seam that DuckDB and InfluxDB implement.

A batch is written whole or not at all, and writing it again changes nothing: observations, the
ledger's sums, quarantine and the shards' marks stand or fall together.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec
import pyarrow as pa

from city.ledger import Balance
from city.scope import Scope
from store.batch import (
    ORIGIN_SHARDS,
    Batch,
    GatewayCount,
    Kind,
    LedgerRow,
    Mark,
    QuarantineEntry,
    ReceivedRow,
    Resolution,
    Series,
    origin_of,
)
from store.errors import (
    FencedError,
    RowsRefusedError,
    StoreBusyError,
    StoreLockedError,
    StoreVersionError,
)
from store.remembered import CodecRecord, RecentKey

__all__ = [
    "LATE_SCHEMA",
    "OBSERVATION_SCHEMA",
    "ORIGIN_SHARDS",
    "SAMPLES",
    "Aggregate",
    "Batch",
    "CodecRecord",
    "FencedError",
    "GatewayCount",
    "Grain",
    "Kind",
    "LedgerGroup",
    "LedgerQuery",
    "LedgerRow",
    "LedgerSnapshot",
    "Mark",
    "ObservationQuery",
    "ParkedDevice",
    "ParkedQuery",
    "QuarantineEntry",
    "QuarantineQuery",
    "ReceivedRow",
    "RecentKey",
    "Resolution",
    "RowsRefusedError",
    "Series",
    "Store",
    "StoreBusyError",
    "StoreLockedError",
    "StoreVersionError",
    "StoredObservation",
    "origin_of",
]

# `value` is null where `other` holds the value as JSON: text, bool, integers beyond 2^53.
OBSERVATION_SCHEMA = pa.schema(
    [
        pa.field("series", pa.int32(), nullable=False),
        pa.field("time_us", pa.int64(), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("flag", pa.uint8(), nullable=False),
        pa.field("received_us", pa.int64(), nullable=False),
        pa.field("end_us", pa.int64()),
        pa.field("other", pa.string()),
        pa.field("metadata", pa.string()),
    ]
)

LATE_SCHEMA = pa.schema(
    [
        pa.field("series", pa.int32(), nullable=False),
        pa.field("time_us", pa.int64(), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("other", pa.string()),
    ]
)

Grain = Literal["minute", "hour", "day"]

# Messages of a parked device that are shown to people.
SAMPLES = 3


class ObservationQuery(msgspec.Struct, frozen=True):
    """Which observations: a device's (all or one quantity), `from` included, `to` excluded.

    Attributes:
        after: Position behind which to go on: time and series of the last row seen.
    """

    provider: str
    device: str
    quantity: str | None = None
    from_us: int | None = None
    to_us: int | None = None
    limit: int = 1_000
    after: tuple[int, int] | None = None


class StoredObservation(msgspec.Struct, frozen=True):
    """An observation as it is read back; `value` has its own type again."""

    series: int
    provider: str
    device: str
    quantity: str
    unit: str | None
    value: float | int | bool | str
    time_us: int
    end_us: int | None
    flag: int
    received_us: int
    metadata: str | None


class Aggregate(msgspec.Struct, frozen=True):
    """Numbers of one series in one grain; flags 4 and 9 are left out.

    Attributes:
        energy_mean: 10 log10 of the mean of 10^(value/10): the mean of levels in decibels.
    """

    series: int
    start_us: int
    count: int
    mean: float
    minimum: float
    maximum: float
    total: float
    last: float
    energy_mean: float


LedgerGroup = Literal["total", "minute"]


class LedgerQuery(msgspec.Struct, frozen=True):
    """Which part of the ledger; minutes from `since` (included) to `until` (excluded)."""

    since_us: int | None = None
    until_us: int | None = None
    provider: str | None = None
    route: str | None = None


class LedgerSnapshot(msgspec.Struct, frozen=True):
    """What a query of the ledger and the applied counts say at one instant, so that they agree.

    Attributes:
        balance: As `Store.ledger` returns it.
        counts: As `Store.counts` returns them.
        received: Messages received by minute, `shard` -1. Minutes have no provider and no route,
            so it is empty for a query or a scope that names one.
        rows: As `Store.ledger_rows` returns them.
    """

    balance: Balance
    counts: list[GatewayCount]
    received: list[ReceivedRow] = []
    rows: list[LedgerRow] = []


class QuarantineQuery(msgspec.Struct, frozen=True):
    """Which entries; None means any. Newest first; `before` is the id of the last one seen."""

    state: str | None = "held"
    reason: str | None = None
    provider: str | None = None
    device: str | None = None
    route: str | None = None
    shard: int | None = None
    ids: tuple[str, ...] | None = None
    limit: int = 100
    before: str | None = None


class ParkedQuery(msgspec.Struct, frozen=True):
    """Which devices with waiting messages, by provider and id; None means any.

    Attributes:
        reason: Of the entries, held or partial.
        after: Provider and device of the last one seen.
    """

    reason: str
    provider: str | None = None
    route: str | None = None
    after: tuple[str, str] | None = None
    limit: int = 100


class ParkedDevice(msgspec.Struct, frozen=True):
    """A device under whose name messages wait in quarantine.

    Attributes:
        route, codec: Of the newest of them.
        newest: Ids of the newest few, newest first.
    """

    provider: str
    device: str
    route: str
    codec: str
    messages: int
    first_us: int
    last_us: int
    newest: tuple[str, ...]


class Store(Protocol):
    """Reads and writes of one store. Writes come from one thread; reads from any."""

    def write(self, batch: Batch) -> None:
        """Apply a batch in one transaction.

        Raises:
            StoreBusyError: Nothing was written; the same batch may be written again.
            RowsRefusedError: It will never take some observations; write the batch without them.
            FencedError: Nothing was written; the writer has lost the shard.
        """
        ...

    def marks(self) -> dict[int, int]:
        """Return the last applied log sequence by shard."""
        ...

    def counts(self) -> list[GatewayCount]:
        """Return the applied counts of every gateway process and shard."""
        ...

    def series(self) -> list[Series]:
        """Return every series, by number."""
        ...

    def watermarks(self) -> pa.Table:
        """Return the newest observation of each series, of `OBSERVATION_SCHEMA`."""
        ...

    def recent(self) -> list[RecentKey]:
        """Return the last 64 keys of each device, oldest first."""
        ...

    def codec_records(self, codec: str | None = None) -> list[CodecRecord]:
        """Return the last record of each codec and key; with a name, those of one codec."""
        ...

    def find(self, late: pa.Table) -> pa.Table:
        """Return the stored first values at the (series, time) of a table of `LATE_SCHEMA`."""
        ...

    def find_conflicts(self, late: pa.Table) -> pa.Table:
        """Return the stored conflicts at the (series, time) of a table of `LATE_SCHEMA`."""
        ...

    def observations(self, scope: Scope, query: ObservationQuery) -> list[StoredObservation]:
        """Return observations by time; conflicts are included and say so in `metadata.notes`."""
        ...

    def columns(self, series: Sequence[int], from_us: int, to_us: int) -> pa.Table:
        """Return first values from `from_us` on, before `to_us`, sorted by series and time."""
        ...

    def aggregates(self, scope: Scope, query: ObservationQuery, grain: Grain) -> list[Aggregate]:
        """Return aggregates by time, grains in UTC."""
        ...

    def ledger(self, scope: Scope, query: LedgerQuery) -> Balance:
        """Return the applied part of the balance (`pending` is 0, the log knows it).

        `received` is the gateways' count; where the query or the scope names a provider or a
        route, which gateways do not know, it is the sum of what ingest decided.
        """
        ...

    def ledger_snapshot(
        self, scope: Scope, query: LedgerQuery, group: LedgerGroup = "total"
    ) -> LedgerSnapshot:
        """Return balance and counts of one instant; with `minute`, its rows by minute too."""
        ...

    def ledger_rows(self, scope: Scope, query: LedgerQuery) -> list[LedgerRow]:
        """Return sums by minute, provider and route; `shard` is -1."""
        ...

    def quarantine(self, scope: Scope, query: QuarantineQuery) -> list[QuarantineEntry]:
        """Return entries, newest first."""
        ...

    def quarantine_counts(self, scope: Scope) -> dict[str, int]:
        """Return how many held entries there are by reason."""
        ...

    def parked(self, scope: Scope, query: ParkedQuery) -> list[ParkedDevice]:
        """Return devices with waiting messages, by provider and id, `SAMPLES` newest of each."""
        ...

    def expire(self, before_us: int) -> int:
        """Delete observations older than an instant; return how many. The space is used again."""
        ...

    def close(self) -> None:
        """Flush and release the store."""
        ...
