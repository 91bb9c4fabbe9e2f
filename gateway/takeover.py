"""One connection a client identifier, over all gateway processes that share the devices.

MQTT lets a later CONNECT end the earlier connection of its client identifier. Within a process the
server does that at once; this file tells the other processes over NATS. Identifiers are told apart
by user, so that nobody can end the connections of another user.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

import msgspec
import structlog

from city.clock import US_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from nats.aio.client import Client
    from nats.aio.msg import Msg

__all__ = ["SUBJECT", "Identity", "Takeover", "is_superseded"]

log = structlog.get_logger(__name__)

SUBJECT = "madina.takeover"
# Announcements gather for so long, then go in messages of at most so many.
GATHER_S = 0.01
CHUNK = 1_000
# Announcements that wait for NATS to come back; beyond it the oldest are dropped, and a stale
# connection ends by its keep alive.
WAITING = 65_536
# Two connections so close in time are told apart by their stamps, whatever way the news took. An
# older connection gives way whatever the stamps say: clocks of hosts differ.
SETTLING_US = 2 * US_PER_S


class Identity(msgspec.Struct, frozen=True, array_like=True):
    """A client identifier, and whose it is; the user is empty where nobody logged in."""

    user: str
    client: bytes


class _News(msgspec.Struct, frozen=True, array_like=True):
    """Connections that one process has taken: who, and when by its clock."""

    origin: str
    connected: list[tuple[Identity, int]]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_News)


def is_superseded(connected_us: int, other_us: int, now_us: int) -> bool:
    """Say whether a connection gives way to one that another process tells of.

    Args:
        connected_us: Our connection, by our clock.
        other_us: The other one, by the clock of its process.
        now_us: Our clock.
    """
    if now_us - connected_us > SETTLING_US:
        return True
    return other_us > connected_us


class Takeover:
    """Tells other processes of connections and hears of theirs; a tenant of the link.

    Attributes:
        dropped: Announcements that found no room while NATS was away.
    """

    def __init__(self, origin: str, taken: Callable[[Identity, int], None]) -> None:
        """Take a name that no other process has, and whom to tell of connections elsewhere."""
        self._origin = origin
        self._taken = taken
        self._waiting: deque[tuple[Identity, int]] = deque(maxlen=WAITING)
        self._wake = asyncio.Event()
        self.dropped = 0

    def announce(self, identity: Identity, connected_us: int) -> None:
        """Tell the other processes that a client is here now."""
        if len(self._waiting) == WAITING:
            self.dropped += 1
        self._waiting.append((identity, connected_us))
        self._wake.set()

    def bereft(self, words: str) -> None:
        """Keep what was not told yet."""

    async def attend(self, client: Client) -> None:
        """Listen and tell until the connection ends."""
        # nats-py leaves a parameter's type open.
        await client.subscribe(SUBJECT, cb=self._heard)  # pyright: ignore[reportUnknownMemberType]
        while True:
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(GATHER_S)
            while self._waiting:
                chunk = [self._waiting.popleft() for _ in range(min(CHUNK, len(self._waiting)))]
                await client.publish(SUBJECT, _encoder.encode(_News(self._origin, chunk)))

    async def _heard(self, message: Msg) -> None:
        try:
            news = _decoder.decode(message.data)
        except msgspec.MsgspecError as error:
            log.warning("takeover.unreadable", cause=str(error))
            return
        if news.origin != self._origin:
            for identity, connected_us in news.connected:
                self._taken(identity, connected_us)
