"""What makes a batch count: one point a shard and batch, written last.

InfluxDB has no transactions, but a point is written whole or not at all. So all that must change
together is in one: how far the shard is applied, the sums that the ledger adds, the ledger's
totals, and the gateways' counts. What a batch wrote before counts once its commit is there.

A writer reigns over a shard for a term. Each term's commits are in a series of their own, and name
the term and position that they build on. The highest term with commits is the head of the chain;
what an earlier term wrote counts up to the position on which the next one built. So a writer that
was stopped and wakes up writes where nobody looks.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from store.influx.connection import Answer
from store.influx.line_protocol import tag, text
from store.interface import LedgerRow

__all__ = [
    "COMMITS",
    "SUMS",
    "Chain",
    "Commit",
    "Link",
    "Sums",
    "chain_of",
    "commit_line",
    "read_commits",
    "sums_of",
]

COMMITS: Final = "commits"
# A string field is documented to hold 64 KB.
CHUNK: Final = 16_384
# Received, then the sums of `LedgerRow` in its order.
SUMS: Final = ("received", *LedgerRow.__struct_fields__[4:])
Sums = list[int]


class Commit(msgspec.Struct, array_like=True):
    """One batch's part of one shard.

    Attributes:
        mark: Log sequence up to which the shard is applied.
        base_term, base_at: What the term builds on; empty and 0 for nothing.
        totals: The shard's sums since ever, in the order of `SUMS`.
        counts: Gateway, epoch and count of those that the shard heard of lately.
        flushed: Commits of this term up to this position are in the ledger's rows.
        added: Minute, provider, route and sums that this batch adds.
        revision: How often quarantine of the shard has changed.
    """

    mark: int
    base_term: str
    base_at: int
    totals: Sums
    counts: list[tuple[str, int, int]]
    flushed: int
    added: list[tuple[int, str, str, Sums]]
    revision: int = 0


class Link(msgspec.Struct, frozen=True):
    """A term and the position up to which it counts."""

    term: str
    limit: int


class Chain(msgspec.Struct, frozen=True):
    """What counts of a shard.

    Attributes:
        links: Newest term first.
        head: The last commit that counts.
        flushed: By term, as its last commit says.
    """

    links: list[Link]
    head: Commit
    flushed: dict[str, int]

    @property
    def at(self) -> int:
        """Return the position of the head."""
        return self.links[0].limit

    def grown(self, later: Sequence[tuple[str, int, Commit]]) -> "Chain":
        """Return the chain with commits of its head's term (term, position, content) behind it."""
        newest = max(
            (each for each in later if each[0] == self.links[0].term),
            key=lambda each: each[1],
            default=None,
        )
        if newest is None or newest[1] <= self.at:
            return self
        links = [Link(newest[0], newest[1]), *self.links[1:]]
        return Chain(links, newest[2], {**self.flushed, newest[0]: newest[2].flushed})

    def counts(self, term: str, at: int | None) -> bool:
        """Say whether what a term wrote at a position counts; without one it is being written."""
        return at is not None and any(link.term == term and at <= link.limit for link in self.links)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Commit)


def commit_line(shard: int, term: str, at: int, commit: Commit) -> str:
    """Write a commit; its position is the point's time."""
    whole = _encoder.encode(commit).decode()
    chunks = [whole[start : start + CHUNK] for start in range(0, len(whole), CHUNK)]
    fields = ",".join(f"part{number}={text(chunk)}" for number, chunk in enumerate(chunks))
    return f"{COMMITS},shard={shard},term={tag(term)} {fields} {at}"


def read_commits(answers: Sequence[Answer]) -> Iterator[tuple[int, str, int, Commit]]:
    """Return shard, term, position and commit of an answer grouped by shard and term.

    A server shows the fields of a point that it is writing one after the other: a commit of which
    a part is missing does not count yet.
    """
    for answer in answers:
        shard, term = int(answer.tags["shard"]), answer.tags["term"]
        names = sorted(answer.columns[1:], key=lambda name: int(name.removeprefix("part")))
        for row in answer.rows():
            whole = "".join(row[name] or "" for name in names)
            with contextlib.suppress(msgspec.DecodeError):
                yield shard, term, row["time"], _decoder.decode(whole)


def chain_of(last: Mapping[str, tuple[int, Commit]]) -> Chain:
    """Return what counts of a shard.

    Args:
        last: Position and content of the last commit of each term.
    """
    term = max(last)
    limit, head = last[term]
    links = [Link(term, limit)]
    commit = head
    while commit.base_term:
        links.append(Link(commit.base_term, commit.base_at))
        commit = last[commit.base_term][1]
    return Chain(links, head, {name: each.flushed for name, (_, each) in last.items()})


def sums_of(row: LedgerRow) -> Sums:
    """Return what a row adds, in the order of `SUMS`."""
    return [
        0, row.accepted, row.quarantined, row.duplicate, row.decoded, row.stored,
        row.duplicate_observations, row.rejected, row.conflict,
    ]  # fmt: skip
