"""What services know of the log and of the gateways: looked at once a second, or when asked.

Reads only. Observations on `madina.live` are handed on; nothing here decides about a message.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import nats.errors
import structlog

from city.gateway_state import GATEWAY_STATES, GatewayState, decode_state
from city.ingest_state import INGEST_STATES
from city.live import LiveObservation, decode_live
from city.subjects import LIVE_SUBJECT, STREAM
from services.log_counts import LogCounts, LogReadError
from services.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nats.aio.client import Client
    from nats.aio.msg import Msg

    from store.interface import GatewayCount

__all__ = ["HeardGateway", "LogAwayError", "LogSize", "LogView"]

log = structlog.get_logger(__name__)

INFO_SUBJECT = f"$JS.API.STREAM.INFO.{STREAM}"
LOOK_EVERY_S = 1.0
API_TIMEOUT_S = 2.0
# A gateway tells its state each second; one that missed five is gone.
GATEWAY_GONE_S = 5.0
# What a gateway of a name tells is kept once; more names than this are not ours.
GATEWAYS_MAX = 1_000
NOT_FOUND = 404
# nats-server says so about a stream that refuses for `max_bytes`; a frame has up to 64 KiB.
FULL_MARGIN_BYTES = 2 * 65_536


class LogAwayError(Exception):
    """The log does not answer, so nobody knows what is pending."""


class _Error(msgspec.Struct, frozen=True):
    code: int = 0
    description: str = ""


class _State(msgspec.Struct, frozen=True):
    messages: int = 0
    bytes: int = 0
    last_seq: int = 0


class _Info(msgspec.Struct, frozen=True):
    error: _Error | None = None
    config: dict[str, Any] = {}
    state: _State = _State()


class LogSize(msgspec.Struct, frozen=True):
    """How full the log is; `max_bytes` is -1 where it has no limit."""

    messages: int
    bytes: int
    max_bytes: int

    @property
    def full(self) -> bool:
        """Say whether the next frame may be refused."""
        return 0 <= self.max_bytes <= self.bytes + FULL_MARGIN_BYTES


class HeardGateway(msgspec.Struct, frozen=True):
    """The last state that a gateway process told, and when we heard it (loop's clock, s)."""

    state: GatewayState
    heard_s: float


class LogView:
    """The log and the gateways, as they told last; a tenant of the link.

    Args:
        shards: How many shards the platform has.
        observed: Is handed the observations of each live message.

    Attributes:
        workers: Of ingest, as they told last.
    """

    def __init__(self, shards: int, observed: Callable[[list[LiveObservation]], None]) -> None:
        self.workers = Workers()
        self._observed = observed
        self._counts = LogCounts(shards)
        self._client: Client | None = None
        self._gateways: dict[str, HeardGateway] = {}
        self._size: LogSize | None = None
        self._away = "not connected yet"
        # One look at a time: they share the counts.
        self._looking = asyncio.Lock()

    @property
    def away(self) -> str:
        """Why the log does not answer; empty while it does."""
        return self._away

    @property
    def size(self) -> LogSize | None:
        """How full the log is; None where nobody knows."""
        return self._size

    @property
    def state(self) -> Literal["ready", "full", "away"]:
        """One word for how the log does."""
        if self._size is None:
            return "away"
        return "full" if self._size.full else "ready"

    def gateways(self) -> list[HeardGateway]:
        """Return the gateway processes that told their state lately, by name."""
        now_s = asyncio.get_running_loop().time()
        recent = (each for each in self._gateways.values() if now_s - each.heard_s < GATEWAY_GONE_S)
        return sorted(recent, key=lambda each: each.state.name)

    def age_s(self, heard: HeardGateway) -> float:
        """Return how long ago a gateway told its state, seconds."""
        return asyncio.get_running_loop().time() - heard.heard_s

    def received(self, applied: Sequence[GatewayCount]) -> int:
        """Return the messages that gateways counted, as the log told last.

        Raises:
            LogAwayError: If the log does not answer now.
        """
        if self._away:
            raise LogAwayError(self._away)
        return self._counts.received(applied)

    async def look(self) -> None:
        """Ask the log now.

        Raises:
            LogAwayError: If it does not answer.
        """
        client = self._client
        if client is None:
            raise LogAwayError(self._away)
        try:
            async with self._looking:
                await self._look(client)
        except (OSError, nats.errors.Error) as error:
            self._lose(str(error) or f"no answer within {API_TIMEOUT_S:g} s")
            raise LogAwayError(self._away) from error

    async def attend(self, client: Client) -> None:
        """Listen to gateways and ingest, and look at the log once a second."""
        # nats-py leaves a parameter's type open.
        await client.subscribe(GATEWAY_STATES, cb=self._heard)  # pyright: ignore[reportUnknownMemberType]
        await client.subscribe(INGEST_STATES, cb=self.workers.heard)  # pyright: ignore[reportUnknownMemberType]
        await client.subscribe(LIVE_SUBJECT, cb=self._lived)  # pyright: ignore[reportUnknownMemberType]
        self._client = client
        while True:
            try:
                await self.look()
            except LogAwayError as away:
                log.warning("log.away", cause=str(away))
            await asyncio.sleep(LOOK_EVERY_S)

    def bereft(self, words: str) -> None:
        """Learn that there is no connection."""
        self._client = None
        self._lose(words)

    async def _look(self, client: Client) -> None:
        answer = await client.request(INFO_SUBJECT, b"", timeout=API_TIMEOUT_S)
        info = msgspec.json.decode(answer.data, type=_Info)
        if info.error is not None:
            absent = info.error.code == NOT_FOUND
            words = "no gateway has made it yet" if absent else info.error.description
            raise LogReadError(words)
        await self._counts.look(client, info.state.last_seq)
        max_bytes = info.config.get("max_bytes", -1)
        self._size = LogSize(
            messages=info.state.messages,
            bytes=info.state.bytes,
            max_bytes=max_bytes if isinstance(max_bytes, int) else -1,
        )
        self._away = ""

    def _lose(self, words: str) -> None:
        self._size = None
        self._away = words

    async def _heard(self, message: Msg) -> None:
        try:
            state = decode_state(message.data)
        except msgspec.MsgspecError as error:
            log.warning("gateway_state.refused", subject=message.subject, cause=str(error))
            return
        now_s = asyncio.get_running_loop().time()
        if state.name in self._gateways or len(self._gateways) < GATEWAYS_MAX:
            self._gateways[state.name] = HeardGateway(state, now_s)
        oldest = min(self._gateways.values(), key=lambda each: each.heard_s, default=None)
        if oldest is not None and now_s - oldest.heard_s > math.ceil(GATEWAY_GONE_S):
            del self._gateways[oldest.state.name]

    async def _lived(self, message: Msg) -> None:
        try:
            observations = decode_live(message.data)
        except msgspec.MsgspecError as error:
            log.warning("live.refused", cause=str(error))
            return
        self._observed(observations)
