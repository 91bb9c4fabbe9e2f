"""How much every gateway process has put on the log: the last running count of each subject.

One batched direct get brings the last frame of each subject that has moved since the last look;
the count is in its header, so nothing is decoded.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import nats.errors

from city.frame import COUNT_HEADER
from city.subjects import STREAM, STREAM_SUBJECTS, shard_filter
from store.interface import GatewayCount

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nats.aio.client import Client
    from nats.aio.msg import Msg

__all__ = ["LogCounts", "LogReadError"]

SUBJECT = f"$JS.API.DIRECT.GET.{STREAM}"
ANSWER_TIMEOUT_S = 5.0
# Answers of one request; the server refuses more than 1,024 subjects.
ANSWERS_MAX = 1_100
# Counts that are remembered though the store has them.
COUNTS_MAX = 4_096

END_OF_BATCH = "204"
NOTHING_THERE = "404"
TOO_MANY = "413"
NOBODY_ANSWERS = "503"

# Gateway, epoch, shard.
Key = tuple[str, int, int]


class LogReadError(nats.errors.Error):
    """The log's counts cannot be read now."""


class _TooManyError(Exception):
    """One request would bring more subjects than the server gives."""


class LogCounts:
    """The last counts that the log told, for whatever the store has not told more of."""

    def __init__(self, shards: int) -> None:
        self._shards = shards
        self._counts: dict[Key, int] = {}
        self._sequence = 0

    async def look(self, client: Client, last_sequence: int) -> None:
        """Bring the counts up to date.

        Args:
            client: Connected.
            last_sequence: Of the stream, as it told just now: one behind what we have read means
                that it is another stream than before.

        Raises:
            LogReadError: If the server refuses.
            TimeoutError: If the answers do not come.
        """
        if last_sequence < self._sequence:
            self._counts.clear()
            self._sequence = 0
        if last_sequence == self._sequence:
            return
        try:
            answers = await _last_messages(client, [STREAM_SUBJECTS], self._sequence + 1)
        except _TooManyError:
            answers = await self._look_by_shard(client)
        for headers in answers:
            _, _, shard, gateway, epoch = headers["Nats-Subject"].split(".")
            count = int(headers.get(COUNT_HEADER, "0"))
            self.told(GatewayCount(gateway, int(epoch), int(shard), count))
            self._sequence = max(self._sequence, int(headers["Nats-Sequence"]))

    def told(self, count: GatewayCount) -> None:
        """Remember the last count of a subject."""
        self._counts[count.gateway, count.epoch, count.shard] = count.count

    def __len__(self) -> int:
        return len(self._counts)

    async def _look_by_shard(self, client: Client) -> list[Mapping[str, str]]:
        found: list[Mapping[str, str]] = []
        try:
            for shard in range(self._shards):
                filters = [shard_filter(shard)]
                found += await _last_messages(client, filters, self._sequence + 1)
        except _TooManyError as error:
            raise LogReadError("one shard of the log has more than 1,024 subjects") from error
        return found

    def received(self, applied: Sequence[GatewayCount]) -> int:
        """Return how many messages gateways have counted, in all.

        Of each gateway process and shard the higher of the two counts is true: the log's is older
        than the store's where ingest was quick, and gone where the log has been purged. So
        `received` minus what is applied is never negative, whichever was read first.
        """
        counts = {(each.gateway, each.epoch, each.shard): each.count for each in applied}
        for key, count in self._counts.items():
            counts[key] = max(counts.get(key, 0), count)
        self._forget(applied)
        return sum(counts.values())

    def _forget(self, applied: Sequence[GatewayCount]) -> None:
        """Forget what the store has told more of, where there is too much to remember.

        Not at once: whoever read the store a moment earlier would count less than was told before.
        """
        if len(self._counts) > COUNTS_MAX:
            for each in applied:
                key = (each.gateway, each.epoch, each.shard)
                if self._counts.get(key, each.count + 1) <= each.count:
                    del self._counts[key]


async def _last_messages(
    client: Client, filters: list[str], from_sequence: int
) -> list[Mapping[str, str]]:
    """Return the headers of the last message of each subject, of those behind a sequence."""
    inbox = client.new_inbox()
    answers: asyncio.Queue[Msg] = asyncio.Queue(ANSWERS_MAX)

    async def answered(message: Msg) -> None:
        answers.put_nowait(message)

    # nats-py leaves a parameter's type open.
    subscription = await client.subscribe(inbox, cb=answered)  # pyright: ignore[reportUnknownMemberType]
    found: list[Mapping[str, str]] = []
    try:
        request = {"multi_last": filters, "seq": from_sequence}
        await client.publish(SUBJECT, msgspec.json.encode(request), reply=inbox)
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            while not _is_last(headers := (await answers.get()).headers or {}):
                found.append(headers)
    finally:
        await subscription.unsubscribe()
    return found


def _is_last(headers: Mapping[str, str]) -> bool:
    """Say whether an answer is the end of them.

    Raises:
        LogReadError: If it says that there is no answer.
        _TooManyError: If it says that there would be too many.
    """
    status = headers.get("Status")
    if status == TOO_MANY:
        raise _TooManyError
    if status == NOBODY_ANSWERS:
        raise LogReadError("nobody keeps the log, or it allows no direct reads")
    if status not in {None, END_OF_BATCH, NOTHING_THERE}:
        raise LogReadError(f"reading the log: status {status}")
    return status is not None
