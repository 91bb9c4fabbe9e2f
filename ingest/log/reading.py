"""Reads frames of a shard by batched direct get: always in log order, always behind a position.

The answers of one request come one message each, then an empty one. Each names the sequence of the
one before it, so a hole in what arrived cannot pass for a hole in the log.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from city.clock import US_PER_S
from city.instants import to_text
from city.subjects import STREAM, shard_filter
from ingest.log.api import API_TIMEOUT_S, LogAbsentError, LogError
from ingest.seams import LoggedFrame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nats.aio.client import Client
    from nats.aio.msg import Msg

__all__ = ["FrameReader", "Stretch"]

SUBJECT = f"$JS.API.DIRECT.GET.{STREAM}"
END_OF_BATCH = "204"
NOTHING_THERE = "404"
NOBODY_ANSWERS = "503"


class Stretch(msgspec.Struct):
    """What one read brought.

    Attributes:
        more: The log holds more of this shard.
    """

    frames: list[LoggedFrame]
    more: bool = False


class _Read:
    """One request whose answers are arriving."""

    def __init__(self, shard: int) -> None:
        self.shard = shard
        self.stretch = Stretch([])
        self.done: asyncio.Future[Stretch] = asyncio.get_running_loop().create_future()

    def take(self, headers: Mapping[str, str], data: bytes) -> None:
        status = headers.get("Status")
        if status is None:
            self._take_frame(headers, data)
        elif status == END_OF_BATCH:
            self.stretch.more = headers.get("Nats-Num-Pending", "0") != "0"
            self.finish(None)
        elif status == NOTHING_THERE:
            self.finish(None)
        elif status == NOBODY_ANSWERS:
            self.finish(LogAbsentError("nobody keeps the log, or it allows no direct reads"))
        else:
            self.finish(LogError(f"reading the log: status {status}"))

    def _take_frame(self, headers: Mapping[str, str], data: bytes) -> None:
        frames = self.stretch.frames
        before = frames[-1].sequence if frames else 0
        if int(headers["Nats-Last-Sequence"]) != before:
            self.finish(LogError(f"reading the log: an answer behind {before} is missing"))
            return
        logged_us = _microseconds(headers["Nats-Time-Stamp"])
        frames.append(LoggedFrame(self.shard, int(headers["Nats-Sequence"]), data, logged_us))

    def finish(self, error: LogError | None) -> None:
        if self.done.done():
            return
        if error is None:
            self.done.set_result(self.stretch)
        else:
            self.done.set_exception(error)


class FrameReader:
    """Reads on one connection; any number of reads at a time."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._inbox = client.new_inbox()
        self._reads: dict[str, _Read] = {}
        self._count = 0

    async def start(self) -> None:
        """Listen for answers."""
        # nats-py leaves a parameter's type open.
        await self._client.subscribe(f"{self._inbox}.*", cb=self._answered)  # pyright: ignore[reportUnknownMemberType]

    async def read(
        self, shard: int, after: int, *, frames: int, size_bytes: int, since_us: int = 0
    ) -> Stretch:
        """Return the frames of a shard behind a sequence; one at least, if there is any.

        Args:
            shard: Whose frames.
            after: Sequence behind which to begin.
            frames: How many at most.
            size_bytes: The first frame that reaches it is the last one.
            since_us: In place of `after`, where it is not 0: when the log took the first one.

        Raises:
            LogAbsentError: If there is no stream.
            LogError: If the server refuses, or an answer is missing.
            TimeoutError: If the answers do not come.
        """
        self._count += 1
        token = str(self._count)
        read = self._reads[token] = _Read(shard)
        start = {"start_time": to_text(since_us)} if since_us else {"seq": after + 1}
        request = {
            **start,
            "next_by_subj": shard_filter(shard),
            "batch": frames,
            "max_bytes": size_bytes,
        }
        try:
            await self._client.publish(
                SUBJECT, msgspec.json.encode(request), reply=f"{self._inbox}.{token}"
            )
            async with asyncio.timeout(API_TIMEOUT_S):
                return await read.done
        finally:
            del self._reads[token]

    async def _answered(self, message: Msg) -> None:
        # A late answer to a read that gave up has nobody to go to.
        with contextlib.suppress(KeyError):
            read = self._reads[message.subject.rpartition(".")[2]]
            read.take(message.headers or {}, message.data)


def _microseconds(timestamp: str) -> int:
    """Return the instant of an RFC 3339 time of the log; digits beyond microseconds are cut."""
    instant = datetime.fromisoformat(timestamp)
    return int(instant.timestamp()) * US_PER_S + instant.microsecond
