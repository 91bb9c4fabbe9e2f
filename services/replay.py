"""Tells every shard to take quarantined messages up again, or to drop them: through the log.

A record in the log takes effect at the same place whoever applies it (docs/decisions/0005); a
shard resolves its own entries only, so each is told.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from typing import TYPE_CHECKING

import msgspec
import nats.errors
import structlog

from city.frame import COUNT_HEADER, Control, ControlKind, Door, Frame, encode_frame
from city.replay import ReplayRequest, encode_request
from city.subjects import frame_subject
from services.log_view import LogAwayError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nats.aio.client import Client

    from city.clock import Clock

__all__ = ["REQUESTS_MAX", "Replayer"]

log = structlog.get_logger(__name__)

GATEWAY = "services"
# In one frame: some tens of kilobytes.
REQUESTS_MAX = 100
TRY_TIMEOUT_S = 2.0
TRIES = 3
# Back-fills that wait for the log to come back; whoever is beyond them is accepted again by hand.
WAITING_MAX = 1_000
AGAIN_S = 1.0


class _Refusal(msgspec.Struct, frozen=True):
    description: str = ""


class _Reply(msgspec.Struct, frozen=True):
    error: _Refusal | None = None
    seq: int = 0


class Replayer:
    """Puts requests on the log; a tenant of the link."""

    def __init__(self, shards: int, clock: Clock) -> None:
        self._shards = shards
        self._clock = clock
        self._epoch = clock.now_us()
        self._client: Client | None = None
        self._away = "not connected yet"
        self._waiting: deque[tuple[str, tuple[ReplayRequest, ...]]] = deque(maxlen=WAITING_MAX)

    async def attend(self, client: Client) -> None:
        """Take a connection, and tell what has waited for the log."""
        self._client = client
        while True:
            for _ in range(len(self._waiting)):
                await self.replay_soon(*self._waiting.popleft())
            await asyncio.sleep(AGAIN_S)

    def bereft(self, words: str) -> None:
        """Learn that there is no connection."""
        self._client = None
        self._away = words

    async def replay(self, actor: str, requests: Sequence[ReplayRequest]) -> None:
        """Have messages taken up again; who asks twice changes nothing.

        Raises:
            LogAwayError: If the log does not take it; some shards may know already.
        """
        await self._tell(ControlKind.REPLAY, actor, requests)

    async def replay_soon(self, actor: str, requests: Sequence[ReplayRequest]) -> None:
        """Have messages taken up again now, or when the log is back."""
        try:
            await self.replay(actor, requests)
        except LogAwayError as away:
            log.warning("replay.deferred", actor=actor, cause=str(away))
            self._waiting.append((actor, tuple(requests)))

    async def drop(self, actor: str, requests: Sequence[ReplayRequest]) -> None:
        """Have messages dropped; they stay readable.

        Raises:
            LogAwayError: If the log does not take it; some shards may know already.
        """
        await self._tell(ControlKind.DROP, actor, requests)

    async def _tell(self, kind: ControlKind, actor: str, requests: Sequence[ReplayRequest]) -> None:
        assert 0 < len(requests) <= REQUESTS_MAX, "one frame holds them"
        now_us = self._clock.now_us()
        controls = tuple(Control(kind, actor, now_us, encode_request(each)) for each in requests)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._put(shard, self._frame(shard, now_us, controls)))
                for shard in range(self._shards)
            ]
        for words in (task.result() for task in tasks):
            if words:
                raise LogAwayError(words)
        log.info("quarantine.told", kind=kind, actor=actor, requests=len(requests))

    def _frame(self, shard: int, now_us: int, controls: tuple[Control, ...]) -> bytes:
        return encode_frame(
            Frame(
                door=Door.SERVICES,
                shard=shard,
                gateway=GATEWAY,
                epoch=self._epoch,
                count_before=0,
                received_us=now_us,
                topics=[],
                payloads=[],
                flags=b"",
                runs=[],
                controls=controls,
            )
        )

    async def _put(self, shard: int, frame: bytes) -> str:
        """Put a frame on the log; return why it did not take it, empty when it did."""
        subject = frame_subject(shard, GATEWAY, self._epoch)
        # The same name for each try: the log takes one of them.
        headers = {"Nats-Msg-Id": uuid.uuid4().hex, COUNT_HEADER: "0"}
        words = self._away
        for _ in range(TRIES):
            if self._client is None:
                return self._away
            try:
                answer = await self._client.request(
                    subject, frame, timeout=TRY_TIMEOUT_S, headers=headers
                )
                reply = msgspec.json.decode(answer.data, type=_Reply)
            except (OSError, nats.errors.Error) as error:
                words = str(error) or f"no answer within {TRY_TIMEOUT_S:g} s"
                continue
            return reply.error.description or "refused" if reply.error else ""
        return words
