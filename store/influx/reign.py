"""What a writer knows of a shard while it reigns over it: sums, counts, and what is not flushed."""

from typing import Final

import msgspec

from store.influx.commits import SUMS, Chain, Commit, Sums, sums_of
from store.influx.positions import PARTS, position
from store.influx.terms import Term
from store.interface import Batch, FencedError, Mark

__all__ = ["COUNTS_KEPT", "Reign", "RowKey", "Step"]

RowKey = tuple[int, str, str]
# Gateway processes whose counts a commit carries; of older ones each has a point.
COUNTS_KEPT: Final = 64


class Step(msgspec.Struct, frozen=True):
    """What a batch makes of a shard; believed once it is committed.

    Attributes:
        retired: Counts that commits do not carry any more.
    """

    shard: int
    at: int
    commit: Commit
    counts: dict[tuple[str, int], int]
    retired: dict[tuple[str, int], int]


class Reign(msgspec.Struct):
    """A shard during one term.

    Attributes:
        at: Position of the last commit.
        totals: Sums since ever, in the order of `SUMS`.
        counts: By gateway and epoch, the latest last.
        rows: Sums of this term by minute, provider and route, of the minutes that are open.
        unflushed: Keys of rows that have changed since they were last written.
        closed_before_us: Rows of earlier minutes are not in `rows`.
        retired: Counts that wait to be written by themselves.
        entered_ns: Time of the newest quarantine entry of this term.
        listed: Series and resolutions that this term has written; the last one's number.
        revision: How often quarantine of this shard has changed.
    """

    shard: int
    term: Term
    base_term: str = ""
    base_at: int = 0
    at: int = 0
    mark: int = 0
    totals: Sums = msgspec.field(default_factory=lambda: [0] * len(SUMS))
    counts: dict[tuple[str, int], int] = {}
    flushed: int = 0
    rows: dict[RowKey, Sums] = {}
    unflushed: set[RowKey] = set()
    closed_before_us: int = 0
    retired: dict[tuple[str, int], int] = {}
    entered_ns: int = 0
    listed: int = 0
    revision: int = 0

    @classmethod
    def begin(cls, shard: int, term: Term, chain: Chain | None) -> "Reign":
        """Begin a term on what is there."""
        if chain is None:
            return cls(shard, term)
        head = chain.head
        return cls(
            shard,
            term,
            base_term=chain.links[0].term,
            base_at=chain.at,
            at=chain.at,
            mark=head.mark,
            totals=list(head.totals),
            counts={(gateway, epoch): count for gateway, epoch, count in head.counts},
            revision=head.revision,
        )

    def step(self, batch: Batch, mark: Mark) -> Step:
        """Return what a batch makes of this shard; nothing is believed yet.

        Raises:
            FencedError: The batch builds on another mark.
        """
        if mark.previous != self.mark:
            raise FencedError(shard=self.shard, expected=mark.previous, found=self.mark)
        added: dict[RowKey, Sums] = {}
        for row in batch.received:
            if row.shard == self.shard:
                _add(added, (row.minute_us, "", ""), [row.received, *[0] * (len(SUMS) - 1)])
        for row in batch.ledger:
            if row.shard == self.shard:
                _add(added, (row.minute_us, row.provider, row.route), sums_of(row))
        counts = dict(self.counts)
        for of in batch.counts:
            if of.shard == self.shard:
                key = (of.gateway, of.epoch)
                counts[key] = max(of.count, counts.pop(key, 0))
        retired = {key: counts.pop(key) for key in [*counts][:-COUNTS_KEPT]}
        totals = [sum(column) for column in zip(self.totals, *added.values(), strict=True)]
        commit = Commit(
            mark=mark.sequence,
            base_term=self.base_term,
            base_at=self.base_at,
            totals=totals,
            counts=[(*key, count) for key, count in counts.items()],
            flushed=self.flushed,
            added=[(*key, sums) for key, sums in added.items()],
            revision=self.revision + bool(batch.quarantine or batch.resolutions),
        )
        return Step(self.shard, self._next(batch, mark), commit, counts, retired)

    def take(self, step: Step) -> None:
        """Believe a step: its commit is written and counts."""
        self.at, self.mark = step.at, step.commit.mark
        self.totals, self.counts = step.commit.totals, step.counts
        self.revision = step.commit.revision
        self.retired.update(step.retired)
        for minute_us, provider, route, sums in step.commit.added:
            _add(self.rows, (minute_us, provider, route), sums)
            self.unflushed.add((minute_us, provider, route))

    def closed(self, step: Step) -> list[RowKey]:
        """Return the rows that a step adds to and that are not at hand."""
        keys = [(minute, provider, route) for minute, provider, route, _ in step.commit.added]
        return [key for key in keys if key[0] < self.closed_before_us and key not in self.rows]

    def _next(self, batch: Batch, mark: Mark) -> int:
        if mark.sequence > mark.previous:
            return position(mark.sequence)
        sequence, part = divmod(self.at, PARTS)
        request = batch.request or mark.sequence + 1
        return position(request, part + 1 if sequence == request else 1)


def _add(rows: dict[RowKey, Sums], key: RowKey, sums: Sums) -> None:
    known = rows.get(key)
    if known is None:
        rows[key] = list(sums)
    else:
        for at, count in enumerate(sums):
            known[at] += count
