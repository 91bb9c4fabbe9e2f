"""Turns frames into batches, one segment after the other, and writes them.

A segment is a stretch of ordinary frames, or one frame that asks for a replay or a drop: what it
changes depends on everything before it, so that has to be in the store first.
"""

from __future__ import annotations

import time
from itertools import product
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
import structlog

from city.frame import Control, ControlKind, FrameError, decode_frame
from city.replay import ReplayRequest, encode_request
from ingest.apply.batching import digest, settle
from ingest.apply.live_sample import live_sample
from ingest.apply.memory import ApplierSettings, Memory
from ingest.apply.refusing import refused_rows
from ingest.apply.replaying import decided, resolve
from ingest.apply.stretch import DecodedFrame, Stretch
from ingest.apply.tally import received_rows
from ingest.apply.watermarks import Verdict
from ingest.codecs.seam import Remembered
from ingest.seams import Applied
from registry.errors import RegistryAwayError
from store.interface import (
    OBSERVATION_SCHEMA,
    Batch,
    GatewayCount,
    Mark,
    RowsRefusedError,
    origin_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy.typing as npt
    import pyarrow as pa

    from city.frame import Frame
    from city.live import LiveObservation
    from city.requests import Request
    from ingest.apply.refusing import Refusals
    from ingest.apply.replaying import Tried
    from ingest.apply.rows import Rows
    from ingest.apply.said import Said
    from ingest.codecs.seam import Codec, Released
    from ingest.seams import LoggedFrame, RegistrySource
    from store.interface import Store

__all__ = ["Applier", "ApplierSettings"]

log = structlog.get_logger(__name__)

NOTHING: Final = OBSERVATION_SCHEMA.empty_table()
# Who asks for a replay that no person asked for.
INGEST: Final = "ingest"
REQUESTS: Final = frozenset({ControlKind.REPLAY, ControlKind.DROP})


class _Written(msgspec.Struct):
    """What one call of `apply` has come to so far."""

    messages: int = 0
    observations: int = 0
    oldest_us: int = 0
    commit_s: float = 0.0
    commit_cpu_s: float = 0.0
    live: list[LiveObservation] = []
    requests: list[Request] = []


class _Segment(msgspec.Struct):
    """Frames that go into one batch.

    Attributes:
        ends: Last log sequence by shard.
        requests: Replays and drops; then `frames` is the one frame that asks.
    """

    frames: list[DecodedFrame] = []
    ends: dict[int, int] = {}
    requests: list[Control] = []


class _Prepared(msgspec.Struct, frozen=True):
    """A batch that is built and not yet known to be written.

    Attributes:
        without: Builds it again without what the store refuses; asked before anything else is.
    """

    batch: Batch
    without: Callable[[RowsRefusedError], _Prepared]
    messages: int = 0
    oldest_us: int = 0
    live: list[LiveObservation] = []
    remembered: Remembered = Remembered()


class Applier:
    """`ingest.seams.Applying` with every rule. Called from one thread."""

    def __init__(
        self,
        store: Store,
        registry: RegistrySource,
        settings: ApplierSettings,
        codecs: Mapping[str, Codec],
        seconds: Callable[[], float] = time.perf_counter,
        write: Callable[[Batch], None] | None = None,
    ) -> None:
        """Take a clock for durations only: instants come from the log.

        Args:
            store: What is known, and where batches go.
            registry: The relational facts.
            settings: Of the platform.
            codecs: By name.
            seconds: For durations.
            write: Takes batches on their way to the store; None: nobody does.
        """
        self._store = store
        self._write_batch = write
        self._registry = registry
        self._settings = settings
        self._codecs = codecs
        self._seconds = seconds
        self._known: Memory | None = None
        self._prepared: _Prepared | None = None

    def load(self) -> dict[int, int]:
        """Read what the store knows, afresh. See `Applying.load`."""
        self._prepared = None
        self._known = Memory(self._store, self._registry, self._settings, self._codecs)
        return dict(self._known.marks)

    def counted(self, data: bytes) -> bool | None:
        """Say whether the messages of a frame are applied. See `Applying.counted`."""
        try:
            frame = decode_frame(data)
        except FrameError:
            return None
        if not frame.topics:
            return None
        if self._known is None:
            self.load()
        return frame.count_after <= self._memory.counts.get(frame.key, 0)

    def apply(self, frames: list[LoggedFrame]) -> Applied:
        """Decide every message of some frames. See `Applying.apply`."""
        try:
            return self._apply(frames)
        except RegistryAwayError:
            # A batch may be half decided: what is in memory cannot be trusted any more.
            self._known = self._prepared = None
            raise

    def _apply(self, frames: list[LoggedFrame]) -> Applied:
        if self._known is None:
            self.load()
        began_s, began_cpu_s = self._seconds(), time.thread_time()
        memory = self._memory
        written = _Written()
        if self._prepared is not None:
            self._write(self._prepared, written)
        memory.refresh()
        marks = memory.marks
        new = [frame for frame in frames if frame.sequence > marks.get(frame.shard, 0)]
        for segment in _segments(new):
            for prepared in self._prepare(segment):
                self._write(prepared, written)
        return Applied(
            sequences={frame.shard: marks.get(frame.shard, 0) for frame in frames},
            messages=written.messages,
            observations=written.observations,
            oldest_us=written.oldest_us,
            work_s=self._seconds() - began_s - written.commit_s,
            commit_s=written.commit_s,
            work_cpu_s=time.thread_time() - began_cpu_s - written.commit_cpu_s,
            commit_cpu_s=written.commit_cpu_s,
            live=written.live,
            requests=written.requests,
        )

    @property
    def _memory(self) -> Memory:
        assert self._known is not None, "load comes first"
        return self._known

    def _write(self, prepared: _Prepared, written: _Written) -> None:
        """Write a batch; one that the store cannot take now is kept and comes first next time."""
        began_s, began_cpu_s = self._seconds(), time.thread_time()
        prepared = self._written(prepared)
        self._prepared = None
        written.commit_s += self._seconds() - began_s
        written.commit_cpu_s += time.thread_time() - began_cpu_s
        batch, memory = prepared.batch, self._memory
        memory.marks.update({mark.shard: mark.sequence for mark in batch.marks})
        written.messages += prepared.messages
        written.observations += batch.observations.num_rows + batch.conflicts.num_rows
        written.oldest_us = written.oldest_us or prepared.oldest_us
        written.live = [*written.live, *prepared.live]
        written.requests = [*written.requests, *prepared.remembered.requests]

    def _written(self, prepared: _Prepared) -> _Prepared:
        """Write a batch, without what the store will never take; return what was written."""
        while True:
            self._prepared = prepared
            try:
                (self._write_batch or self._store.write)(prepared.batch)
            except RowsRefusedError as error:
                log.warning("observations.refused", cause=str(error))
                prepared = prepared.without(error)
            else:
                return prepared

    def _prepare(self, segment: _Segment) -> Iterator[_Prepared]:
        """Build the batches of a segment; the last one moves the marks."""
        for control in segment.requests:
            self._memory.refresh()
            try:
                yield from self._resolutions(*next(iter(segment.ends.items())), control)
            except msgspec.MsgspecError as error:
                log.warning("request.unreadable", asked_by=control.client, cause=str(error))
        prepared = self._stretch(segment)
        yield prepared
        for released in prepared.remembered.released:
            yield from self._released(segment, released)

    def _released(self, segment: _Segment, released: Released) -> Iterator[_Prepared]:
        """Build what comes of messages that a codec has waited for, as if somebody had asked."""
        for (shard, end), reason in product(segment.ends.items(), released.reasons):
            request = ReplayRequest(
                reason=reason, provider=released.provider, device=released.device
            )
            now_us = max((each.frame.received_us for each in segment.frames), default=0)
            control = Control(ControlKind.REPLAY, INGEST, now_us, encode_request(request))
            # The frame is applied: what comes now stands before the next one.
            yield from self._resolutions(shard, end + 1, control)

    def _resolutions(self, shard: int, sequence: int, control: Control) -> Iterator[_Prepared]:
        """Build what a request changes; the mark stays, so it is asked again after a crash."""
        memory, origin = self._memory, origin_of(shard, sequence)
        mark = memory.marks.get(shard, 0)
        for tried in resolve(self._store, memory, origin, control):
            batch = Batch(
                marks=[Mark(shard, mark, mark)],
                counts=[],
                received=[],
                ledger=[],
                observations=NOTHING,
                conflicts=NOTHING,
                request=sequence,
                series=memory.book.take_created(),
                recent=memory.timeless.take_added(),
            )
            yield self._resolved(tried, batch, origin, {})

    def _resolved(self, tried: Tried, base: Batch, origin: int, refusals: Refusals) -> _Prepared:
        found = decided(tried, self._memory, refusals)
        observations, conflicts = _tables(found.rows, found.verdicts)

        def without(error: RowsRefusedError) -> _Prepared:
            self._memory.watermarks.undo()
            refused = refused_rows(found.verdicts, error, refusals)
            return self._resolved(tried, base, origin, refused)

        batch = msgspec.structs.replace(
            base,
            ledger=found.ledger,
            observations=observations,
            conflicts=conflicts,
            origins=np.full(observations.num_rows, origin, np.int64),
            conflict_origins=np.full(conflicts.num_rows, origin, np.int64),
            resolutions=found.resolutions,
        )
        return _Prepared(batch, without)

    def _stretch(self, segment: _Segment) -> _Prepared:
        memory = self._memory
        stretch = Stretch(self._new(segment.frames))
        said = digest(stretch, memory)
        records, remembered = memory.take_remembered()
        batch = Batch(
            marks=[
                Mark(shard, memory.marks.get(shard, 0), end) for shard, end in segment.ends.items()
            ],
            counts=_counts(stretch),
            received=received_rows(stretch),
            ledger=[],
            observations=NOTHING,
            conflicts=NOTHING,
            series=memory.book.take_created(),
            recent=memory.timeless.take_added(),
            codec_records=records,
        )
        return self._settled(stretch, said, batch, remembered, {})

    def _settled(
        self,
        stretch: Stretch,
        said: Said,
        base: Batch,
        remembered: Remembered,
        refusals: Refusals,
    ) -> _Prepared:
        memory = self._memory
        found = settle(stretch, said, memory, refusals)
        observations, conflicts = _tables(found.rows, found.verdicts)
        origins = stretch.origins[found.rows.message]

        def without(error: RowsRefusedError) -> _Prepared:
            memory.watermarks.undo()
            refused = refused_rows(found.verdicts, error, refusals)
            return self._settled(stretch, said, base, remembered, refused)

        batch = msgspec.structs.replace(
            base,
            ledger=found.tally.rows(stretch, memory.groups),
            observations=observations,
            conflicts=conflicts,
            origins=origins[found.verdicts == Verdict.STORED],
            conflict_origins=origins[found.verdicts == Verdict.CONFLICT],
            quarantine=found.entries,
        )
        oldest_us = int(stretch.received_us.min()) if len(stretch) else 0
        live = live_sample(found, memory)
        return _Prepared(batch, without, len(stretch), oldest_us, live, remembered)

    def _new(self, frames: list[DecodedFrame]) -> list[DecodedFrame]:
        """Return the frames that are not yet counted: a gateway may have sent one twice."""
        counts = self._memory.counts
        new: list[DecodedFrame] = []
        for each in frames:
            frame = each.frame
            if frame.topics and frame.count_after > counts.get(frame.key, 0):
                counts[frame.key] = frame.count_after
                new.append(each)
        return new


def _counts(stretch: Stretch) -> list[GatewayCount]:
    counts = {each.frame.key: each.frame.count_after for each in stretch.frames}
    return [GatewayCount(*key, count) for key, count in counts.items()]


def _segments(frames: list[LoggedFrame]) -> Iterator[_Segment]:
    """Divide frames so that a request stands alone."""
    segment = _Segment()
    for logged in frames:
        frame = _decoded(logged)
        requests = [] if frame is None else [each for each in frame.controls if _asks(each)]
        if requests:
            if segment.ends:
                yield segment
            segment = _Segment(requests=requests)
        segment.ends[logged.shard] = logged.sequence
        if frame is not None:
            segment.frames.append(DecodedFrame(logged.sequence, frame))
        if requests:
            yield segment
            segment = _Segment()
    if segment.ends:
        yield segment


def _decoded(logged: LoggedFrame) -> Frame | None:
    """Return the frame; None for bytes that are none, which the ledger's difference then shows."""
    try:
        return decode_frame(logged.data)
    except FrameError as error:
        log.error(  # noqa: TRY400 - the words say it all, a traceback nothing more
            "frame.unreadable", shard=logged.shard, sequence=logged.sequence, cause=str(error)
        )
        return None


def _asks(control: Control) -> bool:
    return control.kind in REQUESTS


def _tables(rows: Rows, verdicts: npt.NDArray[np.uint8]) -> tuple[pa.Table, pa.Table]:
    """Return first values and conflicts as `OBSERVATION_SCHEMA`."""
    conflict = verdicts == Verdict.CONFLICT
    conflicts = rows.table(conflict) if conflict.any() else NOTHING
    return rows.table(verdicts == Verdict.STORED), conflicts
