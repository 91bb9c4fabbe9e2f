"""Ingest's connection to NATS: endlessly renewed. What must survive it lives elsewhere.

Each connection is a new client: nothing of an old one (subscriptions, half-read answers) leaks
into the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import urlsplit

import nats.errors
import structlog
from nats.aio.client import Client

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ["LinkLostError", "Session", "first_cause", "keep_linked"]

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT_S = 5
# A dead peer is noticed after two of these without an answer.
PING_INTERVAL_S = 5
PINGS_UNANSWERED_MAX = 2
RETRY_FIRST_S = 0.05
RETRY_LAST_S = 1.0
CLOSE_TIMEOUT_S = 2.0


class LinkLostError(nats.errors.Error):
    """The connection to NATS ended."""


class Session(Protocol):
    """Who works on a connection."""

    async def attend(self, client: Client) -> None:
        """Work on a connection; return when there is nothing more to do ever."""
        ...

    def away(self, words: str) -> None:
        """Learn why there is no connection now."""
        ...


class _Client(Client):
    """nats-py looks at each character of a header's name: half of what reading a frame cost."""

    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        lines = raw.decode(errors="replace").split("\r\n")
        parts = (line.partition(":") for line in lines)
        return {name: value.strip() for name, colon, value in parts if colon}


async def keep_linked(url: str, name: str, session: Session) -> None:
    """Connect, let the session work, and again, until it returns."""
    loop = asyncio.get_running_loop()
    retry_s = RETRY_FIRST_S
    while True:
        started_s = loop.time()
        try:
            async with asyncio.TaskGroup() as group, _connected(url, name, group) as client:
                await session.attend(client)
                return
        except* (OSError, nats.errors.Error) as lost:  # a TimeoutError is an OSError
            cause = first_cause(lost)
            session.away(f"{_place(url)}: {str(cause) or type(cause).__name__}")
        if loop.time() - started_s > RETRY_LAST_S:
            retry_s = RETRY_FIRST_S
        # Jitter: workers that lost one server do not come back in one instant.
        await asyncio.sleep(retry_s * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        retry_s = min(retry_s * 2, RETRY_LAST_S)


@contextlib.asynccontextmanager
async def _connected(url: str, name: str, group: asyncio.TaskGroup) -> AsyncGenerator[Client]:
    closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    last = [""]

    async def failed(error: Exception) -> None:
        last[0] = str(error) or type(error).__name__

    async def was_closed() -> None:
        if not closed.done():
            closed.set_result(last[0])

    async def watch() -> None:
        raise LinkLostError(await closed or "the connection ended")

    client = _Client()
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S * 2):
            await client.connect(
                url,
                name=name,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=CONNECT_TIMEOUT_S,
                ping_interval=PING_INTERVAL_S,
                max_outstanding_pings=PINGS_UNANSWERED_MAX,
                error_cb=failed,
                closed_cb=was_closed,
            )
        watching = group.create_task(watch())
        log.info("log_connection.made", server=_place(url))
        try:
            yield client
        finally:
            watching.cancel()
    finally:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await client.close()


def _place(url: str) -> str:
    """Return the servers of an address without their credentials."""
    parts = map(urlsplit, url.split(","))
    return ",".join(f"{part.hostname}:{part.port or 4222}" for part in parts)


def first_cause(error: BaseException) -> BaseException:
    """Return the first plain exception in a group, or the error itself."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error
