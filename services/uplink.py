"""Puts messages of HTTP requests on the log, by the way that MQTT messages go, and waits for it.

A request is answered when the log has all of it. One that was told to come again is remembered:
its messages may still reach the log, and then the same request once more adds nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from typing import TYPE_CHECKING, Final

from city.filling import Origin
from city.frame import Door, Extras, RecordFlag
from city.gateway_state import LogState
from city.subjects import gateway_token
from link.disk import look_at_disk
from link.nats_link import Link
from link.uplink import Uplink
from services.log_view import LogAwayError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from city.access import ShardRules
    from services.parts import ServicesParts

__all__ = ["HttpUplink"]

NAME: Final = "services-uplink"
# Network servers give a webhook about ten seconds.
WAIT_S: Final = 5.0
DRAIN_S: Final = 3.0
TICK_S: Final = 1.0
# Requests that were told to come again, and are remembered so long.
REMEMBERED_MAX: Final = 10_000
REMEMBERED_S: Final = 900.0
TRIED: Final = (LogState.READY, LogState.SLOW)


class _Delivery:
    """One request on its way; `city.intake.Publisher`."""

    def __init__(self, size_bytes: int) -> None:
        self._left_bytes = size_bytes
        self.there = asyncio.Event()
        self.given_up_s: float | None = None

    def confirmed(self, acknowledgements: bytes, size_bytes: int) -> None:  # noqa: ARG002 - the seam's
        """Learn that the log has a part."""
        self._left_bytes -= size_bytes
        if self._left_bytes <= 0:
            self.there.set()


class HttpUplink:
    """Messages from HTTP to the log; works while `running` does."""

    def __init__(self, parts: ServicesParts) -> None:
        self._parts = parts
        self._uplink: Uplink | None = None
        # Digest of what was told to come again; the oldest first.
        self._given_up: dict[bytes, _Delivery] = {}

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Keep a connection of its own: what ails it ends nothing else."""
        parts = self._parts
        name = gateway_token(parts.uplink_name)
        origin = Origin(name, parts.clock.now_us(), Door.HTTP)
        uplink = self._uplink = Uplink(origin, parts.uplink, parts.clock)
        link = Link(parts.nats_url, NAME, (uplink.log,))
        work = asyncio.ensure_future(self._work(link, uplink))
        try:
            yield
        finally:
            uplink.backlog.close()
            if not uplink.outbox.empty or uplink.backlog.held_bytes:
                await uplink.drain(DRAIN_S)
            work.cancel()
            await asyncio.wait([work], timeout=DRAIN_S)

    def use_rules(self, rules: ShardRules) -> None:
        """Take the shard levels of routes."""
        if self._uplink is not None:
            self._uplink.intake.use_rules(rules)

    async def send(
        self, actor: str, topic: str, messages: Sequence[bytes], content_type: str
    ) -> None:
        """Put messages on the log; return when it has all of them.

        Raises:
            LogAwayError: If it does not take them now; they have to be sent again.
        """
        digest = _digest(actor, topic, messages, content_type)
        now_s = asyncio.get_running_loop().time()
        self._forget(now_s)
        delivery = self._given_up.pop(digest, None) or self._take(
            actor, topic, messages, content_type
        )
        try:
            async with asyncio.timeout(WAIT_S):
                await delivery.there.wait()
        except TimeoutError:
            delivery.given_up_s = now_s + WAIT_S
            self._given_up[digest] = delivery
            assert self._uplink is not None, "it took the messages"
            words = self._uplink.condition().words or f"no answer within {WAIT_S:g} s"
            raise LogAwayError(words) from None

    def _take(
        self, actor: str, topic: str, messages: Sequence[bytes], content_type: str
    ) -> _Delivery:
        uplink = self._uplink
        if uplink is None:
            raise LogAwayError("the platform does not run")
        condition = uplink.condition()
        if uplink.backlog.full or condition.state not in TRIED:
            raise LogAwayError(condition.words or "too much waits for the log")
        name, count = topic.encode(), len(messages)
        size_bytes = count * (len(name) + 1) + sum(map(len, messages))
        delivery = _Delivery(size_bytes)
        uplink.intake.take(
            delivery,
            actor.encode(),
            [name] * count,
            list(messages),
            # Sent again until it is acknowledged, as QoS 1 is.
            bytes([RecordFlag.QOS_1]) * count,
            [b""] * count,
            size_bytes,
            tuple(Extras(index, content_type) for index in range(count)) if content_type else (),
        )
        return delivery

    def _forget(self, now_s: float) -> None:
        while self._given_up:
            oldest = next(iter(self._given_up))
            since_s = self._given_up[oldest].given_up_s or now_s
            if len(self._given_up) <= REMEMBERED_MAX and now_s - since_s < REMEMBERED_S:
                return
            del self._given_up[oldest]

    async def _work(self, link: Link, uplink: Uplink) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(link.run())
            group.create_task(self._tick(uplink))

    async def _tick(self, uplink: Uplink) -> None:
        while True:
            if self._parts.log_disk is not None:
                look_at_disk(self._parts.log_disk, uplink.backlog)
            await asyncio.sleep(TICK_S)


def _digest(actor: str, topic: str, messages: Sequence[bytes], content_type: str) -> bytes:
    """Return what tells one request from another: each part with its length."""
    found = hashlib.blake2b(digest_size=16)
    for part in (actor.encode(), topic.encode(), content_type.encode(), *messages):
        found.update(len(part).to_bytes(8))
        found.update(part)
    return found.digest()
