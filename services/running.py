"""Services while they run: the parts, what is kept beside the requests, and the connection."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import structlog

from services.access_bucket import AccessBucket
from services.ledger import LedgerBook
from services.link import Link
from services.log_view import LogView
from services.replay import Replayer
from services.state import PlatformState
from services.threads import Threads

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from city.live import LiveObservation
    from services.parts import ServicesParts

__all__ = ["Services"]

log = structlog.get_logger(__name__)

NAME = "services"


class Services:
    """Everything that a request may ask for.

    Attributes:
        failed: Why what runs beside the requests has ended; empty while it runs.
    """

    def __init__(self, parts: ServicesParts) -> None:
        self.parts = parts
        self.threads = Threads()
        self.view = LogView(parts.shards, self._observed)
        self.ledger = LedgerBook(parts.store, self.view, self.threads, parts.clock)
        self.state = PlatformState(parts, self.ledger, self.threads)
        self.access = AccessBucket(parts.registry, self.threads)
        self.replayer = Replayer(parts.shards, parts.clock)
        self.failed = ""
        tenants = (self.view, self.access, self.replayer)
        self._link = Link(parts.nats_url, NAME, tenants)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Keep the connection and the looks going beside the requests."""
        work = asyncio.ensure_future(self._work())
        work.add_done_callback(self._ended)
        try:
            yield
        finally:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
            self.threads.close()

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._link.run())
            group.create_task(self.state.run())

    def _ended(self, work: asyncio.Future[None]) -> None:
        """Remember a defect: health says so, and the supervisor starts the process again."""
        if work.cancelled():
            return
        error = work.exception()
        self.failed = repr(error)
        log.error("services.failed", exc_info=error)

    def _observed(self, observations: list[LiveObservation]) -> None:
        self.state.observed(observations)
