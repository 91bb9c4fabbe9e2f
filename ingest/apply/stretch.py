"""The messages of several frames in one set of columns, and any one of them by itself."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from city.clock import US_PER_MINUTE
from city.frame import Door
from store.interface import origin_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from city.frame import Extras, Frame

__all__ = ["DecodedFrame", "Message", "Stretch"]


class DecodedFrame(msgspec.Struct, frozen=True):
    """A frame and where it stands on the log."""

    sequence: int
    frame: Frame

    @property
    def minute_us(self) -> int:
        """The ledger's minute of all its messages."""
        return self.frame.received_us - self.frame.received_us % US_PER_MINUTE


class Message(msgspec.Struct, frozen=True):
    """One message that is looked at by itself.

    Attributes:
        place: Position in the stretch.
        id: `{shard}-{log sequence}-{position in the frame}`.
        origin: Of the frame that it is applied with; see `store.interface.origin_of`.
        minute_us: The ledger's minute.
    """

    place: int
    id: str
    origin: int
    shard: int
    minute_us: int
    topic: str
    payload: bytes
    flags: int
    received_us: int
    client: str
    content_type: str
    door: Door


class Stretch:
    """Messages in log order, shard by shard as they were read; n in all.

    Attributes:
        frames: Where they came from.
        topics, payloads: One a message.
        received_us: Receive time of each message (n,).
        minutes: The shards and minutes that the ledger knows.
        minute_of: Which of them each message belongs to (n,).
        origins: The frame of each message (n,); see `store.interface.origin_of`.
    """

    def __init__(self, frames: list[DecodedFrame]) -> None:
        self.frames = frames
        self.topics: list[bytes] = []
        self.payloads: list[bytes] = []
        minutes: dict[tuple[int, int], int] = {}
        self._starts: list[int] = []
        self._extras: list[dict[int, Extras]] = []
        received: list[npt.NDArray[np.int64]] = []
        minute_of: list[int] = []
        for each in frames:
            frame = each.frame
            self._starts.append(len(self.topics))
            self._extras.append({extras.index: extras for extras in frame.extras})
            self.topics += frame.topics
            self.payloads += frame.payloads
            minute_of.append(minutes.setdefault((frame.shard, each.minute_us), len(minutes)))
            times_us = np.array([run.received_us for run in frame.runs], np.int64)
            received.append(np.repeat(times_us, [run.count for run in frame.runs]))
        self.received_us = np.concatenate(received) if received else np.empty(0, np.int64)
        sizes = [len(each.frame.topics) for each in frames]
        self.minute_of = np.repeat(np.array(minute_of, np.int64), sizes)
        self.origins = np.repeat(
            np.array([origin_of(each.frame.shard, each.sequence) for each in frames], np.int64),
            sizes,
        )
        self.minutes = list(minutes)

    def __len__(self) -> int:
        return len(self.topics)

    def message(self, place: int) -> Message:
        """Return one message with all that is known of it."""
        number = bisect_right(self._starts, place) - 1
        decoded = self.frames[number]
        frame, index = decoded.frame, place - self._starts[number]
        extras = self._extras[number].get(index)
        return Message(
            place=place,
            id=f"{frame.shard}-{decoded.sequence}-{index}",
            origin=origin_of(frame.shard, decoded.sequence),
            shard=frame.shard,
            minute_us=decoded.minute_us,
            topic=self.topics[place].decode(errors="replace"),
            payload=self.payloads[place],
            flags=frame.flags[index],
            received_us=int(self.received_us[place]),
            client=_client(frame, index).decode(errors="replace"),
            content_type="" if extras is None else extras.content_type,
            door=frame.door,
        )


def _client(frame: Frame, index: int) -> bytes:
    after = 0
    for run in frame.runs:
        after += run.count
        if index < after:
            return run.client
    raise AssertionError("the runs of a decoded frame hold all its messages")
