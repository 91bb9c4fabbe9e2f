"""Where blocking calls of the store and the registry run: few threads, and a bounded queue.

The event loop never waits for a disk. When more callers wait than the queue holds, the next one is
told to come again: an answer that comes too late helps nobody.
"""

from __future__ import annotations

import asyncio
import functools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Threads", "TooBusyError"]

P = ParamSpec("P")
T = TypeVar("T")

# Two wait for the disk while two work; more would only take the interpreter from ingest.
THREADS = 4
WAITING_MAX = 64


class TooBusyError(Exception):
    """Too many calls wait already."""


class Threads:
    """A bounded pool. Calls that have begun are finished, whatever becomes of the caller."""

    def __init__(self, waiting_max: int = WAITING_MAX) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="services")
        self._calls = 0
        self._calls_max = THREADS + waiting_max
        self.refused = 0

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a blocking call returns, without blocking the event loop.

        Raises:
            TooBusyError: If too many calls wait already.
        """
        if self._calls >= self._calls_max:
            self.refused += 1
            raise TooBusyError
        self._calls += 1
        future = self._pool.submit(functools.partial(call, *args, **kwargs))
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._ended))
        return await asyncio.wrap_future(future)

    def _ended(self) -> None:
        self._calls -= 1

    def close(self) -> None:
        """Wait for the calls that have begun; start no other."""
        self._pool.shutdown(cancel_futures=True)
