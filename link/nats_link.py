"""A connection to NATS: endlessly renewed, and lent to whoever lives on it.

Each connection is a new client, so nothing of an old one (buffers, subscriptions, half-sent
frames) survives into the next: who lives on it starts again from what it knows to be true.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import urlsplit

import nats.errors
import structlog
from nats.aio.client import Client

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Link", "LinkLostError", "Tenant", "first_cause"]

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT_S = 5
# A dead peer is noticed after two of these without an answer.
PING_INTERVAL_S = 5
PINGS_UNANSWERED_MAX = 2
FIRST_RETRY_S = 0.05
LAST_RETRY_S = 1.0
# A task that was cancelled and goes on after this long has not been told.
CANCEL_AGAIN_S = 1.0
CLOSE_TIMEOUT_S = 2.0
# A connection that lived so long was a good one: the next is tried at once.
STEADY_S = 5.0


class LinkLostError(nats.errors.Error):
    """The connection to NATS ended; a new one is being made."""


class Tenant(Protocol):
    """Somebody who lives on a connection."""

    async def attend(self, client: Client) -> None:
        """Work on a connection until it is cancelled; an exception gives up the connection."""
        ...

    def bereft(self, words: str) -> None:
        """Learn that there is no connection, and why."""
        ...


class _Client(Client):
    """nats-py looks at each character of a header's name: half of what reading a frame cost."""

    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        lines = raw.decode(errors="replace").split("\r\n")
        parts = (line.partition(":") for line in lines)
        return {name: value.strip() for name, colon, value in parts if colon}


class Link:
    """Keeps one connection to NATS.

    Args:
        url: Addresses of servers, comma-separated, with their credentials.
        name: What the server calls this connection.
        tenants: Who lives on it.
    """

    def __init__(self, url: str, name: str, tenants: Sequence[Tenant]) -> None:
        self._url = url
        self._name = name
        self._tenants = tenants
        self._closed = asyncio.Event()
        self._last_error = ""
        self._told = ""

    async def run(self) -> None:
        """Connect, let the tenants live on the connection, and again; until cancelled.

        Raises:
            Exception: What a tenant raises beside errors of the connection, in a group.
        """
        loop = asyncio.get_running_loop()
        retry_s = FIRST_RETRY_S
        while True:
            started_s = loop.time()
            try:
                await self._live()
            except* (OSError, nats.errors.Error) as lost:  # a TimeoutError is an OSError
                if loop.time() - started_s > STEADY_S:
                    retry_s, self._told = FIRST_RETRY_S, ""
                self._tell(first_cause(lost))
            # Jitter: processes that lost one server do not come back in one instant.
            await asyncio.sleep(retry_s * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            retry_s = min(retry_s * 2, LAST_RETRY_S)

    def _tell(self, cause: BaseException) -> None:
        """Say why there is no connection, or why a tenant has given it up; once for each reason."""
        lost = isinstance(cause, OSError | LinkLostError | nats.errors.NoServersError)
        why = (lost and self._last_error) or str(cause) or type(cause).__name__
        words = f"{_place(self._url)}: {why}"
        if words != self._told:
            log.warning("log_connection.lost", cause=words)
            self._told = words
        for tenant in self._tenants:
            tenant.bereft(f"no connection to the log at {words}" if lost else f"log at {words}")

    async def _live(self) -> None:
        client = _Client()
        self._closed.clear()
        self._last_error = ""
        cancellations = _cancellations()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S * 2):
                await self._connect(client)
            if _cancellations() > cancellations:
                # Python 3.11's `wait_for`, in the client, may have swallowed it.
                raise asyncio.CancelledError
            log.info("log_connection.made", server=_place(self._url))
            async with asyncio.TaskGroup() as group:
                living = [group.create_task(each.attend(client)) for each in self._tenants]
                group.create_task(self._raise_when_closed(living))
        finally:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await client.close()

    async def _connect(self, client: Client) -> None:
        await client.connect(
            self._url.split(","),
            name=self._name,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=CONNECT_TIMEOUT_S,
            ping_interval=PING_INTERVAL_S,
            max_outstanding_pings=PINGS_UNANSWERED_MAX,
            error_cb=self._failed,
            closed_cb=self._was_closed,
        )

    async def _failed(self, error: Exception) -> None:
        self._last_error = str(error) or type(error).__name__

    async def _was_closed(self) -> None:
        self._closed.set()

    async def _raise_when_closed(self, living: list[asyncio.Task[None]]) -> None:
        try:
            await self._closed.wait()
            for each in living:
                each.cancel()
        finally:
            await _ended(living)
        raise LinkLostError(self._last_error or "the connection ended")


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    """Wait for tasks that were cancelled, and cancel again: a flush of the client swallows it."""
    pending = {each for each in tasks if not each.done()}
    while pending:
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)
        for each in pending:
            each.cancel()


def _cancellations() -> int:
    """Return how often this task was asked to end."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def _place(url: str) -> str:
    """Return the servers of an address without their credentials."""
    return ",".join(
        f"{parts.hostname}:{parts.port or 4222}" for parts in map(urlsplit, url.split(","))
    )


def first_cause(error: BaseException) -> BaseException:
    """Return the first plain exception in a group, or the error itself."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error
