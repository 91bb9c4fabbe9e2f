"""Services while they run: the parts, what is kept beside the requests, and the connection."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import structlog

from link.nats_link import Link
from services.access_bucket import AccessBucket
from services.copying import Copying
from services.indicators import IndicatorBook
from services.ledger import LedgerBook
from services.log_view import LogView
from services.replay import Replayer
from services.senders import Buckets, Senders
from services.standing import StandingLoop
from services.state import PlatformState
from services.threads import Threads
from services.uplink import HttpUplink

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from city.ingest_state import IngestState
    from city.live import LiveObservation
    from services.parts import ServicesParts

__all__ = ["Services"]

log = structlog.get_logger(__name__)

NAME = "services"
# After a defect it begins again, and is well when it has worked so long.
AGAIN_S = 1.0
WELL_S = 5.0
# The end of the process does not wait longer for the connection's.
END_S = 5.0


class Services:
    """Everything that a request may ask for.

    Attributes:
        failed: Why what runs beside the requests ended lately; empty while it runs.
    """

    def __init__(self, parts: ServicesParts) -> None:
        self.parts = parts
        self.threads = Threads()
        self.view = LogView(parts.shards, self._observed)
        self.ledger = LedgerBook(parts.store, self.view, self.threads, parts.clock)
        self.state = PlatformState(parts, self.ledger, self.threads)
        self.access = AccessBucket(parts.registry, self.threads, replicas=parts.log_replicas)
        self.replayer = Replayer(parts.shards, parts.clock)
        self.uplink = HttpUplink(parts)
        self.senders = Senders(parts)
        self.buckets = Buckets(parts.http_ingest_rate)
        self.copying = Copying(parts)
        self.indicators = IndicatorBook(parts)
        self._standing = StandingLoop(
            self.indicators.standing, lambda: self.state.balance, parts.clock
        )
        self.failed = ""
        tenants = (self.view, self.access, self.replayer)
        self._link = Link(parts.nats_url, NAME, tenants)

    def ingest(self) -> IngestState:
        """Return how ingest does, in this process or in others."""
        own = self.parts.ingest
        return self.view.workers.state() if own is None else own()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Keep the connection and the looks going beside the requests."""
        work = asyncio.ensure_future(self._work())
        try:
            async with self.uplink.running():
                yield
        finally:
            work.cancel()
            await asyncio.wait([work], timeout=END_S)
            await asyncio.to_thread(self.copying.close)
            self.threads.close()

    async def _work(self) -> None:
        """Work, and begin again after a defect: health says so meanwhile."""
        while True:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._link.run())
                    group.create_task(self.state.run())
                    group.create_task(self._standing.run())
                    group.create_task(self._recover())
            except* Exception as defect:
                # The boundary for what nobody foresaw.
                self.failed = repr(defect.exceptions[0])
                log.exception("services.failed")
            await asyncio.sleep(AGAIN_S)

    async def _recover(self) -> None:
        await asyncio.sleep(WELL_S)
        self.failed = ""

    def _observed(self, observations: list[LiveObservation]) -> None:
        self.state.observed(observations)
