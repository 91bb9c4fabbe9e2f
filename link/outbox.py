"""Which sealed frames go to the log when: one in flight a shard, again until it is acknowledged.

Pure: no socket, no clock; `now_s` is any clock that only goes forward. The reason for one frame at
a time is docs/decisions/0002-one-frame-in-flight.md.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import msgspec

from city.gateway_state import LogState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from city.filling import SealedFrame

__all__ = ["Condition", "Lane", "Outbox"]

# No answer for so long: the frame is sent again. JetStream answers in milliseconds, and in a
# cluster a new leader takes a few seconds.
ANSWER_TIMEOUT_S = 5.0
# A refused frame (log full, no stream) is tried again after this, doubled up to the second.
FIRST_RETRY_S = 0.1
LAST_RETRY_S = 1.0
# An answer that takes longer is worth telling.
SLOW_S = 1.0
# A confirmed frame after a refusal this long ago means that the log takes frames again.
AWAY = "not connected"


class Condition(msgspec.Struct, frozen=True):
    """How the log does, and why in words; no words when all is well."""

    state: LogState
    words: str = ""


class Lane:
    """The frames of one shard: the first is in flight or next, the others wait.

    Attributes:
        number: Of the first frame; an answer names it.
        sent_s: When it went out on this connection; None: not yet.
        due_s: When it goes out (again).
        refusals: How often the log refused it in a row.
    """

    __slots__ = ("due_s", "frames", "number", "refusals", "sent_s", "shard", "tries")

    def __init__(self, shard: int) -> None:
        self.shard = shard
        self.frames: deque[SealedFrame] = deque()
        self.number = 0
        self.tries = 0
        self.refusals = 0
        self.sent_s: float | None = None
        self.due_s = 0.0

    def restart(self) -> None:
        """Let the first frame go out at once."""
        self.sent_s = None
        self.due_s = 0.0


class Outbox:
    """Frames on their way, lane by lane.

    Attributes:
        frames, resends: Sent; of those, sent again.
        refused: Refusals of the log by its words, the commonest first come.
    """

    def __init__(self, shards: int) -> None:
        self._lanes = [Lane(shard) for shard in range(shards)]
        # Lanes that have frames, by shard.
        self._busy: dict[int, Lane] = {}
        self._away = AWAY
        self._refusal = ""
        self.frames = 0
        self.resends = 0
        self.refusals = 0

    @property
    def empty(self) -> bool:
        """Say whether the log has everything."""
        return not self._busy

    def put(self, frame: SealedFrame) -> None:
        """Queue a frame behind the others of its shard."""
        lane = self._lanes[frame.shard]
        lane.frames.append(frame)
        self._busy[frame.shard] = lane

    def due(self, now_s: float) -> Iterator[tuple[Lane, SealedFrame]]:
        """Yield what has to be sent now; the caller calls `sent` for what it sent."""
        for lane in list(self._busy.values()):
            if lane.due_s <= now_s:
                yield lane, lane.frames[0]

    def next_due_s(self) -> float | None:
        """Return when the next frame has to be sent; None while there is none."""
        return min((lane.due_s for lane in self._busy.values()), default=None)

    def sent(self, lane: Lane, now_s: float) -> None:
        """Note that the first frame of a lane went out."""
        self.frames += 1
        if lane.tries:
            self.resends += 1
        lane.tries += 1
        if lane.sent_s is None:
            lane.sent_s = now_s
        lane.due_s = now_s + ANSWER_TIMEOUT_S

    def acknowledged(self, shard: int, number: int) -> SealedFrame | None:
        """Take a frame out: the log has it. None where it was out already (sent twice)."""
        lane = self._lanes[shard]
        if number != lane.number or not lane.frames:
            return None
        frame = lane.frames.popleft()
        lane.number += 1
        lane.tries = lane.refusals = 0
        lane.restart()
        if not lane.frames:
            del self._busy[shard]
        self._refusal = ""
        return frame

    def refused(self, shard: int, number: int, words: str, now_s: float) -> None:
        """Note that the log does not take a frame now; it goes out again a little later."""
        lane = self._lanes[shard]
        if number != lane.number or not lane.frames:
            return
        self.refusals += 1
        self._refusal = words
        lane.due_s = now_s + min(FIRST_RETRY_S * 2**lane.refusals, LAST_RETRY_S)
        lane.refusals = min(lane.refusals + 1, 10)

    def connected(self) -> None:
        """Send everything that has no answer again: this connection has not seen it."""
        self._away = ""
        for lane in self._busy.values():
            lane.restart()

    def disconnected(self, words: str) -> None:
        """Note why there is no connection."""
        self._away = words or AWAY
        self._refusal = ""

    def condition(self, now_s: float) -> Condition:
        """Return how the log does."""
        if self._away:
            return Condition(LogState.AWAY, self._away)
        if self._refusal:
            return Condition(LogState.FULL, f"the log refuses frames: {self._refusal}")
        waits = [now_s - lane.sent_s for lane in self._busy.values() if lane.sent_s is not None]
        if waits and max(waits) > SLOW_S:
            return Condition(LogState.SLOW, f"the log has not answered for {max(waits):.0f} s")
        return Condition(LogState.READY)
