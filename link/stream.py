"""The stream that holds the log: what it must be, and how an existing one is brought to it.

JetStream's API is JSON over requests; this file knows its words and opens no socket. An old server
ignores fields that it does not know, so what it echoes is compared with what was asked.
"""

from __future__ import annotations

from typing import Any

import msgspec

from city.subjects import STREAM, STREAM_SUBJECTS

__all__ = [
    "CREATE_SUBJECT",
    "INFO_SUBJECT",
    "UPDATE_SUBJECT",
    "Refusal",
    "StreamReply",
    "StreamSettings",
    "decode_reply",
    "differences",
    "stream_request",
]

INFO_SUBJECT = f"$JS.API.STREAM.INFO.{STREAM}"
CREATE_SUBJECT = f"$JS.API.STREAM.CREATE.{STREAM}"
UPDATE_SUBJECT = f"$JS.API.STREAM.UPDATE.{STREAM}"

# Longer than any resend of a frame while its gateway lives through a restart of the log.
DUPLICATE_WINDOW_NS = 120 * 1_000_000_000


class StreamSettings(msgspec.Struct, frozen=True):
    """What an operator chooses about the log."""

    max_bytes: int
    replicas: int = 1


class Refusal(msgspec.Struct, frozen=True):
    """An error of the JetStream API."""

    code: int = 0
    err_code: int = 0
    description: str = ""


class StreamReply(msgspec.Struct, frozen=True):
    """What STREAM.INFO, CREATE and UPDATE answer."""

    error: Refusal | None = None
    config: dict[str, Any] = {}


_reply = msgspec.json.Decoder(StreamReply)


def decode_reply(data: bytes) -> StreamReply:
    """Read an answer of the API.

    Raises:
        msgspec.MsgspecError: If it is none.
    """
    return _reply.decode(data)


def stream_request(settings: StreamSettings, existing: dict[str, Any] | None = None) -> bytes:
    """Return the request that creates the stream, or brings an existing one to our settings."""
    return msgspec.json.encode({**(existing or {}), **_wanted(settings)})


def differences(settings: StreamSettings, existing: dict[str, Any]) -> dict[str, Any]:
    """Return what a stream has that we did not ask for, by field name."""
    return {
        field: existing.get(field)
        for field, value in _wanted(settings).items()
        if existing.get(field) != value
    }


def _wanted(settings: StreamSettings) -> dict[str, Any]:
    return {
        "name": STREAM,
        "subjects": [STREAM_SUBJECTS],
        "retention": "limits",
        "storage": "file",
        # At its limit the log refuses new frames and keeps what nobody has read.
        "discard": "new",
        "max_bytes": settings.max_bytes,
        "max_msgs": -1,
        "max_msgs_per_subject": -1,
        "max_age": 0,
        "num_replicas": settings.replicas,
        "duplicate_window": DUPLICATE_WINDOW_NS,
        "allow_direct": True,
    }
