"""One device's socket: bytes to its MQTT connection, and what comes before and beside MQTT.

Before MQTT stand the wait for one's turn and the PROXY header of a load balancer. There is one of
these objects for each connection, so it holds no more than it needs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING, Protocol, cast

from gateway.certificates import common_name
from gateway.mqtt.connection import Connection
from gateway.mqtt.refusals import Refusal
from gateway.mqtt.wire import Peer
from gateway.proxy import Address, ProxyError, is_loopback, split_header

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.mqtt.endpoint import Endpoint
    from gateway.pacing import Pacer

__all__ = ["DeviceSocket", "Reception"]

# What may wait for a device that does not read its acknowledgements, beside the kernel's buffers.
WRITE_LIMIT_BYTES = 65_536
READ_BYTES = 65_536


class Reception(Protocol):
    """The server, as a socket sees it."""

    @property
    def endpoint(self) -> Endpoint:
        """What MQTT shares between connections."""
        ...

    @property
    def pacer(self) -> Pacer:
        """Who says when busy connections are read."""
        ...

    def arrived(self, device: DeviceSocket, address: Address) -> float | None:
        """Count a new socket; return how long it waits for its turn, None: it is refused."""
        ...

    def is_proxy(self, address: Address) -> bool:
        """Say whether an address is that of a proxy of ours."""
        ...

    def begins(self, device: DeviceSocket) -> None:
        """Learn that MQTT begins: from here on its own time-outs count."""
        ...

    def closes(self, device: DeviceSocket) -> None:
        """Learn that a socket is being closed."""
        ...

    def left(self, device: DeviceSocket) -> None:
        """Learn that a socket is gone."""
        ...

    def later(self, wait_s: float, work: Callable[[], None]) -> None:
        """Call something later."""
        ...

    def refuse(self, refusal: Refusal, address: Address, words: str) -> None:
        """Count and tell that a socket was refused."""
        ...


class DeviceSocket(asyncio.Protocol):
    """Protocol of one accepted connection; `gateway.mqtt.wire.Wire` and `gateway.pacing.Paced`.

    Attributes:
        looked_s: When it was read last, or let be read again.
    """

    __slots__ = (
        "_connection", "_early", "_halted", "_held_back", "_paced", "_proxied", "_server",
        "_source", "_transport", "_waits", "looked_s",
    )  # fmt: skip

    _transport: asyncio.Transport

    def __init__(self, server: Reception, source: Address | None = None) -> None:
        """Take whom a PROXY header has named already, where one came before TLS."""
        self._server = server
        self._source = source
        self._connection: Connection | None = None
        # What came before the connection began.
        self._early = b""
        self._waits = False
        self._proxied = False
        # Two reasons not to read: MQTT has asked for it, and the pacer's beat is not there yet.
        self._halted = False
        self._held_back = False
        self._paced = True
        self.looked_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or wait for one's turn unread."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=WRITE_LIMIT_BYTES)
        address = self._address()
        wait_s = self._server.arrived(self, address)
        if wait_s is None:
            self._transport.abort()
            return
        # A balancer's header stands before TLS, which is done by now: none follows.
        encrypted = transport.get_extra_info("ssl_object") is not None
        self._proxied = self._server.is_proxy(address) and not encrypted
        # What is held back has to be readable past the event loop (`read_rest`).
        self._paced = not encrypted
        self._waits = wait_s > 0
        if self._waits:
            # The loop starts to read after this call, whatever it is told in it.
            self._server.later(0, self._transport.pause_reading)
            self._server.later(wait_s, self._turn)
        else:
            self._go_on()

    def data_received(self, data: bytes) -> None:
        """Hand bytes on."""
        if self._connection is not None:
            self._connection.received(data)
            if self._paced:
                self._server.pacer.read(self, len(data))
        else:
            self._early += data
            self._go_on()

    def pause_writing(self) -> None:
        """Cut off a device that does not read: what it is sent must not fill our memory."""
        self._server.refuse(Refusal.SLOW_READER, self._address(), "does not read acknowledgements")
        if self._connection is not None:
            self._connection.ended("does not read acknowledgements")
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everybody that the device is gone."""
        # Nothing points back from here on, so that memory is free without a search for cycles.
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.ended(str(exc) if exc else "connection closed by the device")
        self._server.left(self)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._transport.write(data)

    def close(self) -> None:
        """Send what was written and close; the server cuts off where that takes too long."""
        self._server.closes(self)
        self._transport.close()

    def pause_reading(self) -> None:
        """Read nothing until `resume_reading`."""
        self._halted = True
        if not self._held_back:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self._halted = False
        if not self._held_back:
            self._transport.resume_reading()

    def hold_back(self) -> None:
        """Read nothing until `look`."""
        self._held_back = True
        if not self._halted:
            self._transport.pause_reading()

    def look(self, now_s: float) -> None:
        """Read again, where MQTT wants it."""
        self._held_back = False
        self.looked_s = now_s
        if not self._halted and not self._transport.is_closing():
            self._transport.resume_reading()

    def read_rest(self) -> None:
        """Hand on what has arrived and was held back; the kernel has it, so nobody waits."""
        descriptor = self._transport.get_extra_info("socket").fileno()
        with contextlib.suppress(OSError):
            while self._held_back and not self._halted and not self._transport.is_closing():
                data = os.read(descriptor, READ_BYTES)
                if not data or self._connection is None:
                    break
                self._connection.received(data)

    def overdue(self) -> None:
        """Cut off: the header has not come, or the close is not done, in time."""
        if self._connection is None:
            words = "no PROXY header in time"
            self._server.refuse(Refusal.CONNECT_TIMEOUT, self._address(), words)
        self._transport.abort()

    def _turn(self) -> None:
        self._waits = False
        if not self._transport.is_closing():
            self._transport.resume_reading()
            self._go_on()

    def _go_on(self) -> None:
        """Begin MQTT once the turn has come and the header is complete."""
        if self._waits:
            return
        if not self._proxied:
            self._begin(self._source or self._address())
            return
        try:
            header = split_header(self._early)
        except ProxyError as error:
            self._server.refuse(Refusal.PROXY_HEADER, self._address(), str(error))
            self._transport.abort()
            return
        if header is not None:
            source, self._early = header
            self._begin(source or self._address())

    def _begin(self, address: Address) -> None:
        transport = self._transport
        host = f"[{address.host}]" if ":" in address.host else address.host
        peer = Peer(
            f"{host}:{address.port}",
            near=not self._proxied and self._source is None and is_loopback(address.host),
            certificate=common_name(transport.get_extra_info("peercert")),
        )
        self._server.begins(self)
        self._connection = Connection(self._server.endpoint, self, peer)
        early, self._early = self._early, b""
        if early:
            self._connection.received(early)

    def _address(self) -> Address:
        """Return the socket's other end; the system has told it when it was accepted."""
        host, port, *_ = self._transport.get_extra_info("peername")
        return Address(host, port)
