"""Sockets of devices: listeners, how many and how fast, and who waits when the log is full.

What bytes mean is `gateway.mqtt.connection`; this file keeps everything before it bounded.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from gateway.arrivals import Arrivals
from gateway.certificates import Certificates, TlsSettings
from gateway.mqtt.refusals import Refusal
from gateway.pacing import Pacer
from gateway.proxied_tls import ProxiedTls
from gateway.proxy import ProxyTrust
from gateway.server_socket import DeviceSocket

if TYPE_CHECKING:
    from collections.abc import Callable

    from city.access import AccessLimits
    from city.backlog import Backlog
    from gateway.mqtt.endpoint import Endpoint
    from gateway.proxy import Address

__all__ = ["Server", "ServerSettings"]

log = structlog.get_logger(__name__)

# Connections that the kernel completes before we accept them.
ACCEPT_BACKLOG = 2_048
# What the kernel holds for a device that does not read; connections inherit it. By itself it would
# grow to megabytes each.
SEND_BUFFER_BYTES = 65_536
# A socket that is closed has so long to take what was written to it.
CLOSE_S = 5.0
# When the process ends, devices have so long to take their last acknowledgements.
PART_S = 2.0


class ServerSettings(msgspec.Struct, frozen=True):
    """Bounds of one process.

    Attributes:
        max_connections: Open sockets, those that have not sent CONNECT included.
        connect_rate_per_s: New connections that are served.
        header_timeout_s: For a TLS handshake, and for a PROXY header.
        proxy_from: Addresses and networks whose connections begin with a PROXY header.
        beat_s: Busy connections are read once in so long (`gateway.pacing`).
        tls: For the second listener; None: there is none.
    """

    max_connections: int = 20_000
    connect_rate_per_s: float = 2_000
    header_timeout_s: float = 10
    proxy_from: tuple[str, ...] = ()
    beat_s: float = 0.02
    tls: TlsSettings | None = None


class Server:
    """Accepts connections and ends them.

    Attributes:
        endpoint: What MQTT shares between connections.
        pacer: Who says when busy connections are read.
        connections: Sockets that are open now.
        connects: Accepted since the start.
    """

    def __init__(
        self,
        settings: ServerSettings,
        endpoint: Endpoint,
        backlog: Backlog,
        read_out: Callable[[], None],
    ) -> None:
        """Build it inside a running event loop; `read_out` is called after each beat.

        Raises:
            OSError: If a certificate cannot be read.
            ValueError: If `proxy_from` holds something that is no address.
        """
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._max_connections = settings.max_connections
        self._arrivals = Arrivals(settings.connect_rate_per_s)
        self._proxies = ProxyTrust(settings.proxy_from)
        self._certificates = None if settings.tls is None else Certificates(settings.tls)
        self._listeners: list[asyncio.Server] = []
        self._proxied_tls: socket.socket | None = None
        self._stopping = False
        self._emptied = asyncio.Event()
        # Those that wait for a header, or for a close to be done, and until when.
        self._due_s: dict[DeviceSocket, float] = {}
        self._backlog = backlog
        backlog.turned = self._backlog_turned
        self.endpoint = endpoint
        self.pacer = Pacer(settings.beat_s, self._loop.time, self._loop.call_later, read_out)
        self.connections = 0
        self.connects = 0

    async def open(self, plain: socket.socket, tls: socket.socket | None) -> None:
        """Serve devices on sockets that are bound; the second one with TLS.

        Run `accept` as well.
        """
        for listener in (plain, tls):
            if listener is not None:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._listeners.append(await self._listen(plain))
        if tls is not None:
            assert self._certificates is not None, "a listener with TLS needs a certificate"
            if self._proxies:
                tls.listen(ACCEPT_BACKLOG)
                self._proxied_tls = tls
                return
            self._listeners.append(
                await self._listen(
                    tls,
                    ssl=self._certificates.context,
                    ssl_handshake_timeout=self._settings.header_timeout_s,
                    ssl_shutdown_timeout=CLOSE_S,
                )
            )

    async def accept(self) -> None:
        """Accept what the event loop cannot by itself, TLS behind a balancer; until cancelled."""
        if self._proxied_tls is None:
            return
        assert self._certificates is not None, "a listener with TLS needs a certificate"
        acceptor = ProxiedTls(
            self._certificates.context,
            self._settings.header_timeout_s,
            is_proxy=self.is_proxy,
            arrives=lambda source: DeviceSocket(self, source),
            refused=lambda peer, words: self.refuse(Refusal.PROXY_HEADER, peer, words),
        )
        await acceptor.serve(self._proxied_tls)

    async def _listen(self, listener: socket.socket, **tls: Any) -> asyncio.Server:  # noqa: ANN401 - the loop's own options
        return await self._loop.create_server(
            lambda: DeviceSocket(self), sock=listener, backlog=ACCEPT_BACKLOG, **tls
        )

    def tick(self) -> None:
        """Do once a second what need not be done at once."""
        now_s = self._loop.time()
        self.endpoint.tick(now_s)
        for late in [each for each, due_s in self._due_s.items() if due_s < now_s]:
            del self._due_s[late]
            late.overdue()
        if self._certificates is not None:
            self._certificates.refresh()

    def use_limits(self, limits: AccessLimits) -> None:
        """Take limits that replace the settings; None brings a setting back."""
        settings = self._settings
        self._max_connections = limits.max_connections or settings.max_connections
        self._arrivals.use_rate(limits.connect_rate_per_s or settings.connect_rate_per_s)

    def stop_taking(self) -> None:
        """Accept nobody and read nothing more; acknowledgements still go out."""
        self._stopping = True
        for listener in self._listeners:
            listener.close()
        self._backlog.close()
        self.endpoint.pause()

    async def part(self) -> None:
        """End every connection, and give devices a moment to take what was written."""
        self.endpoint.shut_down()
        try:
            async with asyncio.timeout(PART_S):
                while self.connections:
                    self._emptied.clear()
                    await self._emptied.wait()
        except TimeoutError:
            log.info("gateway.cut_off", connections=self.connections)

    def arrived(self, device: DeviceSocket, address: Address) -> float | None:
        """Count a new socket; return how long it waits for its turn, None: it is refused."""
        self.connections += 1
        self.connects += 1
        if self._stopping:
            return None
        if self.connections > self._max_connections:
            words = f"{self._max_connections} connections are open"
            self.refuse(Refusal.MAX_CONNECTIONS, address, words)
            return None
        now_s = self._loop.time()
        wait_s = self._arrivals.wait_s(now_s)
        if wait_s is None:
            self.refuse(Refusal.CONNECT_RATE, address, "too many new connections")
            return None
        self._due_s[device] = now_s + wait_s + self._settings.header_timeout_s
        return wait_s

    def is_proxy(self, address: Address) -> bool:
        """Say whether an address is that of a proxy of ours."""
        return bool(self._proxies) and self._proxies.believes(address.host)

    def begins(self, device: DeviceSocket) -> None:
        """Learn that MQTT begins: from here on its own time-outs count."""
        self._due_s.pop(device, None)

    def closes(self, device: DeviceSocket) -> None:
        """Learn that a socket is being closed."""
        self._due_s[device] = self._loop.time() + CLOSE_S

    def left(self, device: DeviceSocket) -> None:
        """Learn that a socket is gone."""
        self.connections -= 1
        if not self.connections:
            self._emptied.set()
        self._due_s.pop(device, None)

    def later(self, wait_s: float, work: Callable[[], None]) -> None:
        """Call something later."""
        self._loop.call_later(wait_s, work)

    def refuse(self, refusal: Refusal, address: Address, words: str) -> None:
        """Count and tell that a socket was refused."""
        self.endpoint.refusals.note(
            refusal, client="", address=f"{address.host}:{address.port}", detail=words
        )

    def _backlog_turned(self) -> None:
        """Stop everybody at once: one more read of each of thousands would be too much."""
        if self._backlog.full:
            self.endpoint.pause()
        else:
            self.endpoint.resume()
