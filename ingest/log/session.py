"""What ingest does on one connection after the other: own, read, acknowledge, forget.

Frames land in `Shards`, which outlives every connection; the worker takes them from there.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import msgspec
import nats.errors
import structlog

from city.subjects import STREAM
from ingest.log.api import LogAbsentError, LogError, LogVersionError, StreamReply, ask
from ingest.log.finding import find_lead
from ingest.log.ownership import Ownership
from ingest.log.purging import purge
from ingest.log.reading import FrameReader
from registry.errors import RegistryAwayError
from store.interface import StoreBusyError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nats.aio.client import Client

    from ingest.log.shards import Shards
    from ingest.status import StatusBoard

__all__ = ["LogSession", "LogTimes"]

log = structlog.get_logger(__name__)

# Frames of one answer; of all shards together as many bytes as the reader has room for.
READ_FRAMES = 256
READ_BYTES_MIN = 64 * 1024
# A signalled frame was not there (a replica behind its leader): look again so soon.
MISS_PAUSE_S = 0.05


class LogTimes(msgspec.Struct, frozen=True):
    """How long the log waits for us, and we for the log, in seconds.

    Attributes:
        owner_timeout_s: After so long without a sign the shards of a worker are another's.
        signal_again_s: A signal that nobody acknowledged is given again after so long.
        purge_every_s: How often to see whether the log is half full.
        stream_wait_s: How long the gateway may take to make the stream before status complains.
    """

    owner_timeout_s: float = 3.0
    signal_again_s: float = 3.0
    purge_every_s: float = 5.0
    stream_wait_s: float = 30.0


class LogSession:
    """Works on whatever connection there is."""

    def __init__(
        self,
        shards: Shards,
        board: StatusBoard,
        times: LogTimes,
        counted: Callable[[bytes], Awaitable[bool | None]],
        *,
        buffer_bytes: int,
    ) -> None:
        """Take whether a frame is counted, and how many bytes of frames may wait in memory."""
        self._counted = counted
        self._shards = shards
        self._board = board
        self._times = times
        self._buffer_bytes = buffer_bytes
        self._client: Client | None = None
        # There is one before there is a stream.
        self._told: Client | None = None
        self._ownership: Ownership | None = None
        self._absent_since_s: float | None = None
        self._hungry = asyncio.Event()
        self._ended = asyncio.Event()
        self._free = asyncio.Event()
        self._free.set()
        self.arrived = asyncio.Event()

    def wake(self) -> None:
        """Look for something to read: there is room, or another mark."""
        self._hungry.set()

    async def end(self, timeout_s: float) -> None:
        """Give the shards back and work no more; wait for it a bounded time."""
        self._ended.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._free.wait()

    def bereft(self, words: str) -> None:
        """Learn why there is no connection now."""
        self._board.log_away(words)

    async def attend(self, client: Client) -> None:
        """Own and read shards on a connection until the worker ends.

        Raises:
            LogVersionError: If the server cannot do what ingest needs.
            LogError: If it refuses something.
        """
        self._free.clear()
        self._told = client
        try:
            await self._work(client)
        finally:
            self._client = self._ownership = self._told = None
            self._free.set()

    async def _work(self, client: Client) -> None:
        await self._find_stream(client)
        self._shards.doubt()
        reader = FrameReader(client)
        await reader.start()
        ownership = Ownership(
            client,
            self._shards,
            owner_timeout_s=self._times.owner_timeout_s,
            signal_again_s=self._times.signal_again_s,
            wake=self._hungry.set,
        )
        await ownership.start()
        self._client, self._ownership = client, ownership
        self._board.log_ready()
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(ownership.run()),
                group.create_task(self._read(client, reader)),
                group.create_task(self._purge(client)),
            ]
            await self._ended.wait()
            for task in tasks:
                task.cancel()
        await ownership.release()

    async def verify(self, shard: int) -> None:
        """See whether a shard is still ours; without a connection there is nobody to ask."""
        if self._ownership is not None:
            with contextlib.suppress(nats.errors.Error, OSError):
                await self._ownership.verify(shard)

    async def tell(self, subject: str, message: bytes) -> None:
        """Tell others something that nobody has to hear."""
        with contextlib.suppress(nats.errors.Error, OSError):
            if self._told is not None:
                await self._told.publish(subject, message)

    async def committed(self, told: list[tuple[str, bytes]]) -> None:
        """Acknowledge what is applied and tell others (subject, message); none has to arrive."""
        if self._shards.doubtful():
            self.wake()
        await self._acknowledge()
        for subject, message in told:
            await self.tell(subject, message)

    async def _acknowledge(self) -> None:
        if self._ownership is not None:
            with contextlib.suppress(nats.errors.Error, OSError):
                await self._ownership.acknowledge(self._shards.acknowledgements())

    async def _find_stream(self, client: Client) -> None:
        loop = asyncio.get_running_loop()
        try:
            stream = await ask(client, f"STREAM.INFO.{STREAM}", None, StreamReply)
        except LogAbsentError as absent:
            self._absent_since_s = self._absent_since_s or loop.time()
            waited_s = loop.time() - self._absent_since_s
            if waited_s > self._times.stream_wait_s:
                words = f"no gateway has made stream {STREAM} in {waited_s:.0f} s"
                raise LogAbsentError(words) from absent
            raise LogAbsentError(
                f"stream {STREAM} is not there yet: a gateway makes it"
            ) from absent
        self._absent_since_s = None
        if not stream.config.get("allow_direct"):
            raise LogVersionError(f"stream {STREAM} allows no direct reads (allow_direct)")

    async def _read(self, client: Client, reader: FrameReader) -> None:
        """Read what is there into the shards, as far as there is room."""
        while True:
            await self._hungry.wait()
            self._hungry.clear()
            while (room := self._buffer_bytes - self._shards.buffered_bytes) > 0:
                await self._look_up(client, reader)
                hungry = self._shards.hungry()
                if not hungry:
                    break
                if not await self._read_each(reader, hungry, room // len(hungry)):
                    await asyncio.sleep(MISS_PAUSE_S)
            # Signals of frames that were applied before they came are done with, too.
            await self._acknowledge()

    async def _look_up(self, client: Client, reader: FrameReader) -> None:
        """Find where on this log our marks stand."""
        doubtful = self._shards.doubtful()
        if not doubtful:
            return
        stream = await ask(client, f"STREAM.INFO.{STREAM}", None, StreamReply)
        for shard, mark, known in doubtful:
            try:
                lead = mark and await find_lead(
                    reader, shard, mark, known, stream.state, self._counted
                )
            except (StoreBusyError, RegistryAwayError):
                # The worker knows it too, and wakes us once the batch in hand is written.
                return
            self._shards.found(shard, mark, lead)
            if lead != known:
                log.warning("log.renumbered", shard=shard, mark=mark, on_the_log=mark - lead)

    async def _read_each(
        self, reader: FrameReader, hungry: list[tuple[int, int]], size_bytes: int
    ) -> bool:
        """Read from some shards at the same time; return whether anything came as signalled."""
        size_bytes = max(size_bytes, READ_BYTES_MIN)

        async def read(shard: int, after: int) -> bool:
            stretch = await reader.read(shard, after, frames=READ_FRAMES, size_bytes=size_bytes)
            return self._shards.read(shard, after, stretch.frames, more=stretch.more)

        async with asyncio.TaskGroup() as group:
            reads = [group.create_task(read(shard, after)) for shard, after in hungry]
        self.arrived.set()
        return any(task.result() for task in reads)

    async def _purge(self, client: Client) -> None:
        while True:
            await asyncio.sleep(self._times.purge_every_s)
            with contextlib.suppress(LogError):
                await purge(client, self._shards.applied_to())
