"""One frame while it is filled, and what becomes of it when it is sealed.

No I/O and no decisions about when: those are the packer's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from city.frame import Control, Door, Extras, Frame, Run, encode_frame

if TYPE_CHECKING:
    from city.intake import Publisher

__all__ = ["Filling", "Origin", "Reading", "SealedFrame", "Waiting"]

# What the frame's columns cost beside the texts (docs/frames.md); the last two are about right.
MESSAGE_BYTES = 7
RUN_BYTES = 10
CONTROL_BYTES = 48
EXTRAS_BYTES = 16


class Origin(msgspec.Struct, frozen=True):
    """Who packs: door, process and its start."""

    gateway: str
    epoch: int
    door: Door = Door.ENDPOINT


class Waiting(msgspec.Struct, gc=False):
    """One read's share of a frame: who waits for it, and with which acknowledgements."""

    publisher: Publisher
    acknowledgements: list[bytes]
    size_bytes: int


class SealedFrame(msgspec.Struct, frozen=True):
    """A frame ready for the log.

    Attributes:
        data: The encoded frame.
        message_id: Same frame, same id: the log's own deduplication.
        count_after: The running count, repeated in a header of the log.
        messages: How many it holds; 0 where it holds only control records.
        received_us: Receive time of the first message.
        held_bytes: What the backlog gets back when the log has it.
        waiting: Whom to tell, in the order of reading.
    """

    shard: int
    data: bytes
    message_id: str
    count_after: int
    messages: int
    received_us: int
    held_bytes: int
    waiting: list[Waiting]


class Reading(msgspec.Struct, gc=False):
    """What all messages of one read share.

    Attributes:
        number: Reads are numbered, so that a frame knows whether its last run is of this one.
    """

    number: int
    publisher: Publisher
    client: bytes
    now_us: int


class Filling:
    """The frame of one shard that is being filled; starts anew when it is sealed.

    Attributes:
        count: Running count of the shard before this frame.
        size_bytes: What it holds, about as long as the encoded frame. Each method that adds to it
            returns by how much.
        reading: Number of the read that was added last.
    """

    __slots__ = (
        "clients", "controls", "count", "extras", "flags", "payloads", "reading", "received_us",
        "run_counts", "run_us", "shard", "size_bytes", "topics", "waiting",
    )  # fmt: skip

    def __init__(self, shard: int) -> None:
        self.shard = shard
        self._start(0)

    def _start(self, count: int) -> None:
        self.count = count
        self.reading = 0
        self.received_us = 0
        self.size_bytes = 0
        self.topics: list[bytes] = []
        self.payloads: list[bytes] = []
        self.flags = bytearray()
        self.clients: list[bytes] = []
        self.run_us: list[int] = []
        self.run_counts: list[int] = []
        self.extras: list[Extras] = []
        self.controls: list[Control] = []
        self.waiting: list[Waiting] = []

    def begin_run(self, reading: Reading, waiting: Waiting, count: int) -> int:
        """Start the messages of one read: `count` of them, or more that are added one by one."""
        if not self.topics:
            self.received_us = reading.now_us
        self.reading = reading.number
        self.clients.append(reading.client)
        self.run_us.append(reading.now_us)
        self.run_counts.append(count)
        self.waiting.append(waiting)
        size_bytes = len(reading.client) + RUN_BYTES
        self.size_bytes += size_bytes
        return size_bytes

    def add_many(self, topics: list[bytes], payloads: list[bytes], flags: bytes, size: int) -> int:
        """Append the messages of a run, `size` bytes of texts."""
        self.topics += topics
        self.payloads += payloads
        self.flags += flags
        size += len(topics) * MESSAGE_BYTES
        self.size_bytes += size
        return size

    def add_one(self, topic: bytes, payload: bytes, flag: int, acknowledgement: bytes) -> int:
        """Append a message to the last run."""
        self.topics.append(topic)
        self.payloads.append(payload)
        self.flags.append(flag)
        self.run_counts[-1] += 1
        self.waiting[-1].acknowledgements.append(acknowledgement)
        size_bytes = len(topic) + len(payload) + MESSAGE_BYTES
        self.size_bytes += size_bytes
        return size_bytes

    def add_extras(self, extras: Extras) -> int:
        """Append the properties of the last message."""
        here = Extras(len(self.topics) - 1, extras.content_type, extras.user_properties)
        self.extras.append(here)
        texts = sum(len(name) + len(value) for name, value in extras.user_properties)
        size_bytes = EXTRAS_BYTES + len(extras.content_type) + texts
        self.size_bytes += size_bytes
        return size_bytes

    def add_control(self, control: Control) -> int:
        """Append a control record."""
        if not self.topics and not self.controls:
            self.received_us = control.received_us
        self.controls.append(control)
        size_bytes = CONTROL_BYTES + len(control.client) + len(control.detail)
        self.size_bytes += size_bytes
        return size_bytes

    def seal(self, origin: Origin, message_id: str) -> SealedFrame:
        """Return what was filled, and start the next frame."""
        count_after = self.count + len(self.topics)
        frame = Frame(
            origin.door,
            self.shard,
            origin.gateway,
            origin.epoch,
            self.count,
            self.received_us,
            self.topics,
            self.payloads,
            bytes(self.flags),
            list(map(Run, self.clients, self.run_us, self.run_counts)),
            tuple(self.extras),
            tuple(self.controls),
        )
        sealed = SealedFrame(
            self.shard,
            encode_frame(frame),
            message_id,
            count_after,
            len(self.topics),
            self.received_us,
            self.size_bytes,
            self.waiting,
        )
        self._start(count_after)
        return sealed
