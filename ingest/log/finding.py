"""Finds where on the log the applied frames of a shard end, when the log may have lost its own end.

A log that lost power, or its folder, gives numbers again that the store's mark has passed. What
gateways have counted tells new frames from applied ones: along a shard the applied ones come first,
so the place where they end can be found by halves. docs/decisions/0014.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ingest.log.api import StreamState
    from ingest.log.reading import FrameReader

    Counted = Callable[[bytes], Awaitable[bool | None]]

__all__ = ["find_lead"]

# Of one answer while looking for a frame that has messages.
LOOK_FRAMES = 16
LOOK_BYTES = 64 * 1024


class _Found(msgspec.Struct, frozen=True):
    """The first frame with messages behind a sequence; 0 for none."""

    sequence: int = 0
    applied: bool = False


async def find_lead(
    reader: FrameReader, shard: int, mark: int, lead: int, log: StreamState, counted: Counted
) -> int:
    """Return by how much the store's numbers of a shard are ahead of the log's.

    Args:
        reader: Started.
        shard: Which one.
        mark: The store's number of the last applied frame.
        lead: What it was when last found, or 0.
        log: Of the whole stream, from its leader.
        counted: Whether the store has counted the messages of a frame; None where it has none.

    Raises:
        LogError: If the log refuses, or an answer is missing.
        TimeoutError: If the answers do not come.
    """
    at = mark - lead
    if at <= log.last_seq:
        here = await _next(reader, shard, at - 1, counted)
        if here.sequence == at and here.applied:
            return lead
    last = await _last_applied(reader, shard, log, counted)
    new = (await _next(reader, shard, last, counted)).sequence
    # Purged, or records without messages: nothing that is new stands before the mark.
    as_before = last <= at <= log.last_seq and (not new or at < new)
    return lead if as_before else mark - last


async def _last_applied(reader: FrameReader, shard: int, log: StreamState, counted: Counted) -> int:
    """Return the log's number of the last applied frame that has messages; 0 for none."""
    low, high = max(log.first_seq - 1, 0), log.last_seq
    found: int = 0
    while low < high:
        middle = (low + high) // 2
        there = await _next(reader, shard, middle, counted)
        if there.applied:
            low = found = there.sequence
        else:
            high = middle
    return found


async def _next(reader: FrameReader, shard: int, after: int, counted: Counted) -> _Found:
    more = True
    while more:
        stretch = await reader.read(shard, after, frames=LOOK_FRAMES, size_bytes=LOOK_BYTES)
        for frame in stretch.frames:
            applied = await counted(frame.data)
            if applied is not None:
                return _Found(frame.sequence, applied)
            after = frame.sequence
        more = stretch.more
    return _Found()
