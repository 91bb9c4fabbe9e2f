"""The bridge's process: brokers in, the log out; from its start to its orderly end.

As with a gateway, the order at the end is the promise: nothing more is taken, the log gets what was
taken, brokers get their acknowledgements, and only then the connections end.
"""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

import msgspec
import structlog

from city.filling import Origin
from city.frame import Door
from city.gateway_state import GatewayState, LogState
from city.subjects import gateway_token
from gateway.access import Access
from gateway.bridge.bridge import Bridge
from gateway.bridge.dialler import Dialler
from gateway.bridge.requests import Requests
from gateway.process import DRAIN_S, GC_THRESHOLDS, LOOK_S, TICK_S, USERS_S
from gateway.teller import Teller
from link.disk import DiskReserve, look_at_disk
from link.nats_link import Link
from link.uplink import Uplink, UplinkSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from city.access import AccessLimits, ShardRules
    from city.clock import Clock
    from gateway.bridge.broker import Broker

__all__ = ["BridgeProcess", "BridgeSettings"]

log = structlog.get_logger(__name__)

# Brokers have so long to take their last acknowledgements.
PART_S = 2.0


class BridgeSettings(msgspec.Struct, frozen=True):
    """What an operator chooses about a bridge process.

    Attributes:
        name: Of this process; no other one that runs has it.
        nats_url: Address of the log, with its credentials.
        brokers: With their client identifiers.
        disk: Watched where the log's disk is this machine's.
    """

    name: str
    nats_url: str
    uplink: UplinkSettings
    brokers: tuple[Broker, ...]
    disk: DiskReserve | None = None


class BridgeProcess:
    """Builds the parts and runs them; `gateway.access.AccessListener` as well."""

    def __init__(self, settings: BridgeSettings, clock: Clock) -> None:
        """Build it inside a running event loop."""
        self._settings = settings
        origin = Origin(gateway_token(settings.name), clock.now_us(), Door.BRIDGE)
        self._origin = origin
        self._uplink = Uplink(origin, settings.uplink, clock)
        self._uplink.backlog.turned = self._backlog_turned
        self._access = Access(self)
        longest = settings.uplink.max_message_bytes
        self._diallers = [
            Dialler(Bridge(broker, self._uplink.intake, clock, longest))
            for broker in settings.brokers
        ]
        carrying = Requests([each.bridge for each in self._diallers])
        tenants = [self._uplink.log, self._access, Teller(self.state), carrying]
        self._link = Link(settings.nats_url, origin.gateway, tenants)

    async def run(self, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """Bridge from the moment the log is reached until `stop` is set; then end in order.

        Ready means ready to bridge: a broker that is away is dialled for ever, and told of.
        """
        async with asyncio.TaskGroup() as group:
            link = group.create_task(self._link.run())
            ticking = group.create_task(self._tick())
            if await self._reach_log(stop):
                gc.collect()
                gc.freeze()
                gc.set_threshold(*GC_THRESHOLDS)
                dialling = [group.create_task(each.run()) for each in self._diallers]
                ready()
                log.info("bridge.opened", name=self._origin.gateway, epoch=self._origin.epoch)
                await stop.wait()
                await self._end(dialling)
            ticking.cancel()
            link.cancel()

    def state(self) -> GatewayState:
        """Return what this process tells about itself; call it once a second."""
        brokers = tuple(each.bridge.state() for each in self._diallers)
        return msgspec.structs.replace(
            self._uplink.state(),
            connections=sum(each.connected for each in brokers),
            connects=sum(each.connects for each in brokers),
            brokers=brokers,
        )

    def rules_changed(self, rules: ShardRules) -> None:
        """Take the shard levels of routes."""
        self._uplink.intake.use_rules(rules)

    def limits_changed(self, limits: AccessLimits) -> None:
        """Leave limits of devices' connections to gateways."""

    def user_changed(self, user: str) -> None:
        """Leave users to gateways: what a broker may send is in its URL."""

    async def _reach_log(self, stop: asyncio.Event) -> bool:
        """Wait for the log, and a little for shard rules; False where stopping came first."""
        loop = asyncio.get_running_loop()
        rules_by_s = loop.time() + USERS_S
        while not self._reached(waited=loop.time() > rules_by_s):
            if stop.is_set():
                return False
            await asyncio.sleep(LOOK_S)
        return True

    def _reached(self, *, waited: bool) -> bool:
        away = self._uplink.condition().state is LogState.AWAY
        return not away and (self._access.known or waited)

    def _backlog_turned(self) -> None:
        for each in self._diallers:
            conversation = each.bridge.conversation
            if conversation is None:
                continue
            if self._uplink.backlog.full:
                conversation.pause()
            else:
                conversation.go_on()

    async def _tick(self) -> None:
        """Do once a second what need not be done at once."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK_S)
            for each in self._diallers:
                each.tick(loop.time())
            self._uplink.intake.tick()
            if self._settings.disk is not None:
                look_at_disk(self._settings.disk, self._uplink.backlog)

    async def _end(self, dialling: list[asyncio.Task[None]]) -> None:
        self._uplink.backlog.close()
        drained = await self._uplink.drain(DRAIN_S)
        for each in self._diallers:
            each.leave()
        await asyncio.wait(dialling, timeout=PART_S)
        for task in dialling:
            task.cancel()
        # That the connections ended is told on the log as well.
        drained = await self._uplink.drain(PART_S) and drained
        if not drained:
            # No broker was told that these arrived: they are sent again.
            log.warning("gateway.not_drained", unacked_bytes=self._uplink.backlog.held_bytes)
        log.info("bridge.closed", messages=self._uplink.intake.messages, drained=drained)
