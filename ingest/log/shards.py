"""What one worker knows of every shard: mark, position, pin, frames that wait. No I/O.

The mark is how far the store has a shard; the position is how far the log was read. Frames between
the two wait here or are being applied. Losing a shard, or loading the marks afresh, puts the
position back to the mark, so whatever happens the next read goes on exactly behind what the store
holds; signals only say when to look.

Marks and positions are the store's numbers. They are the log's own, or ahead of them where the log
has lost its end: nothing is read before that was looked up (docs/decisions/0014).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingest.seams import LoggedFrame

__all__ = ["Gathering", "Shards", "Signal"]

# Reads that may miss a signalled frame (a replica behind its leader) until the next signal.
MISSES_MAX = 20


class Gathering(msgspec.Struct, frozen=True):
    """How large one batch may be, and how soon the next one follows.

    Attributes:
        rest_s: From the beginning of one batch to that of the next, where fewer than `frames`
            wait: a commit costs some milliseconds however few messages it has.
    """

    frames: int = 64
    bytes: int = 4 * 1024 * 1024
    rest_s: float = 0.1


class Signal(msgspec.Struct, frozen=True):
    """What the log says about a frame that it has.

    Attributes:
        pin: Name of our ownership.
        reply: Where its acknowledgement goes.
    """

    shard: int
    sequence: int
    logged_us: int
    pin: str
    reply: str


class _Shard:
    """One shard."""

    __slots__ = (
        "applying_us", "frames", "lead", "mark", "misses", "more", "pin", "position", "signals",
        "sure",
    )  # fmt: skip

    def __init__(self) -> None:
        self.mark = 0
        self.position = 0
        self.lead = 0
        self.sure = False
        self.pin = ""
        self.more = False
        self.misses = 0
        self.applying_us = 0
        self.frames: deque[LoggedFrame] = deque()
        self.signals: dict[int, Signal] = {}

    def rewind(self) -> None:
        self.position = self.mark
        self.frames.clear()
        self.more = bool(self.pin)
        self.misses = 0

    def unread(self) -> bool:
        """Say whether the log has, or may have, frames behind the position."""
        return self.more or max(self.signals, default=0) > self.position - self.lead

    def applied_to(self) -> int:
        """Return the log's number of the last applied frame; 0 for none, or where none is sure."""
        return max(self.mark - self.lead, 0) if self.sure else 0

    def oldest_us(self) -> int:
        """Return when the log took the oldest frame that is known and not applied; 0 for none."""
        if self.applying_us:
            return self.applying_us
        if self.frames:
            return self.frames[0].logged_us
        done = self.applied_to()
        waiting = [signal.logged_us for at, signal in self.signals.items() if at > done]
        return min(waiting, default=0)


class Shards:
    """All shards of the city, as one worker sees them. One thread."""

    def __init__(self, count: int) -> None:
        self._shards = [_Shard() for _ in range(count)]
        self._next: int = 0
        self.buffered_bytes = 0

    def __len__(self) -> int:
        return len(self._shards)

    def load(self, marks: dict[int, int]) -> None:
        """Believe the store: read everything again from its marks."""
        for number, shard in enumerate(self._shards):
            shard.mark = marks.get(number, 0)
            shard.applying_us = 0
            shard.rewind()
        self.doubt()

    def doubt(self) -> None:
        """Have every position looked up before more is read: the log may be another one."""
        for shard in self._shards:
            shard.sure = False
            shard.rewind()
        self._count_bytes()

    def doubtful(self) -> list[tuple[int, int, int]]:
        """Return our shards that want looking up: number, mark, and the lead as last known.

        Not while frames of theirs are being applied: the mark is about to move.
        """
        return [
            (number, shard.mark, shard.lead)
            for number, shard in enumerate(self._shards)
            if shard.pin and not shard.sure and not shard.applying_us
        ]

    def found(self, number: int, mark: int, lead: int) -> None:
        """Take by how much our numbers are ahead of the log's, unless the mark has moved."""
        shard = self._shards[number]
        if shard.mark == mark and not shard.applying_us:
            shard.lead, shard.sure = lead, True
            shard.rewind()

    def signalled(self, signal: Signal) -> bool:
        """Hear of a frame; return whether the shard has just become ours."""
        shard = self._shards[signal.shard]
        gained = not shard.pin
        shard.pin = signal.pin or shard.pin
        if gained:
            shard.rewind()
        shard.signals[signal.sequence] = signal
        return gained

    def lost(self, number: int) -> bool:
        """Give a shard up, with what was read of it; return whether it was ours."""
        shard = self._shards[number]
        owned, shard.pin = bool(shard.pin), ""
        shard.rewind()
        shard.signals.clear()
        self._count_bytes()
        return owned

    def pin(self, number: int) -> str:
        """Return the name of our ownership; empty where the shard is not ours."""
        return self._shards[number].pin

    def owned(self) -> tuple[int, ...]:
        """Return the shards that are ours."""
        return tuple(number for number, shard in enumerate(self._shards) if shard.pin)

    def applied_to(self) -> dict[int, int]:
        """Return the log's number of the last frame of each shard that is surely applied."""
        return {number: shard.applied_to() for number, shard in enumerate(self._shards)}

    def hungry(self) -> list[tuple[int, int]]:
        """Return the shards that have something to read, each with its position on the log."""
        return [
            (number, shard.position - shard.lead)
            for number, shard in enumerate(self._shards)
            if shard.pin and shard.sure and shard.unread()
        ]

    def read(self, number: int, after: int, frames: list[LoggedFrame], *, more: bool) -> bool:
        """Take what a read from behind `after` brought; return whether it brought what it should.

        What was read for a position that no longer holds is dropped.

        Args:
            number: Of the shard.
            after: As `hungry` has told.
            frames: With the log's numbers; they wait here with ours.
            more: The log holds more.
        """
        shard = self._shards[number]
        if not shard.pin or not shard.sure or shard.position - shard.lead != after:
            return True
        if shard.lead:
            frames = [replace(each, sequence=each.sequence + shard.lead) for each in frames]
        shard.more = more
        if frames:
            shard.frames.extend(frames)
            shard.position = frames[-1].sequence
            shard.misses = 0
            self.buffered_bytes += _bytes_of(frames)
            return True
        return self._nothing_read(shard)

    def _nothing_read(self, shard: _Shard) -> bool:
        beyond = [at for at in shard.signals if at > shard.position - shard.lead]
        if not beyond:
            return True
        shard.misses += 1
        if shard.misses >= MISSES_MAX:
            # Purged by hand, or a replica far behind: the log will signal again if it is there.
            shard.misses = 0
            for at in beyond:
                del shard.signals[at]
        return False

    def gather(self, limits: Gathering) -> list[LoggedFrame]:
        """Take the next frames to apply, from all shards in turn, each in log order."""
        frames: list[LoggedFrame] = []
        size_bytes = 0
        first = self._next
        numbers: list[int] = [*range(first, len(self._shards)), *range(first)]
        while numbers and len(frames) < limits.frames and size_bytes < limits.bytes:
            numbers = [number for number in numbers if self._shards[number].frames]
            for number in numbers[: limits.frames - len(frames)]:
                frame = self._shards[number].frames.popleft()
                self.buffered_bytes -= len(frame.data)
                if frame.sequence <= self._shards[number].mark:
                    continue
                frames.append(frame)
                size_bytes += len(frame.data)
                self._next = (number + 1) % len(self._shards)
        for frame in reversed(frames):
            self._shards[frame.shard].applying_us = frame.logged_us
        return frames

    def applied(self, sequences: dict[int, int]) -> None:
        """Move the marks: the store has committed."""
        for shard in self._shards:
            shard.applying_us = 0
        for number, sequence in sequences.items():
            shard = self._shards[number]
            assert sequence >= shard.mark, "marks never go back"
            shard.mark = sequence
            shard.position = max(shard.position, sequence)

    def acknowledgements(self) -> list[str]:
        """Return, and forget, what may be acknowledged: the last applied signal of each shard.

        It acknowledges all before it.
        """
        return [reply for shard in self._shards if (reply := _acknowledgement(shard))]

    def oldest_us(self) -> int:
        """Return when the log took the oldest frame that is not applied; 0 for none."""
        waiting = (shard.oldest_us() for shard in self._shards if shard.pin)
        return min(filter(None, waiting), default=0)

    def waiting_frames(self) -> int:
        """Return how many frames were read and wait."""
        return sum(len(shard.frames) for shard in self._shards)

    def _count_bytes(self) -> None:
        self.buffered_bytes = sum(_bytes_of(shard.frames) for shard in self._shards)


def _acknowledgement(shard: _Shard) -> str:
    done = shard.applied_to()
    applied = [at for at in shard.signals if at <= done]
    if not applied:
        return ""
    reply = shard.signals[max(applied)].reply
    for at in applied:
        del shard.signals[at]
    return reply


def _bytes_of(frames: Iterable[LoggedFrame]) -> int:
    return sum(len(frame.data) for frame in frames)
