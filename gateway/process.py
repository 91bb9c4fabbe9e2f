"""One gateway process: everything put together, from its start to its orderly end.

The order at the end is the promise: nothing more is taken, the log gets what was taken, devices
get their acknowledgements, and only then the connections end.
"""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

import msgspec
import structlog

from city.filling import Origin
from city.gateway_state import GatewayState, LogState
from city.subjects import gateway_token
from gateway.access import Access
from gateway.grants import Doorkeeper
from gateway.mqtt.endpoint import Endpoint
from gateway.mqtt.wire import ConnectionSettings
from gateway.server import Server, ServerSettings
from gateway.takeover import Takeover
from gateway.teller import Teller
from link.disk import DiskReserve, look_at_disk
from link.nats_link import Link
from link.uplink import Uplink, UplinkSettings

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from city.access import AccessLimits, ShardRules
    from city.clock import Clock
    from gateway.grants import Anonymous

__all__ = [
    "DRAIN_S",
    "GC_THRESHOLDS",
    "LOOK_S",
    "TICK_S",
    "USERS_S",
    "GatewayProcess",
    "GatewaySettings",
    "Listeners",
]

log = structlog.get_logger(__name__)

TICK_S = 1.0
# How often a condition that others bring about is looked at while starting.
LOOK_S = 0.02
# Users are usually known milliseconds after the log is reached; longer is not worth waiting for.
USERS_S = 1.0
# Less than the supervisor waits before it kills.
DRAIN_S = 9.0
WILLS_S = 2.0
# What lives as long as the process is not looked at again; the rest makes few cycles.
GC_THRESHOLDS = (20_000, 20, 20)


class GatewaySettings(msgspec.Struct, frozen=True):
    """What an operator chooses about a gateway process.

    Attributes:
        name: Of this process; no other one that runs has it.
        nats_url: Address of the log, with its credentials.
        disk: Watched where the log's disk is this machine's.
    """

    name: str
    nats_url: str
    uplink: UplinkSettings
    connection: ConnectionSettings
    server: ServerSettings
    anonymous: Anonymous
    disk: DiskReserve | None = None


class Listeners(msgspec.Struct, frozen=True):
    """Sockets that listen already, or will when they are served."""

    plain: socket.socket
    tls: socket.socket | None = None


class GatewayProcess:
    """Builds the parts and runs them; `gateway.access.AccessListener` as well."""

    def __init__(self, settings: GatewaySettings, clock: Clock) -> None:
        """Build it inside a running event loop.

        Raises:
            OSError: If a certificate cannot be read.
        """
        self._settings = settings
        self._clock = clock
        self._origin = Origin(gateway_token(settings.name), clock.now_us())
        self._uplink = Uplink(self._origin, settings.uplink, clock)
        self._access = Access(self)
        self._takeover = Takeover(
            f"{self._origin.gateway}-{self._origin.epoch}",
            clock,
            self._taken_elsewhere,
        )
        self._endpoint = Endpoint(
            settings.connection,
            self._uplink.intake,
            Doorkeeper(self._access, settings.anonymous, proxied=bool(settings.server.proxy_from)),
            self._takeover.announce,
            asyncio.get_running_loop().time(),
        )
        self._server = Server(
            settings.server, self._endpoint, self._uplink.backlog, self._uplink.seal
        )
        tenants = [self._uplink.log, self._access, self._takeover, Teller(self.state)]
        self._link = Link(settings.nats_url, self._origin.gateway, tenants)

    async def run(
        self, listeners: Listeners, stop: asyncio.Event, ready: Callable[[], None]
    ) -> None:
        """Serve from the moment the log is reached until `stop` is set; then end in order."""
        async with asyncio.TaskGroup() as group:
            link = group.create_task(self._link.run())
            ticking = group.create_task(self._tick())
            if await self._reach_log(stop):
                gc.collect()
                gc.freeze()
                gc.set_threshold(*GC_THRESHOLDS)
                await self._server.open(listeners.plain, listeners.tls)
                accepting = group.create_task(self._server.accept())
                ready()
                log.info("gateway.opened", name=self._origin.gateway, epoch=self._origin.epoch)
                await stop.wait()
                accepting.cancel()
                await self._end()
            ticking.cancel()
            link.cancel()

    def state(self) -> GatewayState:
        """Return what this process tells about itself; call it once a second."""
        refused = self._endpoint.refusals.counts
        return msgspec.structs.replace(
            self._uplink.state(),
            connections=self._server.connections,
            connects=self._server.connects,
            refused={reason.value: count for reason, count in refused.items() if count},
        )

    def rules_changed(self, rules: ShardRules) -> None:
        """Take the shard levels of routes."""
        self._uplink.intake.use_rules(rules)

    def limits_changed(self, limits: AccessLimits) -> None:
        """Take limits that replace the settings."""
        self._server.use_limits(limits)

    def user_changed(self, user: str) -> None:
        """Let connections of a user log in again."""
        self._endpoint.user_changed(user)

    async def _reach_log(self, stop: asyncio.Event) -> bool:
        """Wait for the log, and a little for the users; False where stopping came first."""
        loop = asyncio.get_running_loop()
        users_by_s = loop.time() + USERS_S
        while not self._reached(waited=loop.time() > users_by_s):
            if stop.is_set():
                return False
            await asyncio.sleep(LOOK_S)
        return True

    def _reached(self, *, waited: bool) -> bool:
        away = self._uplink.condition().state is LogState.AWAY
        return not away and (self._access.known or waited)

    def _taken_elsewhere(self, client: bytes) -> None:
        self._endpoint.sessions.end_holder(client)

    async def _tick(self) -> None:
        """Do once a second what need not be done at once."""
        while True:
            await asyncio.sleep(TICK_S)
            self._server.tick()
            self._uplink.intake.tick()
            if self._settings.disk is not None:
                look_at_disk(self._settings.disk, self._uplink.backlog)

    async def _end(self) -> None:
        self._server.stop_taking()
        drained = await self._uplink.drain(DRAIN_S)
        # Devices that are cut off leave wills; those are the log's as well.
        await self._server.part()
        drained = await self._uplink.drain(WILLS_S) and drained
        if not drained:
            # Nobody was told that these arrived: their devices send them again.
            log.warning("gateway.not_drained", unacked_bytes=self._uplink.backlog.held_bytes)
        log.info("gateway.closed", messages=self._uplink.intake.messages, drained=drained)
