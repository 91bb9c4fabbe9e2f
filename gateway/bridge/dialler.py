"""Keeps a connection to one broker: dials, waits, dials again; and the socket that it gets.

What bytes mean is `gateway.bridge.conversation`.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from typing import TYPE_CHECKING, Final, cast

from gateway.bridge.conversation import Conversation

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.bridge.bridge import Bridge
    from gateway.bridge.broker import BrokerFiles

__all__ = ["Backoff", "BrokerSocket", "Dialler", "client_context"]

CONNECT_S: Final = 10.0
# A socket that is closed has so long to take what was written to it.
CLOSE_S: Final = 2.0
# A connection that lived so long was a good one.
STEADY_S: Final = 10.0
FIRST_CAP_S, LAST_CAP_S = 0.5, 30.0
# A broker writes message by message. When reads come closer together than this, the kernel gathers
# for so long, and one read brings many: a fifth of what a frame lingers.
GATHER_S: Final = 0.004
# A read of this size has gathered by itself.
ENOUGH_BYTES: Final = 65_536
LOOK_S: Final = 0.1


class Backoff:
    """Full jitter: anything up to a cap that doubles, so that bridges do not come in step."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        """Take a source of numbers from 0 to 1."""
        self._chance = chance
        self._tries = 0

    def next_s(self) -> float:
        """Return how long to wait before the next try."""
        cap_s = min(FIRST_CAP_S * 2**self._tries, LAST_CAP_S)
        self._tries = min(self._tries + 1, 16)
        return self._chance() * cap_s

    def reset(self) -> None:
        """Begin with short waits again."""
        self._tries = 0


class BrokerSocket(asyncio.Protocol):
    """The socket of a conversation; implements `gateway.bridge.conversation.Line`.

    Attributes:
        gone: Set to why the connection ended.
    """

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._loop = asyncio.get_running_loop()
        self._conversation: Conversation | None = None
        self._paused = False
        self._gathering = False
        self._read_s = 0.0
        self.gone: asyncio.Future[str] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to speak MQTT."""
        self._transport = cast("asyncio.Transport", transport)
        self._conversation = Conversation(self._bridge, self, self._loop.time())

    def data_received(self, data: bytes) -> None:
        """Hand bytes over, and let the next ones gather where they come in small pieces."""
        assert self._conversation is not None, "bytes come after the connection"
        self._conversation.received(data)
        now_s = self._loop.time()
        often = now_s - self._read_s < GATHER_S and len(data) < ENOUGH_BYTES
        self._read_s = now_s
        if often and not self._gathering and not self._transport.is_closing():
            self._gathering = True
            self._transport.pause_reading()
            self._loop.call_later(GATHER_S, self._gathered)

    def connection_lost(self, exc: Exception | None) -> None:
        """Learn that the socket is gone."""
        words = f"the connection broke: {exc}" if exc else "the broker closed the connection"
        conversation = self._conversation
        if conversation is not None:
            conversation.ended(words)
            words = conversation.cause
        if not self.gone.done():
            self.gone.set_result(words)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._transport.write(data)

    def close(self) -> None:
        """Send what was written and close, in any case soon."""
        self._transport.close()
        self._loop.call_later(CLOSE_S, self._transport.abort)

    def pause_reading(self) -> None:
        """Read nothing until `resume_reading`."""
        self._paused = True
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self._paused = False
        if not self._gathering:
            self._transport.resume_reading()

    def _gathered(self) -> None:
        self._gathering = False
        if not self._paused and not self._transport.is_closing():
            self._transport.resume_reading()


class Dialler:
    """Connects to one broker again and again."""

    def __init__(self, bridge: Bridge, backoff: Backoff | None = None) -> None:
        self.bridge = bridge
        self._backoff = backoff or Backoff()
        self._leaving = False

    async def run(self) -> None:
        """Keep a connection until `leave` or until cancelled."""
        loop = asyncio.get_running_loop()
        while not self._leaving:
            if self.bridge.intake.full:
                # Its answers could not be read.
                await asyncio.sleep(LOOK_S)
                continue
            level, began_s = self.bridge.level, loop.time()
            words = await self._once()
            if self._leaving:
                return
            self.bridge.failed(words)
            if self.bridge.level is not level:
                continue
            if loop.time() - began_s > STEADY_S:
                self._backoff.reset()
            await asyncio.sleep(self._backoff.next_s())

    def tick(self, now_s: float) -> None:
        """Do once a second what is due."""
        self.bridge.tick(now_s)

    def leave(self) -> None:
        """End the connection for good; the broker keeps the session."""
        self._leaving = True
        if self.bridge.conversation is not None:
            self.bridge.conversation.leave("the bridge stops")

    async def _once(self) -> str:
        """Live through one connection; return why it ended, or why there was none."""
        broker = self.bridge.broker
        try:
            context = None if broker.files is None else client_context(broker.files)
        except OSError as error:
            return f"ca, certificate or key cannot be read: {error}"
        try:
            socket = await self._connect(context)
        except OSError as error:
            return _words(error)
        try:
            return await socket.gone
        finally:
            socket.close()

    async def _connect(self, context: ssl.SSLContext | None) -> BrokerSocket:
        broker = self.bridge.broker
        async with asyncio.timeout(CONNECT_S):
            _, socket = await asyncio.get_running_loop().create_connection(
                lambda: BrokerSocket(self.bridge), broker.host, broker.port, ssl=context
            )
        return socket


def _words(error: OSError) -> str:
    """Return why there is no connection, and what mends it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the broker's certificate is not accepted: {error.verify_message};"
            " name who signed it with ca in its URL"
        )
    if isinstance(error, TimeoutError):
        return f"no connection within {CONNECT_S:g} s"
    return f"cannot connect: {error.strerror or error}"


def client_context(files: BrokerFiles) -> ssl.SSLContext:
    """Return what verifies a broker, and shows it our certificate where it wants one.

    Raises:
        OSError: If a file cannot be read (`ssl.SSLError` is one).
    """
    context = ssl.create_default_context(cafile=files.ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.certificate is not None:
        context.load_cert_chain(files.certificate, files.key)
    return context
