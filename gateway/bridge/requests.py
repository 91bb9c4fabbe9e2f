"""Carries what ingest asks of devices to the brokers that their messages come from.

Core NATS, never stored, and nothing is kept for a broker that is away: ingest asks again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from city.requests import decode_request
from city.subjects import REQUEST_SUBJECT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nats.aio.client import Client

    from gateway.bridge.bridge import Bridge

__all__ = ["Requests"]

log = structlog.get_logger(__name__)

# Requests that wait in memory; a city of nodes may all be asked at once.
WAITING_MAX: Final = 1_000


class Requests:
    """A tenant of the link."""

    def __init__(self, bridges: Sequence[Bridge]) -> None:
        self._bridges = bridges

    def bereft(self, words: str) -> None:
        """Nobody asks."""

    async def attend(self, client: Client) -> None:
        """Carry requests until the connection ends."""
        heard = await client.subscribe(REQUEST_SUBJECT, pending_msgs_limit=WAITING_MAX)  # pyright: ignore[reportUnknownMemberType] - nats-py
        async for message in heard.messages:
            self.carry(message.data)

    def carry(self, data: bytes) -> None:
        """Give a request to the broker whose bridge it names; other processes have the others."""
        try:
            request = decode_request(data)
        except msgspec.MsgspecError as error:
            log.warning("request.unreadable", cause=str(error))
            return
        for bridge in self._bridges:
            if bridge.client == request.bridge:
                bridge.ask(request.topic, request.payload)
