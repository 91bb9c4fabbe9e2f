"""The way from a connection's read to its acknowledgement, put together: packer, outbox, log.

Owns the only timer of the hot path: the linger, which runs while a message waits in a frame.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from city.backlog import Backlog
from city.clock import US_PER_S
from city.gateway_state import GatewayState, LogState
from city.packer import Packer
from link.confirmer import Confirmer
from link.log import Log
from link.outbox import Condition, Outbox

if TYPE_CHECKING:
    from city.clock import Clock
    from city.filling import Origin, SealedFrame
    from link.stream import StreamSettings

__all__ = ["Uplink", "UplinkSettings"]

# What a frame has beside its texts, at most; the longest message stands in a frame of its own.
FRAME_OVERHEAD_BYTES = 65_536


class UplinkSettings(msgspec.Struct, frozen=True):
    """Sizes and times of the way to the log.

    Attributes:
        stream: What the log has to be; None: somebody else makes it.
        frame_bytes, linger_s: A frame is sealed at this size, or this long after a first message.
        max_message_bytes: The longest message; a frame of its own has to fit the log's limit.
        unacked_bytes: What may wait for the log in all.
    """

    stream: StreamSettings | None
    shards: int = 8
    frame_bytes: int = 65_536
    linger_s: float = 0.02
    max_message_bytes: int = 262_144
    unacked_bytes: int = 16 * 1024 * 1024


class Uplink:
    """Takes messages (`intake`), sends frames (`log`), knows how much waits (`backlog`)."""

    def __init__(self, origin: Origin, settings: UplinkSettings, clock: Clock) -> None:
        """Build it inside a running event loop."""
        self._loop = asyncio.get_running_loop()
        self._origin = origin
        self._clock = clock
        self._told_messages = 0
        self._told_us = origin.epoch
        self._linger_s = settings.linger_s
        self._lingering: asyncio.TimerHandle | None = None
        self._emptied = asyncio.Event()
        self.backlog = Backlog(settings.unacked_bytes)
        self.outbox = Outbox(settings.shards)
        self.confirmer = Confirmer(self.backlog, clock, self._loop.call_soon)
        longest = max(settings.frame_bytes, settings.max_message_bytes)
        self.log = Log(
            origin,
            self.outbox,
            settings.stream,
            max_frame_bytes=longest + FRAME_OVERHEAD_BYTES,
            confirm=self._confirm,
        )
        self.intake = Packer(
            origin,
            shards=settings.shards,
            frame_bytes=settings.frame_bytes,
            clock=clock,
            backlog=self.backlog,
            opened=self._opened,
            sealed=self.log.put,
        )

    def seal(self) -> None:
        """Send what waits in frames although the linger is not over."""
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        self.intake.seal_messages()

    def _opened(self) -> None:
        self._lingering = self._loop.call_later(self._linger_s, self.seal)

    def _confirm(self, frame: SealedFrame) -> None:
        self.confirmer.confirm(frame)
        if self.outbox.empty:
            self._emptied.set()

    def condition(self) -> Condition:
        """Return how the log does; where connections wait, that is the reason to tell."""
        condition = self.log.condition()
        if self.backlog.disk_words and condition.state is not LogState.AWAY:
            return Condition(LogState.FULL, self.backlog.disk_words)
        if self.backlog.full and condition.state is LogState.READY:
            return Condition(LogState.SLOW, self.backlog.reason)
        return condition

    def state(self) -> GatewayState:
        """Return what there is to tell of the way to the log; call it once a second."""
        condition = self.condition()
        now_us = self._clock.now_us()
        messages = self.intake.messages
        elapsed_us = max(now_us - self._told_us, 1)
        messages_per_s = (messages - self._told_messages) * US_PER_S / elapsed_us
        self._told_messages, self._told_us = messages, now_us
        return GatewayState(
            name=self._origin.gateway,
            epoch=self._origin.epoch,
            time_us=now_us,
            messages=messages,
            message_bytes=self.intake.message_bytes,
            messages_per_s=messages_per_s,
            frames=self.outbox.frames,
            resends=self.outbox.resends,
            unacked_bytes=self.backlog.held_bytes,
            unacked_limit_bytes=self.backlog.limit_bytes,
            waiting=self.backlog.full,
            log=condition.state,
            reason=condition.words,
            frame_latency_s=self.confirmer.latency_s,
        )

    async def drain(self, deadline_s: float) -> bool:
        """Seal what is open and wait until the log has it; False where time ran out."""
        self.intake.seal_all()
        try:
            async with asyncio.timeout(deadline_s):
                while not self.outbox.empty:
                    self._emptied.clear()
                    await self._emptied.wait()
        except TimeoutError:
            return False
        self.confirmer.flush()
        return True
