"""A store that keeps nothing but proof of what it was given: what ingest costs without a database.

It fences like a real one, counts what it is told and makes a digest of every observation. What
that costs is measured and left out, as a database that both sides share would be.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from bench.digest import Digest, DigestOfSeries
from city.ledger import Balance, MessageCounts, ObservationCounts
from store.interface import (
    OBSERVATION_SCHEMA,
    Aggregate,
    FencedError,
    GatewayCount,
    LedgerSnapshot,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from bench.commit_log import CommitLog
    from city.scope import Scope
    from store.interface import (
        Batch,
        CodecRecord,
        Grain,
        LedgerGroup,
        LedgerQuery,
        LedgerRow,
        ObservationQuery,
        ParkedDevice,
        ParkedQuery,
        QuarantineEntry,
        QuarantineQuery,
        RecentKey,
        Series,
        Store,
        StoredObservation,
    )

__all__ = ["NullStore", "NullStoreFacts"]

SUMS = (
    "accepted",
    "quarantined",
    "duplicate",
    "decoded",
    "stored",
    "rejected",
    "duplicate_observations",
)


class NullStoreFacts(msgspec.Struct, frozen=True):
    """What a null store was given.

    Attributes:
        digest: Of the observations.
        cpu_s: What counting has cost the thread that writes.
        applied: Messages applied, by the gateways' own counts.
        accepted, quarantined, duplicate: Messages, from the ledger's rows.
        decoded, stored, rejected, duplicate_observations: Observations, from the ledger's rows.
        received: Messages received, from the frames' headers.
        quarantine: Reasons of quarantine entries and how many there were of each.
    """

    digest: Digest
    batches: int
    cpu_s: float
    applied: int
    received: int
    accepted: int
    quarantined: int
    duplicate: int
    decoded: int
    stored: int
    rejected: int
    duplicate_observations: int
    quarantine: dict[str, int]

    @property
    def difference(self) -> int:
        """The ledger's: 0 where every message and observation is accounted for."""
        messages = self.received - self.accepted - self.quarantined - self.duplicate
        observations = self.decoded - self.stored - self.duplicate_observations - self.rejected
        return abs(messages) + abs(observations) + abs(self.received - self.applied)


class NullStore:
    """`store.interface.Store` without rows. Written from one thread, asked from any."""

    def __init__(self, behind: Store | None = None, commits: CommitLog | None = None) -> None:
        """Take what else is to be told of every batch.

        Args:
            behind: A store that is new: batches are written to it first.
            commits: Remembers when observations were committed.
        """
        self._behind = behind
        self._commits = commits
        self._marks: dict[int, int] = {}
        self._counts: dict[tuple[str, int, int], int] = {}
        self._digest = DigestOfSeries()
        self._batches = 0
        self._cpu_s = 0.0
        self._received = 0
        self._sums = dict.fromkeys(SUMS, 0)
        self._quarantine: dict[str, int] = {}

    @property
    def applied(self) -> int:
        """Messages applied, by the gateways' own counts."""
        return sum(list(self._counts.values()))

    def facts(self) -> NullStoreFacts:
        """Return what was written so far; ask when nothing is being written."""
        return NullStoreFacts(
            digest=self._digest.digest(),
            batches=self._batches,
            cpu_s=self._cpu_s,
            applied=self.applied,
            received=self._received,
            quarantine=self._quarantine,
            **self._sums,
        )

    def write(self, batch: Batch) -> None:
        """Count a batch. See `Store.write`."""
        for mark in batch.marks:
            found = self._marks.get(mark.shard, 0)
            if found != mark.previous:
                raise FencedError(shard=mark.shard, expected=mark.previous, found=found)
        if self._behind is not None:
            self._behind.write(batch)
        began_s = time.thread_time()
        if self._commits is not None:
            self._commits.add(batch)
        self._count(batch)
        self._cpu_s += time.thread_time() - began_s

    def _count(self, batch: Batch) -> None:
        self._marks.update({mark.shard: mark.sequence for mark in batch.marks})
        self._received += sum(each.received for each in batch.received)
        self._add_ledger(batch.ledger)
        for series in batch.series:
            number = self._digest.name(series.device, series.quantity)
            assert number == series.series, "series numbers are dense"
        for table in (batch.observations, batch.conflicts):
            self._add_rows(table)
        for entry in batch.quarantine:
            self._quarantine[entry.reason] = self._quarantine.get(entry.reason, 0) + 1
        self._batches += 1
        # Last, because another thread asks for the facts once all messages are applied.
        self._counts.update(
            {(each.gateway, each.epoch, each.shard): each.count for each in batch.counts}
        )

    def _add_ledger(self, rows: list[LedgerRow]) -> None:
        for row in rows:
            for name in SUMS:
                self._sums[name] += getattr(row, name)

    def _add_rows(self, table: pa.Table) -> None:
        if table.num_rows:
            self._digest.add(
                table.column("series").to_numpy(),
                table.column("time_us").to_numpy(),
                table.column("value").to_numpy(),
            )

    def marks(self) -> dict[int, int]:
        """See `Store.marks`."""
        return dict(self._marks)

    def counts(self) -> list[GatewayCount]:
        """See `Store.counts`."""
        return [GatewayCount(*key, count) for key, count in self._counts.items()]

    def series(self) -> list[Series]:
        """Return nothing: this store is always new."""
        assert not self._marks, "what was written is gone"
        return []

    def watermarks(self) -> pa.Table:
        """Return nothing."""
        return OBSERVATION_SCHEMA.empty_table()

    def codec_records(self, codec: str | None = None) -> list[CodecRecord]:
        """Return nothing."""
        return []

    def recent(self) -> list[RecentKey]:
        """Return nothing."""
        return []

    def find(self, late: pa.Table) -> pa.Table:
        """Find nothing."""
        return late.slice(0, 0)

    def find_conflicts(self, late: pa.Table) -> pa.Table:
        """Find nothing."""
        return late.slice(0, 0)

    def observations(self, scope: Scope, query: ObservationQuery) -> list[StoredObservation]:
        """Return nothing."""
        return []

    def columns(self, series: Sequence[int], from_us: int, to_us: int) -> pa.Table:
        """Return none."""
        return OBSERVATION_SCHEMA.empty_table()

    def aggregates(self, scope: Scope, query: ObservationQuery, grain: Grain) -> list[Aggregate]:
        """Return nothing."""
        return []

    def ledger(self, scope: Scope, query: LedgerQuery) -> Balance:
        """Return the sums of everything."""
        sums = self._sums
        return Balance(
            messages=MessageCounts(
                received=self._received,
                accepted=sums["accepted"],
                quarantined=sums["quarantined"],
                duplicate=sums["duplicate"],
            ),
            observations=ObservationCounts(
                decoded=sums["decoded"],
                stored=sums["stored"],
                duplicate=sums["duplicate_observations"],
                rejected=sums["rejected"],
            ),
        )

    def ledger_snapshot(
        self,
        scope: Scope,
        query: LedgerQuery,
        group: LedgerGroup = "total",
    ) -> LedgerSnapshot:
        """Return the applied counts."""
        return LedgerSnapshot(self.ledger(scope, query), self.counts())

    def ledger_rows(self, scope: Scope, query: LedgerQuery) -> list[LedgerRow]:
        """Return nothing."""
        return []

    def quarantine(self, scope: Scope, query: QuarantineQuery) -> list[QuarantineEntry]:
        """Return nothing."""
        return []

    def quarantine_counts(self, scope: Scope) -> dict[str, int]:
        """Return the reasons."""
        return dict(self._quarantine)

    def parked(self, scope: Scope, query: ParkedQuery) -> list[ParkedDevice]:
        """Return nothing."""
        return []

    def expire(self, before_us: int) -> int:
        """Delete nothing."""
        return 0

    def close(self) -> None:
        """Close what is behind."""
        if self._behind is not None:
            self._behind.close()
