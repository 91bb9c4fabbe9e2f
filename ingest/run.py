"""Composition of ingest: a connection, the shards, one applying thread, and how it does."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec
import structlog

from city.ingest_state import encode_ingest_state, ingest_subject
from ingest.log.session import LogSession, LogTimes
from ingest.log.shards import Gathering, Shards
from ingest.worker import Worker
from link.nats_link import Link, first_cause

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.seams import Applying
    from ingest.status import StatusBoard

__all__ = ["IngestSettings", "run_ingest"]

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 0.25
LOOKS_A_TELLING = 4
# After the last batch: acknowledging it and giving the shards back.
RELEASE_TIMEOUT_S = 5.0


class IngestSettings(msgspec.Struct, frozen=True):
    """What the composition root decides.

    Attributes:
        nats_url: One address, or several with commas.
        name: Of this worker, for the log server's lists.
        shards: How many there are; the same everywhere.
        buffer_bytes: Frames read ahead, at most; one read may go beyond it.
    """

    nats_url: str
    name: str
    shards: int
    gathering: Gathering = Gathering()
    times: LogTimes = LogTimes()
    buffer_bytes: int = 8 * 1024 * 1024


async def run_ingest(
    settings: IngestSettings,
    applying: Applying,
    stop: asyncio.Event,
    *,
    ready: Callable[[], None],
    board: StatusBoard,
) -> None:
    """Apply the log to the store until told to stop; finish and acknowledge the batch in hand.

    Args:
        settings: See there.
        applying: Called from one thread that this function makes.
        stop: Set it to end.
        ready: Called once, when the store's state has been read.
        board: Where to tell how it goes.

    Raises:
        LogVersionError: If the log server cannot do what ingest needs.
        Exception: What `applying` raises beside a busy store and a lost shard.
    """
    shards = Shards(settings.shards)
    with ThreadPoolExecutor(1, thread_name_prefix="applying") as thread:

        async def counted(data: bytes) -> bool | None:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(thread, applying.counted, data)

        session = LogSession(
            shards, board, settings.times, counted, buffer_bytes=settings.buffer_bytes
        )
        worker = Worker(applying, shards, session, board, thread, gathering=settings.gathering)
        await worker.load(stop)
        ready()
        try:
            async with asyncio.TaskGroup() as group:
                looking = group.create_task(_look(board, shards, session, settings.name))
                link = Link(settings.nats_url, settings.name, [session])
                linked = group.create_task(link.run(), name="link")
                group.create_task(_wake_at(stop, session))
                await worker.run(stop)
                await session.end(RELEASE_TIMEOUT_S)
                linked.cancel()
                looking.cancel()
        except ExceptionGroup as errors:
            raise first_cause(errors) from errors
    log.info("ingest.ended", shards=settings.shards)


async def _look(board: StatusBoard, shards: Shards, session: LogSession, name: str) -> None:
    """Look several times a second, and tell others what was seen once a second."""
    subject = ingest_subject(name)
    while True:
        for _ in range(LOOKS_A_TELLING):
            board.look(shards)
            await asyncio.sleep(LOOK_EVERY_S)
        await session.tell(subject, encode_ingest_state(board.state(name)))


async def _wake_at(stop: asyncio.Event, session: LogSession) -> None:
    await stop.wait()
    session.arrived.set()
