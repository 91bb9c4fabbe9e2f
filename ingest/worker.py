"""Applies what was read, batch after batch, in one thread of its own.

While a batch is being applied the next frames are read. The order of three steps is the promise:
commit, then move the mark, then acknowledge.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING, TypeVar

import structlog

from city.requests import encode_request
from city.subjects import LIVE_SUBJECT, REQUEST_SUBJECT
from ingest.live import live_messages
from registry.errors import RegistryAwayError
from store.interface import FencedError, StoreBusyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor

    from ingest.log.session import LogSession
    from ingest.log.shards import Gathering, Shards
    from ingest.seams import Applied, Applying, LoggedFrame
    from ingest.status import StatusBoard

__all__ = ["Worker"]

log = structlog.get_logger(__name__)

T = TypeVar("T")

RETRY_LAST_S = 10.0
RETRY_FIRST_S = 0.01
DOUBLINGS_MAX = 10


class Worker:
    """One thread's worth of ingest."""

    def __init__(
        self,
        applying: Applying,
        shards: Shards,
        session: LogSession,
        board: StatusBoard,
        thread: ThreadPoolExecutor,
        *,
        gathering: Gathering,
    ) -> None:
        """Take the one thread in which `applying` is ever called."""
        self._applying = applying
        self._shards = shards
        self._session = session
        self._board = board
        self._thread = thread
        self._gathering = gathering

    async def load(self, stop: asyncio.Event) -> None:
        """Read what the store knows and go on behind it; retry until it can be read."""
        marks = await self._insist(self._applying.load, stop)
        if marks is not None:
            self._shards.load(marks)
            self._board.started()
            self._session.wake()

    async def run(self, stop: asyncio.Event) -> None:
        """Apply frames until told to stop; a batch that was begun is finished.

        Raises:
            Exception: What `apply` raises beside a busy store and a lost shard.
        """
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            self._session.arrived.clear()
            frames = self._shards.gather(self._gathering)
            if frames:
                # What was gathered made room to read the next while this is applied.
                self._session.wake()
                next_s = loop.time() + self._gathering.rest_s
                await self._apply(frames, stop)
                await self._rest(next_s, stop)
            else:
                await self._session.arrived.wait()

    async def _rest(self, until_s: float, stop: asyncio.Event) -> None:
        """Let frames gather until an instant, or until they fill a batch."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until_s):
                while not stop.is_set() and self._shards.waiting_frames() < self._gathering.frames:
                    self._session.arrived.clear()
                    await self._session.arrived.wait()

    async def _apply(self, frames: list[LoggedFrame], stop: asyncio.Event) -> None:
        try:
            applied = await self._insist(lambda: self._applying.apply(frames), stop)
        except FencedError as fenced:
            log.warning(
                "shard.fenced", shard=fenced.shard, expected=fenced.expected, found=fenced.found
            )
            await self._session.verify(fenced.shard)
            await self.load(stop)
            return
        if applied is not None:
            await self._committed(applied)

    async def _committed(self, applied: Applied) -> None:
        self._shards.applied(applied.sequences)
        self._board.applied(applied)
        told = [(LIVE_SUBJECT, each) for each in live_messages(applied.live)]
        told += [(REQUEST_SUBJECT, encode_request(each)) for each in applied.requests]
        await self._session.committed(told)

    async def _insist(self, work: Callable[[], T], stop: asyncio.Event) -> T | None:
        """Do something in the thread until store and registry let it, or a stop."""
        loop = asyncio.get_running_loop()
        refused = 0
        while not stop.is_set():
            self._board.store_asked()
            try:
                return await loop.run_in_executor(self._thread, work)
            except (StoreBusyError, RegistryAwayError) as busy:
                self._board.store_busy(str(busy))
                log.warning("batch.refused", cause=str(busy))
                retry_s = min(max(busy.retry_after_s, RETRY_FIRST_S) * 2**refused, RETRY_LAST_S)
                refused = min(refused + 1, DOUBLINGS_MAX)
            finally:
                self._board.store_answered()
            # Full jitter: workers that one store refused do not come back in one instant.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(random.uniform(0, retry_s)):  # noqa: S311 - no secret
                    await stop.wait()
        return None
