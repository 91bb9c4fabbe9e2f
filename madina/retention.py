"""Deletes observations that are older than the city keeps them, and gives their disk back."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

import structlog

from city.clock import US_PER_S, Clock
from store.errors import StoreBusyError

__all__ = ["Expiring", "Retention"]

log = structlog.get_logger(__name__)

DAY_US = 86_400 * US_PER_S
EVERY_S = 3_600.0
# Deleted rows whose space is used again anyway are not worth a copy of the whole file.
COMPACT_ROWS = 10_000_000


class Expiring(Protocol):
    """The part of a store that forgets."""

    def expire(self, before_us: int) -> int:
        """Delete observations older than an instant; return how many."""
        ...

    def compact(self) -> object:
        """Copy what is left into a smaller file."""
        ...


class Retention:
    """A part of the node: looks once an hour."""

    def __init__(self, store: Expiring, clock: Clock, keep_days: int) -> None:
        self._store = store
        self._clock = clock
        self._keep_us = keep_days * DAY_US
        self._deleted = 0
        self._stop = asyncio.Event()

    async def run(self, ready: Callable[[], None]) -> None:
        """Look now and every hour until `stop`."""
        ready()
        while not self._stop.is_set():
            await asyncio.to_thread(self.look)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self._stop.wait()

    def stop(self) -> None:
        """Make `run` return once it has finished a look."""
        self._stop.set()

    def look(self) -> None:
        """Delete what is too old; a store that is busy is asked again in an hour."""
        before_us = self._clock.now_us() - self._keep_us
        try:
            gone = self._store.expire(before_us)
            self._deleted += gone
            if self._deleted >= COMPACT_ROWS:
                self._store.compact()
                self._deleted = 0
        except StoreBusyError as busy:
            log.warning("retention.deferred", cause=busy.cause)
            return
        if gone:
            log.info("retention.deleted", observations=gone, before_us=before_us)
