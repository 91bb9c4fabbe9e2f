"""What pages and metrics show, kept up to date beside the requests: one look, many readers.

Whatever is dear (the store, the registry, counting devices) is asked in a thread, at a pace that
its own price sets; a request finds the last answer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from city.clock import US_PER_S
from city.presence import PRESENCE, offline_of
from city.scope import EVERYTHING
from services.fleet import Fleet, FleetLook
from services.latest import LatestValues, NewestByKind, newest_of
from services.live import LiveFeed
from services.log_view import LogAwayError
from services.threads import TooBusyError
from store.errors import StoreBusyError
from store.interface import LedgerQuery, QuarantineEntry, QuarantineQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from city.ledger import Balance
    from city.live import LiveObservation
    from services.ledger import LedgerBook
    from services.parts import ServicesParts
    from services.threads import Threads

__all__ = ["Held", "PlatformState"]

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0
FOLLOW_EVERY_S = 0.5
LATEST_EVERY_S = 60.0
# A look that takes long comes seldom: it never takes more than this part of the time.
SHARE = 0.02
HELD_SHOWN = 10
# A device that was silent for longer is so whatever was done to it then.
YEAR_US = 366 * 86_400 * US_PER_S
# Some milliseconds.
KEPT_AT_ONCE = 1_000


class Held(msgspec.Struct, frozen=True):
    """The quarantine at one instant: how many are held by reason, and the newest of them."""

    by_reason: dict[str, int] = {}
    newest: list[QuarantineEntry] = []


class PlatformState:
    """The last look at everything.

    Attributes:
        balance: The whole ledger; None while the log does not answer.
        held, fleet_look: The last look at quarantine and devices.
    """

    def __init__(self, parts: ServicesParts, ledger: LedgerBook, threads: Threads) -> None:
        self._parts = parts
        self._ledger = ledger
        self._threads = threads
        self.feed = LiveFeed()
        self.latest = LatestValues()
        self.newest = NewestByKind()
        self.fleet = Fleet()
        self.fleet_look = FleetLook()
        self.balance: Balance | None = None
        self.held = Held()
        self._trouble: dict[tuple[str, str], str] = {}
        self._followed = asyncio.Event()
        self._remembered = False

    def trouble(self, part: Literal["store", "registry"]) -> str:
        """Return why a part cannot be asked now; empty when it can."""
        return next((words for (of, _), words in self._trouble.items() if of == part), "")

    def observed(self, observations: list[LiveObservation]) -> None:
        """Take observations that ingest has stored just now."""
        self.feed.offer(observations)
        self._keep(observations)

    async def run(self) -> None:
        """Keep looking until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._paced("store", LOOK_EVERY_S, self._look_at_store))
            group.create_task(self._paced("registry", FOLLOW_EVERY_S, self._follow_registry))
            group.create_task(self._paced("store", LATEST_EVERY_S, self._read_latest))
            group.create_task(self._paced("registry", LOOK_EVERY_S, self._look_at_fleet))

    async def _paced(
        self, part: str, every_s: float, look: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        loop = asyncio.get_running_loop()
        key = (part, look.__qualname__)
        while True:
            started_s = loop.time()
            try:
                await look()
                self._trouble.pop(key, None)
            except (StoreBusyError, SQLAlchemyError, TooBusyError) as error:
                words = str(error) or "too many requests wait"
                if self._trouble.get(key) != words:
                    log.warning("look.failed", part=part, cause=words)
                self._trouble[key] = words
            except LogAwayError:
                # Nobody answered, which is no price: the next look comes soon.
                started_s = loop.time()
            took_s = loop.time() - started_s
            await asyncio.sleep(max(every_s - took_s, took_s / SHARE - took_s, 0))

    async def _look_at_store(self) -> None:
        away: LogAwayError | None = None
        try:
            # The log is looked at once a second anyway.
            self.balance = await self._ledger.balance(EVERYTHING, LedgerQuery(), ask=False)
        except LogAwayError as error:
            self.balance, away = None, error
        store = self._parts.store
        kept = await self._threads.run(store.codec_records, PRESENCE)
        self.fleet.offline = offline_of((each.key, each.value) for each in kept)
        query = QuarantineQuery(limit=HELD_SHOWN)
        self.held = Held(
            by_reason=await self._threads.run(store.quarantine_counts, EVERYTHING),
            newest=await self._threads.run(store.quarantine, EVERYTHING, query),
        )
        if away is not None:
            raise away

    async def _follow_registry(self) -> None:
        while True:
            changes = await self._threads.run(self._parts.registry.changes, self.fleet.revision)
            self.fleet.update(changes)
            if changes.complete:
                self._followed.set()
                return

    async def _read_latest(self) -> None:
        # Values are shown by kind, which the registry knows.
        await self._followed.wait()
        store = self._parts.store
        series = await self._threads.run(store.series)
        watermarks = await self._threads.run(store.watermarks)
        observations = await self._threads.run(newest_of, series, watermarks)
        for start in range(0, len(observations), KEPT_AT_ONCE):
            self._keep(observations[start : start + KEPT_AT_ONCE])
            # Requests come between.
            await asyncio.sleep(0)
        self._remembered = True

    async def _look_at_fleet(self) -> None:
        if not self._remembered:
            # Before the store has told, every device would seem never to have been heard.
            return
        now_us = self._parts.clock.now_us()
        maintenance = self._parts.registry.maintenance
        self.fleet.pauses = await self._threads.run(maintenance.pauses, now_us - YEAR_US)
        self.fleet_look = await self._threads.run(self.fleet.look, self.latest.heard, now_us)

    def _keep(self, observations: list[LiveObservation]) -> None:
        self.latest.offer(observations)
        for seen in observations:
            device = self.fleet.get((seen.provider, seen.device))
            kind = seen.kind if device is None else device.kind
            self.newest.offer(kind, seen)
