"""Owns shards through pinned consumers, and hears from them what the log has.

The server gives each consumer's signals to one client, whose pulls name its pin; when they stop
coming, the next client that asks becomes the owner. Ownership saves work; what keeps two owners
from both writing is the store's mark.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import structlog
from nats.js.api import Header

from city.subjects import STREAM, consumer_name, shard_filter
from ingest.log.api import (
    GROUP,
    NS_PER_S,
    SIGNALS_MAX,
    ConsumerReply,
    LogAbsentError,
    LogError,
    LogVersionError,
    ask,
    consumer_config,
    differences,
)
from ingest.log.shards import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from nats.aio.client import Client
    from nats.aio.msg import Msg

    from ingest.log.shards import Shards

__all__ = ["Ownership"]

log = structlog.get_logger(__name__)

# Pulls are renewed so often within the time after which the server forgets an owner, and live a
# little longer than that, so that one is always waiting there.
PULLS_A_TIMEOUT = 3
PULL_OVERLAP = 1.5

ENDED = "408"
CHANGED = "409"
WRONG_PIN = "423"
# 409 has many causes; after these ones the next pull is as good as any.
PASSING = ("leadership change", "server shutdown", "maxbytes", "exceeded maxwaiting", "interest")

ACK_WORDS = 9
ACK_SEQUENCE = 5
ACK_TIME = 7


class Ownership:
    """The pins of one worker on one connection."""

    def __init__(
        self,
        client: Client,
        shards: Shards,
        *,
        owner_timeout_s: float,
        signal_again_s: float,
        wake: Callable[[], None],
    ) -> None:
        """Take what to call when there is something to read."""
        self._client = client
        self._shards = shards
        self._owner_timeout_s = owner_timeout_s
        self._signal_again_s = signal_again_s
        self._wake = wake
        self._inbox = client.new_inbox()
        self._left = [0] * len(shards)
        self._refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start(self) -> None:
        """Make sure of the consumers, and listen.

        Raises:
            LogVersionError: If the server is too old for pinned consumers.
            LogError: If it refuses them.
        """
        for shard in range(len(self._shards)):
            await self._ensure_consumer(shard)
        # nats-py leaves a parameter's type open.
        await self._client.subscribe(f"{self._inbox}.*", cb=self._heard)  # pyright: ignore[reportUnknownMemberType]

    async def run(self) -> None:
        """Keep asking for signals until cancelled.

        Raises:
            LogError: If a consumer is gone.
        """
        every_s = self._owner_timeout_s / PULLS_A_TIMEOUT
        while True:
            for shard in range(len(self._shards)):
                await self._pull(shard)
            await asyncio.wait([self._refused], timeout=every_s)
            if self._refused.done():
                self._refused.result()

    async def acknowledge(self, replies: list[str]) -> None:
        """Tell the log which signals are done with."""
        for reply in replies:
            await self._client.publish(reply, b"")

    async def verify(self, shard: int) -> None:
        """Ask who owns a shard, and give it up if we do not.

        Raises:
            LogError: If the server does not say.
        """
        subject = f"CONSUMER.INFO.{STREAM}.{consumer_name(shard)}"
        reply = await ask(self._client, subject, None, ConsumerReply)
        pins = [state.pinned_client_id for state in reply.priority_groups if state.group == GROUP]
        if self._shards.pin(shard) not in pins:
            self._lose(shard)

    async def release(self) -> None:
        """Let another worker have the shards at once.

        Raises:
            LogError: If the server refuses.
        """
        for shard in self._shards.owned():
            subject = f"CONSUMER.UNPIN.{STREAM}.{consumer_name(shard)}"
            await ask(self._client, subject, {"group": GROUP}, ConsumerReply)
            self._shards.lost(shard)
            log.info("shard.released", shard=shard)

    async def _ensure_consumer(self, shard: int) -> None:
        wanted = consumer_config(
            shard, owner_timeout_s=self._owner_timeout_s, signal_again_s=self._signal_again_s
        )
        reply = await ask(
            self._client,
            f"CONSUMER.CREATE.{STREAM}.{consumer_name(shard)}.{shard_filter(shard)}",
            {"stream_name": STREAM, "config": wanted},
            ConsumerReply,
        )
        if found := differences(wanted, reply.config):
            raise LogVersionError(
                "the log server does not do as asked (nats-server 2.11 or newer is needed): "
                f"consumer {consumer_name(shard)} has {found}"
            )

    async def _pull(self, shard: int) -> None:
        self._left[shard] = SIGNALS_MAX
        expires_s = self._owner_timeout_s / PULLS_A_TIMEOUT * PULL_OVERLAP
        request = {"batch": SIGNALS_MAX, "expires": int(expires_s * NS_PER_S), "group": GROUP}
        if pin := self._shards.pin(shard):
            request["id"] = pin
        await self._client.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{consumer_name(shard)}",
            msgspec.json.encode(request),
            reply=f"{self._inbox}.{shard}",
        )

    async def _heard(self, message: Msg) -> None:
        headers = message.headers or {}
        status = headers.get("Status")
        if status is not None:
            await self._ended(int(message.subject.rpartition(".")[2]), status, message)
            return
        signal = _signal(message)
        if self._shards.signalled(signal):
            log.info("shard.owned", shard=signal.shard)
        self._wake()
        self._left[signal.shard] -= 1
        if not self._left[signal.shard]:
            await self._pull(signal.shard)

    async def _ended(self, shard: int, status: str, message: Msg) -> None:
        words = _description(message)
        if status == WRONG_PIN:
            self._lose(shard)
            await self._pull(shard)
        elif status == ENDED or (
            status == CHANGED and any(passing in words.lower() for passing in PASSING)
        ):
            return
        elif not self._refused.done():
            kind = LogAbsentError if status == "503" else LogError
            self._refused.set_exception(kind(f"consumer {consumer_name(shard)}: {status} {words}"))

    def _lose(self, shard: int) -> None:
        if self._shards.lost(shard):
            log.warning("shard.lost", shard=shard)


def _description(message: Msg) -> str:
    # The client gives this header an enumeration for a name.
    return " ".join((message.headers or {}).get(Header.DESCRIPTION, "").split())


def _signal(message: Msg) -> Signal:
    """Read a message that stands for a frame.

    Its reply subject is `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream sequence>.
    <consumer sequence>.<time, ns>.<pending>`; with a domain there are two more words before the
    stream.
    """
    words = message.reply.split(".")
    more = 0 if len(words) == ACK_WORDS else 2
    return Signal(
        shard=int(message.subject.split(".", 3)[2]),
        sequence=int(words[ACK_SEQUENCE + more]),
        logged_us=int(words[ACK_TIME + more]) // 1_000,
        pin=(message.headers or {}).get("Nats-Pin-Id", ""),
        reply=message.reply,
    )
