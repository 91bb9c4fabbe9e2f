"""Frames: raw messages packed for the log, before anybody has looked into them.

A frame is a value: bytes in, bytes out. Its header carries the gateway's running count, so that
ingest can prove that nothing between the two was lost. Layout and golden files: docs/frames.md.
"""

from __future__ import annotations

import enum
import itertools
import struct
import zlib
from array import array

import msgspec

__all__ = [
    "COUNT_HEADER",
    "FRAME_VERSION",
    "Control",
    "ControlKind",
    "Door",
    "Extras",
    "Frame",
    "FrameError",
    "RecordFlag",
    "Run",
    "decode_frame",
    "encode_frame",
]

FRAME_VERSION = 1
# NATS header of every frame on the log: the count after it, so that `pending` needs no decoding.
COUNT_HEADER = "Madina-Count"

MAGIC = b"MDNF"
# magic, version, door, shard, crc32 of all that follows the crc
PREFIX = struct.Struct("<4sBBHI")
# epoch, count before, receive time of the frame, messages, runs, bytes of: gateway, topics,
# clients, payloads, extras, controls
HEADER = struct.Struct("<QQqIIHIIIII")
START = PREFIX.size + HEADER.size


class Door(enum.IntEnum):
    """Which door the messages of a frame came through."""

    ENDPOINT = 0
    BRIDGE = 1
    HTTP = 2
    SERVICES = 3


class RecordFlag(enum.IntFlag):
    """One byte a message: QoS in the two lowest bits, then what PUBLISH carried."""

    QOS_1 = 1
    QOS_2 = 2
    RETAIN = 4
    DUP = 8
    WILL = 16


class ControlKind(enum.StrEnum):
    """Records that are no messages and are not counted."""

    CONNECT = "connect"
    DISCONNECT = "disconnect"
    REPLAY = "replay"
    DROP = "drop"


class Control(msgspec.Struct, frozen=True, array_like=True):
    """Something that happened beside the messages.

    Attributes:
        kind: What happened.
        client: MQTT client identifier, or the person who asked (replay, drop).
        received_us: Clock of whoever wrote the record.
        detail: Connect and disconnect: words for people. Replay and drop: a JSON object.
    """

    kind: ControlKind
    client: str
    received_us: int
    detail: str = ""


class Extras(msgspec.Struct, frozen=True, array_like=True):
    """MQTT 5 properties of one message, where it carried any.

    Attributes:
        index: Position of the message in its frame.
    """

    index: int
    content_type: str = ""
    user_properties: tuple[tuple[str, str], ...] = ()


class Run(msgspec.Struct, frozen=True, gc=False):
    """Consecutive messages of one client, read at one instant.

    Attributes:
        client: MQTT client identifier, UTF-8.
        received_us: When the gateway process read them.
        count: How many messages; at least one.
    """

    client: bytes
    received_us: int
    count: int


class Frame(msgspec.Struct, frozen=True):
    """Messages of one shard in the order in which one gateway process read them.

    Attributes:
        door: Where they came in.
        shard: Which shard all of them belong to.
        gateway: Name of the gateway process, a single NATS token.
        epoch: Start of that process, microseconds; a restart is a new epoch.
        count_before: Messages of this gateway, epoch and shard in earlier frames.
        received_us: Receive time of the first message; its minute is the ledger's for all.
        topics: Topic names, UTF-8, one a message.
        payloads: As published, one a message.
        flags: `RecordFlag` bits, one byte a message.
        runs: Who sent how many, in order; the counts add up to the messages.
        extras: MQTT 5 properties of the messages that had any.
        controls: Records that are not counted.
    """

    door: Door
    shard: int
    gateway: str
    epoch: int
    count_before: int
    received_us: int
    topics: list[bytes]
    payloads: list[bytes]
    flags: bytes
    runs: list[Run]
    extras: tuple[Extras, ...] = ()
    controls: tuple[Control, ...] = ()

    @property
    def key(self) -> tuple[str, int, int]:
        """Whose running count it is: gateway, epoch, shard."""
        return self.gateway, self.epoch, self.shard

    @property
    def count_after(self) -> int:
        """Messages of this gateway, epoch and shard up to the end of this frame."""
        return self.count_before + len(self.topics)


class FrameError(ValueError):
    """Bytes on the log that are no frame of a version that we can read."""


_encoder = msgspec.msgpack.Encoder()
_extras = msgspec.msgpack.Decoder(tuple[Extras, ...])
_controls = msgspec.msgpack.Decoder(tuple[Control, ...])


def encode_frame(frame: Frame) -> bytes:
    """Write a frame; the inverse of `decode_frame`."""
    topics, payloads, runs = frame.topics, frame.payloads, frame.runs
    gateway = frame.gateway.encode()
    clients = [run.client for run in runs]
    extras = _encoder.encode(frame.extras) if frame.extras else b""
    controls = _encoder.encode(frame.controls) if frame.controls else b""
    regions = (b"".join(topics), b"".join(clients), b"".join(payloads), extras, controls)
    body = b"".join(
        (
            HEADER.pack(
                frame.epoch,
                frame.count_before,
                frame.received_us,
                len(topics),
                len(runs),
                len(gateway),
                *map(len, regions),
            ),
            gateway,
            array("I", map(len, payloads)).tobytes(),
            array("I", [run.count for run in runs]).tobytes(),
            array("i", [run.received_us - frame.received_us for run in runs]).tobytes(),
            array("H", map(len, topics)).tobytes(),
            array("H", map(len, clients)).tobytes(),
            frame.flags,
            *regions,
        )
    )
    return PREFIX.pack(MAGIC, FRAME_VERSION, frame.door, frame.shard, zlib.crc32(body)) + body


def decode_frame(data: bytes) -> Frame:
    """Read a frame.

    Raises:
        FrameError: If the bytes are not a whole, unharmed frame of a known version.
    """
    if len(data) < START:
        raise FrameError(f"{len(data)} bytes are too short for a frame")
    magic, version, door, shard, crc = PREFIX.unpack_from(data)
    if magic != MAGIC:
        raise FrameError("not a frame: wrong magic")
    if version != FRAME_VERSION:
        raise FrameError(f"frame version {version}; this program reads {FRAME_VERSION}")
    if zlib.crc32(memoryview(data)[PREFIX.size :]) != crc:
        raise FrameError("checksum does not match")
    try:
        return _decode_body(data, door, shard)
    except (ValueError, OverflowError, msgspec.MsgspecError) as error:
        raise FrameError(f"inconsistent frame: {error}") from error


def _decode_body(data: bytes, door: int, shard: int) -> Frame:
    header = HEADER.unpack_from(data, PREFIX.size)
    epoch, count_before, received_us, messages, runs, gateway_size, *sizes = header
    _check_size(len(data), messages, runs, gateway_size + sum(sizes))
    at = START + gateway_size
    gateway = data[START:at].decode()
    payload_sizes, at = _column(data, at, "I", messages)
    counts, at = _column(data, at, "I", runs)
    deltas, at = _column(data, at, "i", runs)
    topic_sizes, at = _column(data, at, "H", messages)
    client_sizes, at = _column(data, at, "H", runs)
    flags, at = data[at : at + messages], at + messages
    topics, at = _slices(data, at, topic_sizes, sizes[0])
    clients, at = _slices(data, at, client_sizes, sizes[1])
    payloads, at = _slices(data, at, payload_sizes, sizes[2])
    extras, controls = data[at : at + sizes[3]], data[at + sizes[3] :]
    if sum(counts) != messages:
        raise FrameError(f"runs hold {sum(counts)} messages, the header says {messages}")
    return Frame(
        door=Door(door),
        shard=shard,
        gateway=gateway,
        epoch=epoch,
        count_before=count_before,
        received_us=received_us,
        topics=topics,
        payloads=payloads,
        flags=flags,
        runs=[
            Run(client, received_us + delta, count)
            for client, delta, count in zip(clients, deltas, counts, strict=True)
        ],
        extras=_extras.decode(extras) if extras else (),
        controls=_controls.decode(controls) if controls else (),
    )


def _check_size(size: int, messages: int, runs: int, regions: int) -> None:
    expected = START + regions + messages * 7 + runs * 10
    if size != expected:
        raise FrameError(f"{size} bytes, the header says {expected}")


def _column(data: bytes, at: int, code: str, count: int) -> tuple[array[int], int]:
    column: array[int] = array(code)
    end = at + count * column.itemsize
    column.frombytes(data[at:end])
    return column, end


def _slices(data: bytes, at: int, sizes: array[int], total: int) -> tuple[list[bytes], int]:
    ends = list(itertools.accumulate(sizes, initial=at))
    if ends[-1] != at + total:
        raise FrameError("a region and its lengths do not agree")
    return [data[start:end] for start, end in itertools.pairwise(ends)], at + total
