"""Frames that the log holds beyond a copy: read from the log, kept in a file, read from the file.

The file is a row of frames, each behind its length (4 bytes, big endian), in log order by shard.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from msgspec.structs import replace
from nats.aio.client import Client
from nats.errors import Error as NatsError

from city.frame import FrameError, decode_frame
from city.subjects import STREAM
from ingest.log.api import LogAbsentError, StreamReply, ask
from ingest.log.finding import find_lead
from ingest.log.reading import FrameReader
from ingest.seams import LoggedFrame
from madina.errors import CommandError
from madina.log_client import log_client
from store.interface import GatewayCount

__all__ = ["FrameCount", "GapError", "copy_frames", "read_frames"]

READ_FRAMES: Final = 256
READ_BYTES: Final = 4 << 20
LENGTH: Final = struct.Struct(">I")


class GapError(Exception):
    """The log was purged between the copy and the reading of the log."""


class FrameCount(msgspec.Struct, frozen=True):
    """How much was read of the log."""

    frames: int = 0
    messages: int = 0


async def copy_frames(
    url: str, shards: int, marks: Mapping[int, int], counts: Iterable[GatewayCount], path: Path
) -> FrameCount:
    """Write the frames behind the marks into a file; what comes meanwhile is left out.

    Raises:
        CommandError: The log does not answer.
        GapError: Frames are missing between the marks and what the log has.
    """
    try:
        async with log_client(url) as client:
            with path.open("wb") as file:
                return await _Copy(client, file, counts).run(shards, marks)
    except (OSError, NatsError, TimeoutError) as error:
        words = str(error) or type(error).__name__
        raise CommandError(f"the log cannot be read ({words}): see MADINA_NATS_URL") from error


class _Copy:
    def __init__(self, client: Client, file: BinaryIO, counts: Iterable[GatewayCount]) -> None:
        self._client = client
        self._reader = FrameReader(client)
        self._file = file
        self._counts = {(each.gateway, each.epoch, each.shard): each.count for each in counts}
        self._frames = self._messages = 0

    async def run(self, shards: int, marks: Mapping[int, int]) -> FrameCount:
        try:
            stream = await ask(self._client, f"STREAM.INFO.{STREAM}", None, StreamReply)
        except LogAbsentError:
            return FrameCount()
        await self._reader.start()
        for shard in range(shards):
            mark = marks.get(shard, 0)
            lead = mark and await find_lead(
                self._reader, shard, mark, 0, stream.state, self._counted
            )
            await self._copy_shard(shard, mark - lead, lead, stream.state.last_seq)
        return FrameCount(self._frames, self._messages)

    async def _counted(self, data: bytes) -> bool | None:
        """Say whether the copy has counted a frame's messages; None where it has none."""
        try:
            frame = decode_frame(data)
        except FrameError:
            return None
        return frame.count_after <= self._counts.get(frame.key, 0) if frame.topics else None

    async def _copy_shard(self, shard: int, after: int, lead: int, last: int) -> None:
        more = True
        while more:
            stretch = await self._reader.read(
                shard, after, frames=READ_FRAMES, size_bytes=READ_BYTES
            )
            wanted = [each for each in stretch.frames if each.sequence <= last]
            for frame in wanted:
                self._take(replace(frame, sequence=frame.sequence + lead))
            more = stretch.more and len(wanted) == len(stretch.frames)
            after = stretch.frames[-1].sequence if stretch.frames else after

    def _take(self, logged: LoggedFrame) -> None:
        self._check(logged)
        encoded = msgspec.msgpack.encode(logged)
        self._file.write(LENGTH.pack(len(encoded)) + encoded)
        self._frames += 1

    def _check(self, logged: LoggedFrame) -> None:
        """Count a frame's messages; what cannot be read is kept as it is, as ingest would."""
        try:
            frame = decode_frame(logged.data)
        except FrameError:
            return
        if not frame.topics:
            return
        known = self._counts.get(frame.key, 0)
        if frame.count_before > known:
            raise GapError
        self._messages += max(frame.count_after - known, 0)
        self._counts[frame.key] = max(frame.count_after, known)


def read_frames(path: Path) -> Iterator[LoggedFrame]:
    """Yield what `copy_frames` has written."""
    with path.open("rb") as file:
        while head := file.read(LENGTH.size):
            (length,) = LENGTH.unpack(head)
            yield msgspec.msgpack.decode(file.read(length), type=LoggedFrame)
