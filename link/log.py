"""Puts sealed frames on the JetStream log and confirms what it has.

What to send when is the outbox's decision; this file moves bytes. Answers come to an inbox of our
own, one subscription a connection: `{inbox}.{shard}.{number}` names the frame.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import msgspec
import nats.errors
import structlog

from city.frame import COUNT_HEADER
from city.subjects import frame_subject
from link.stream import (
    CREATE_SUBJECT,
    INFO_SUBJECT,
    UPDATE_SUBJECT,
    Refusal,
    StreamReply,
    StreamSettings,
    decode_reply,
    differences,
    stream_request,
)

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

    from city.filling import Origin, SealedFrame
    from link.outbox import Condition, Lane, Outbox

__all__ = ["Confirming", "Log", "PublishReply", "StreamError"]

log = structlog.get_logger(__name__)

API_TIMEOUT_S = 5.0
# The sender wakes up for an answer or a new frame; otherwise to look for what is overdue.
LOOK_S = 1.0
# Bytes that may wait in the client: more means that the server does not read.
CLIENT_BUFFER_BYTES = 8 * 1024 * 1024
NOT_FOUND = 404
NO_RESPONDERS = "503"


class PublishReply(msgspec.Struct, frozen=True):
    """What JetStream answers to a frame."""

    error: Refusal | None = None
    seq: int = 0
    duplicate: bool = False


class StreamError(nats.errors.Error):
    """The stream is not what it has to be and cannot be made so."""


_reply = msgspec.json.Decoder(PublishReply)


class Confirming(Protocol):
    """Who is told which frames the log has."""

    def __call__(self, frame: SealedFrame, /) -> None:
        """Confirm one frame."""
        ...


class Log:
    """Sends what the outbox holds; a tenant of the link."""

    def __init__(
        self,
        origin: Origin,
        outbox: Outbox,
        stream: StreamSettings | None,
        *,
        max_frame_bytes: int,
        confirm: Confirming,
    ) -> None:
        """Take the longest frame that there can be: the server has to allow it.

        Without settings of the stream, somebody else makes it and keeps it as it has to be.
        """
        self._origin = origin
        self._outbox = outbox
        self._stream = stream
        self._max_frame_bytes = max_frame_bytes
        self._confirm = confirm
        self._wake = asyncio.Event()

    def put(self, frame: SealedFrame) -> None:
        """Send a frame when its turn comes."""
        self._outbox.put(frame)
        self._wake.set()

    def condition(self) -> Condition:
        """Return how the log does."""
        return self._outbox.condition(_now_s())

    def bereft(self, words: str) -> None:
        """Learn that there is no connection."""
        self._outbox.disconnected(words)

    async def attend(self, client: Client) -> None:
        """Send frames on a connection until it ends.

        Raises:
            StreamError: If the stream cannot be what it has to be.
        """
        if client.max_payload < self._max_frame_bytes:
            raise StreamError(
                f"max_payload of the server is {client.max_payload} bytes, "
                f"frames have up to {self._max_frame_bytes}"
            )
        if self._stream is not None:
            await _ensure_stream(client, self._stream)
        inbox = client.new_inbox()
        # nats-py leaves a parameter's type open.
        await client.subscribe(f"{inbox}.*.*", cb=self._answered)  # pyright: ignore[reportUnknownMemberType]
        self._outbox.connected()
        while True:
            await self._send_due(client, inbox)
            await self._sleep()

    async def _sleep(self) -> None:
        due_s = self._outbox.next_due_s()
        wait_s = LOOK_S if due_s is None else min(max(due_s - _now_s(), 0.0), LOOK_S)
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    async def _send_due(self, client: Client, inbox: str) -> None:
        now_s = _now_s()
        for lane, frame in self._outbox.due(now_s):
            if client.pending_data_size > CLIENT_BUFFER_BYTES:
                return
            await self._publish(client, inbox, lane, frame)
            self._outbox.sent(lane, now_s)

    async def _publish(self, client: Client, inbox: str, lane: Lane, frame: SealedFrame) -> None:
        await client.publish(
            frame_subject(frame.shard, self._origin.gateway, self._origin.epoch),
            frame.data,
            reply=f"{inbox}.{frame.shard}.{lane.number}",
            headers={"Nats-Msg-Id": frame.message_id, COUNT_HEADER: str(frame.count_after)},
        )

    async def _answered(self, message: Msg) -> None:
        _, shard, number = message.subject.rsplit(".", 2)
        words = _refusal_in(message)
        if words:
            self._outbox.refused(int(shard), int(number), words, _now_s())
        else:
            frame = self._outbox.acknowledged(int(shard), int(number))
            if frame is not None:
                self._confirm(frame)
        self._wake.set()


async def _ensure_stream(client: Client, settings: StreamSettings) -> None:
    reply = await _ask(client, INFO_SUBJECT, b"")
    if reply.error is not None and reply.error.code == NOT_FOUND:
        reply = await _ask(client, CREATE_SUBJECT, stream_request(settings))
        _raise_refusal(reply)
        log.info("stream.created", max_bytes=settings.max_bytes)
    elif reply.error is None and (found := differences(settings, reply.config)):
        asked = stream_request(settings, reply.config)
        reply = await _ask(client, UPDATE_SUBJECT, asked)
        _raise_refusal(reply)
        log.info("stream.updated", before=found)
    _raise_refusal(reply)
    if found := differences(settings, reply.config):
        raise StreamError(f"stream: the server does not do as asked: {found}")


def _raise_refusal(reply: StreamReply) -> None:
    if reply.error is not None:
        raise StreamError(f"stream: {reply.error.description}")


async def _ask(client: Client, subject: str, request: bytes) -> StreamReply:
    answer = await client.request(subject, request, timeout=API_TIMEOUT_S)
    return decode_reply(answer.data)


def _refusal_in(message: Msg) -> str:
    """Return why the log did not take a frame; empty when it did."""
    if not message.data:
        status = (message.headers or {}).get("Status", "")
        return "nobody keeps the log" if status == NO_RESPONDERS else f"status {status}"
    try:
        reply = _reply.decode(message.data)
    except msgspec.MsgspecError as error:
        return f"unreadable answer: {error}"
    return reply.error.description or "no reason given" if reply.error else ""


def _now_s() -> float:
    return asyncio.get_running_loop().time()
