"""Writes batches: first what they bring, then the commits that make it count, then a look around.

Called from one thread. Whatever is interrupted and done again writes the same points again.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import structlog

from store.errors import FencedError, StoreBusyError
from store.influx.address import BOOKS
from store.influx.book_lines import (
    entry_lines,
    owner_tags,
    recent_lines,
    resolution_lines,
    series_line,
)
from store.influx.catalogue import Catalogue
from store.influx.codec_records import codec_record_lines
from store.influx.commits import commit_line
from store.influx.connection import DATA, Connection, RefusedError
from store.influx.flushing import Flushing
from store.influx.observation_lines import conflict_lines, observation_lines
from store.influx.positions import PARTS, places
from store.influx.refusals import Lines, refused_lines
from store.influx.reign import Reign, Step
from store.influx.terms import claim, still_ours
from store.influx.workbench import Workbench
from store.interface import ORIGIN_SHARDS, Batch, Series, origin_of

__all__ = ["Writer"]

log = structlog.get_logger(__name__)

# One request: far below the server's limit of 25 MB.
LINES: Final = 10_000
# Commits after which the ledger's rows are written.
FLUSH_EVERY: Final = 64


class _Prepared(msgspec.Struct, frozen=True):
    """A batch as it is written, kept until it is committed.

    Attributes:
        lines: First values and conflicts, in `data` and in that order.
        data, books: Bodies of requests that come before the commits.
        entered_ns: By shard, the time of its newest quarantine entry.
        listed: By shard, how many series and resolutions its term has written.
    """

    batch: Batch
    steps: list[Step]
    lines: Lines
    data: list[bytes]
    books: list[bytes]
    commits: bytes
    entered_ns: dict[int, int]
    listed: dict[int, int]


class Writer:
    """The one that reigns over the shards of this process."""

    def __init__(self, connection: Connection, catalogue: Catalogue, workbench: Workbench) -> None:
        self._connection = connection
        self._catalogue = catalogue
        self._reigns: dict[int, Reign] = {}
        self._prepared: _Prepared | None = None
        self._flushing = Flushing(connection, workbench)
        self._unflushed: int = 0
        # Series that are known here and of which nobody can say whether they are written.
        self._unlisted: dict[int, Series] = {}
        # The highest number that records of codecs have, as far as this process knows.
        self.record_number: int = 0

    def terms(self) -> frozenset[str]:
        """Return the names of the terms that are ours."""
        return frozenset(reign.term.name for reign in [*self._reigns.values()])

    def limits(self) -> dict[int, int]:
        """Return the position up to which each of our shards is applied."""
        return {shard: reign.at for shard, reign in [*self._reigns.items()]}

    def write(self, batch: Batch) -> None:
        """Apply a batch. See `Store.write`."""
        shards = [mark.shard for mark in batch.marks]
        try:
            for shard in shards:
                if shard not in self._reigns:
                    self._reigns[shard] = Reign.begin(shard, *claim(self._connection, shard))
            prepared = self._prepare(batch)
            self._send_or_wait(prepared)
            still_ours(self._connection, {each: self._reigns[each].term for each in shards})
        except FencedError:
            # What of this batch counts is for whoever reads the chains next.
            self._prepared = None
            self._unlisted |= {each.series: each for each in batch.series}
            for shard in shards:
                self._reigns.pop(shard, None)
            raise
        self._take(prepared)
        self._tidy(prepared)

    def _prepare(self, batch: Batch) -> _Prepared:
        """Return a batch's lines; a batch that comes again gets the same."""
        if self._prepared is None or self._prepared.batch is not batch:
            steps = [self._reigns[mark.shard].step(batch, mark) for mark in batch.marks]
            if not self._catalogue.fits(batch.series):
                # Another process has made series: ingest has to number its own behind them.
                raise FencedError(shard=batch.marks[0].shard, expected=0, found=0)
            for step in steps:
                self._flushing.reopen(self._reigns[step.shard], step)
            self._catalogue.add(batch.series)
            self._prepared = self._encoded(batch, steps)
        return self._prepared

    def _encoded(self, batch: Batch, steps: list[Step]) -> _Prepared:
        usual = origin_of(batch.marks[0].shard, batch.marks[0].sequence)
        part = steps[0].at % PARTS
        origins = _origins(batch.origins, batch.observations.num_rows, usual)
        beside = _origins(batch.conflict_origins, batch.conflicts.num_rows, usual)
        lines = Lines(
            observation_lines(self._catalogue, batch.observations, places(origins, part)),
            conflict_lines(self._catalogue, batch.conflicts, places(beside, part)),
            places(origins, part),
        )
        books, entered_ns, listed = self._book_lines(batch, steps, origins)
        books += recent_lines(batch.recent, usual, part)
        commits = [
            commit_line(step.shard, self._reigns[step.shard].term.name, step.at, step.commit)
            for step in steps
        ]
        return _Prepared(
            batch, steps, lines, [*_bodies(lines.all)], [*_bodies(books)],
            "\n".join(commits).encode(), entered_ns, listed,
        )  # fmt: skip

    def _send_or_wait(self, prepared: _Prepared) -> None:
        """Write a batch; what the server refuses of the books waits until somebody has mended it.

        Raises:
            StoreBusyError: With the server's words.
            RowsRefusedError: It refuses observations.
        """
        try:
            self._send(prepared)
        except RefusedError as error:
            raise StoreBusyError(
                store=self._connection.address.name, cause=error.words, retry_after_s=1.0
            ) from error

    def _send(self, prepared: _Prepared) -> None:
        self._send_data(prepared)
        for body in prepared.books:
            self._connection.write(BOOKS, body)
        self._connection.write(BOOKS, prepared.commits)

    def _send_data(self, prepared: _Prepared) -> None:
        """Write observations; the ledger does not count what the server refuses of them.

        Raises:
            RowsRefusedError: The batch has to be built again without some of its rows.
        """
        refused: dict[int, str] = {}
        for number, body in enumerate(prepared.data):
            try:
                self._connection.write(DATA, body)
            except RefusedError as error:
                start = number * LINES
                part = prepared.lines.all[start : start + LINES]
                found = refused_lines(self._connection, part, error)
                refused |= {start + at: words for at, words in found.items()}
        if refused:
            name = self._connection.address.name
            raise prepared.lines.rows_refused(name, self._catalogue, prepared.batch, refused)

    def _book_lines(
        self, batch: Batch, steps: list[Step], origins: npt.NDArray[np.int64]
    ) -> tuple[list[str], dict[int, int], dict[int, int]]:
        """Write series, quarantine entries and resolutions, each under its shard's term."""
        lines: list[str] = []
        entered_ns: dict[int, int] = {}
        listed: dict[int, int] = {}
        series = self._by_shard(batch, origins)
        for step in steps:
            shard, reign = step.shard, self._reigns[step.shard]
            owner, number = owner_tags(shard, reign.term.name), reign.listed
            for each, made_us in series.get(shard, ()):
                number += 1
                lines.append(series_line(owner, step.at, number, each, made_us))
            entries = [each for each in batch.quarantine if each.shard == shard]
            entered, entered_ns[shard] = entry_lines(owner, step.at, reign.entered_ns, entries)
            lines += entered
            # A resolution has no shard: requests are of one, whose entries they resolve.
            if step is steps[0]:
                lines += resolution_lines(owner, step.at, number + 1, batch.resolutions)
                number += len(batch.resolutions)
            listed[shard] = number
            lines += codec_record_lines(
                shard, reign.term.name, step.at, self.record_number + 1, batch.codec_records
            )
        return lines, entered_ns, listed

    def _by_shard(
        self, batch: Batch, origins: npt.NDArray[np.int64]
    ) -> dict[int, list[tuple[Series, int]]]:
        """Return the series to write by the shard of their first observation, and its time."""
        new = list(batch.series)
        if not new and not self._unlisted:
            return {}
        numbers, first = np.unique(
            batch.observations.column("series").to_numpy(), return_index=True
        )
        received = batch.observations.column("received_us").to_numpy()[first].tolist()
        shards = (origins[first] % ORIGIN_SHARDS).tolist()
        seen = dict(zip(numbers.tolist(), zip(shards, received, strict=True), strict=True))
        new += [each for number, each in self._unlisted.items() if number in seen]
        usual = (batch.marks[0].shard, batch.received[0].minute_us if batch.received else 0)
        found: dict[int, list[tuple[Series, int]]] = {}
        for each in new:
            shard, made_us = seen.get(each.series, usual)
            found.setdefault(shard, []).append((each, made_us))
        return found

    def _take(self, prepared: _Prepared) -> None:
        for step in prepared.steps:
            reign = self._reigns[step.shard]
            reign.take(step)
            reign.entered_ns = prepared.entered_ns[step.shard]
            reign.listed = prepared.listed[step.shard]
        self.record_number += bool(prepared.batch.codec_records)
        for number in {each.series for each in prepared.batch.series} & self._unlisted.keys():
            del self._unlisted[number]
        self._prepared = None

    def _tidy(self, prepared: _Prepared) -> None:
        """Flush when it is due; the batch is in, so a failure only waits for the next."""
        first = prepared.steps[0]
        self._flushing.settle_later(first.shard, first.at, prepared.batch.resolutions)
        self._unflushed += 1
        if self._unflushed < FLUSH_EVERY and not prepared.batch.resolutions:
            return
        try:
            self._flushing.flush(list(self._reigns.values()))
        except (StoreBusyError, RefusedError) as error:
            log.warning("flush.deferred", cause=str(error))
            return
        self._unflushed = 0


def _origins(origins: npt.NDArray[np.int64] | None, rows: int, usual: int) -> npt.NDArray[np.int64]:
    return np.full(rows, usual, np.int64) if origins is None else origins


def _bodies(lines: Sequence[str]) -> Iterator[bytes]:
    for start in range(0, len(lines), LINES):
        yield "\n".join(lines[start : start + LINES]).encode()
