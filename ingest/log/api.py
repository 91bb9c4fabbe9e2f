"""The words of JetStream's API that ingest uses: subjects, requests, answers. Opens no socket.

An old server ignores fields that it does not know and says nothing, so what it echoes is compared
with what was asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import nats.errors

from city.subjects import consumer_name, shard_filter

if TYPE_CHECKING:
    from nats.aio.client import Client

__all__ = [
    "API_TIMEOUT_S",
    "GROUP",
    "NS_PER_S",
    "ConsumerReply",
    "LogAbsentError",
    "LogError",
    "LogVersionError",
    "PinState",
    "PurgeReply",
    "Refusal",
    "StreamReply",
    "StreamState",
    "ask",
    "consumer_config",
    "differences",
]

API_TIMEOUT_S = 5.0
NS_PER_S = 1_000_000_000
GROUP = "owner"
NOT_FOUND = 404

# Signals that may be out before an acknowledgement comes; reading does not wait for them.
SIGNALS_MAX = 64


class LogError(nats.errors.Error):
    """The log server refused something; the connection is made anew."""


class LogAbsentError(LogError):
    """There is no stream yet: a gateway makes it."""


class LogVersionError(Exception):
    """The log server does not do what was asked: it is too old."""


class Refusal(msgspec.Struct, frozen=True):
    """An error of the JetStream API."""

    code: int = 0
    err_code: int = 0
    description: str = ""


class PinState(msgspec.Struct, frozen=True):
    """Who is pinned to a priority group."""

    group: str
    pinned_client_id: str = ""


class ConsumerReply(msgspec.Struct, frozen=True):
    """What CONSUMER.CREATE, INFO and UNPIN answer."""

    error: Refusal | None = None
    config: dict[str, Any] = {}
    priority_groups: list[PinState] = []


class StreamState(msgspec.Struct, frozen=True):
    """How full a stream is."""

    messages: int = 0
    bytes: int = 0
    first_seq: int = 0
    last_seq: int = 0


class StreamReply(msgspec.Struct, frozen=True):
    """What STREAM.INFO answers."""

    error: Refusal | None = None
    config: dict[str, Any] = {}
    state: StreamState = StreamState()


class PurgeReply(msgspec.Struct, frozen=True):
    """What STREAM.PURGE answers."""

    error: Refusal | None = None
    purged: int = 0


T = TypeVar("T", ConsumerReply, StreamReply, PurgeReply)


async def ask(client: Client, subject: str, request: object, reply: type[T]) -> T:
    """Ask JetStream and return its answer.

    Raises:
        LogAbsentError: If the stream or consumer does not exist.
        LogError: If the server refuses for another reason.
        TimeoutError: If nobody answers in time.
    """
    body = b"" if request is None else msgspec.json.encode(request)
    message = await client.request(f"$JS.API.{subject}", body, timeout=API_TIMEOUT_S)
    answer = msgspec.json.decode(message.data, type=reply)
    if answer.error is not None:
        kind = LogAbsentError if answer.error.code == NOT_FOUND else LogError
        raise kind(f"{subject}: {answer.error.description}")
    return answer


def consumer_config(shard: int, *, owner_timeout_s: float, signal_again_s: float) -> dict[str, Any]:
    """Return what the consumer of a shard has to be.

    It carries signals (headers, no bytes) to one pinned owner at a time: docs/decisions/0007.
    """
    return {
        "durable_name": consumer_name(shard),
        "filter_subject": shard_filter(shard),
        "deliver_policy": "all",
        "ack_policy": "all",
        "ack_wait": int(signal_again_s * NS_PER_S),
        "max_ack_pending": SIGNALS_MAX,
        "headers_only": True,
        "priority_groups": [GROUP],
        "priority_policy": "pinned_client",
        "priority_timeout": int(owner_timeout_s * NS_PER_S),
    }


def differences(wanted: dict[str, Any], echoed: dict[str, Any]) -> dict[str, Any]:
    """Return what the server has instead of what was asked, by field name."""
    return {
        field: echoed.get(field) for field, value in wanted.items() if echoed.get(field) != value
    }
