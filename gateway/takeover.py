"""One connection a client identifier, over all gateway processes that share the devices.

MQTT lets a later CONNECT end the earlier connection of its client identifier. Within a process
`gateway.mqtt.sessions` does that at once; this file tells the other processes over NATS.
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

    from city.clock import Clock

__all__ = ["SUBJECT", "Recent", "Takeover"]

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


class _News(msgspec.Struct, frozen=True, array_like=True):
    """Clients that one process has taken, and when by its clock."""

    origin: str
    connected: list[tuple[bytes, int]]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_News)


class Recent:
    """When clients connected here, for the last few seconds; pure.

    Two generations that take turns, so that forgetting costs nothing a client.
    """

    def __init__(self) -> None:
        self._young: dict[bytes, int] = {}
        self._old: dict[bytes, int] = {}
        self._turned_us = 0

    @property
    def remembered(self) -> int:
        """Return how many clients are remembered."""
        return len(self._young) + len(self._old)

    def note(self, client: bytes, now_us: int) -> None:
        """Remember that a client has connected here."""
        if now_us - self._turned_us > SETTLING_US:
            self._old, self._young = self._young, {}
            self._turned_us = now_us
        self._young[client] = now_us

    def gives_way(self, client: bytes, other_us: int, now_us: int) -> bool:
        """Say whether our connection of a client gives way to one of another process.

        Args:
            client: Client identifier.
            other_us: When it connected there, by the clock of that process.
            now_us: Our clock.
        """
        ours_us = self._young.get(client) or self._old.get(client)
        settled = ours_us is None or now_us - ours_us > SETTLING_US
        return settled or other_us > (ours_us or 0)


class Takeover:
    """Tells other processes of connections and hears of theirs; a tenant of the link.

    Attributes:
        dropped: Announcements that found no room while NATS was away.
    """

    def __init__(self, origin: str, clock: Clock, end_holder: Callable[[bytes], None]) -> None:
        """Take a name that no other process has, and what ends a connection of ours."""
        self._origin = origin
        self._clock = clock
        self._end_holder = end_holder
        self._recent = Recent()
        self._waiting: deque[tuple[bytes, int]] = deque(maxlen=WAITING)
        self._wake = asyncio.Event()
        self.dropped = 0

    def announce(self, client: bytes) -> None:
        """Tell the other processes that a client is here now."""
        now_us = self._clock.now_us()
        self._recent.note(client, now_us)
        self.dropped += len(self._waiting) == WAITING
        self._waiting.append((client, now_us))
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
        if news.origin == self._origin:
            return
        now_us = self._clock.now_us()
        for client, connected_us in news.connected:
            if self._recent.gives_way(client, connected_us, now_us):
                self._end_holder(client)
