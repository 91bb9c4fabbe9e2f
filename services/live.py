"""Observations to whoever watches: a bounded queue each; who reads too slowly loses the oldest."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Generator

    from city.live import LiveObservation
    from city.scope import Scope

__all__ = ["LiveFeed", "TooManyWatchersError", "Watcher", "Wish"]

# With the pause between two sendings (services/api/live.py) 400 observations a second: more than a
# person can read, and little enough that watching never slows ingest down.
QUEUE_MAX = 100
WATCHERS_MAX = 200


class TooManyWatchersError(Exception):
    """As many watch as there may be."""


class Wish(msgspec.Struct, frozen=True):
    """What somebody wants to see; None means any."""

    scope: Scope
    provider: str | None = None
    device: str | None = None
    quantity: str | None = None

    def wants(self, seen: LiveObservation) -> bool:
        """Say whether an observation is part of it."""
        return (
            self.scope.admits(seen.provider)
            and self.provider in {None, seen.provider}
            and self.device in {None, seen.device}
            and self.quantity in {None, seen.quantity}
        )


class Watcher:
    """One who watches.

    Attributes:
        ended: Nothing more will come, since the process ends.
    """

    def __init__(self, wish: Wish) -> None:
        self._wish = wish
        self._queue: deque[LiveObservation] = deque()
        self._lost = 0
        self._wake = asyncio.Event()
        self.ended = False

    def end(self) -> None:
        """Wake up for the last time."""
        self.ended = True
        self._wake.set()

    def offer(self, observations: list[LiveObservation]) -> None:
        """Keep what is wanted, at the price of the oldest."""
        wanted = [each for each in observations if self._wish.wants(each)]
        if not wanted:
            return
        self._queue.extend(wanted)
        while len(self._queue) > QUEUE_MAX:
            self._queue.popleft()
            self._lost += 1
        self._wake.set()

    async def take(self) -> tuple[int, list[LiveObservation]]:
        """Wait for observations; return how many were lost before them, and them."""
        await self._wake.wait()
        self._wake.clear()
        lost, taken = self._lost, list(self._queue)
        self._lost = 0
        self._queue.clear()
        return lost, taken


class LiveFeed:
    """Hands each observation to everybody who wants it."""

    def __init__(self) -> None:
        self._watchers: set[Watcher] = set()

    @property
    def watchers(self) -> int:
        """How many watch."""
        return len(self._watchers)

    def offer(self, observations: list[LiveObservation]) -> None:
        """Hand out observations."""
        for watcher in self._watchers:
            watcher.offer(observations)

    def end(self) -> None:
        """Let everybody know that nothing more will come."""
        for watcher in self._watchers:
            watcher.end()

    @contextlib.contextmanager
    def watching(self, wish: Wish) -> Generator[Watcher]:
        """Watch.

        Raises:
            TooManyWatchersError: If too many do already.
        """
        if len(self._watchers) >= WATCHERS_MAX:
            raise TooManyWatchersError
        watcher = Watcher(wish)
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
