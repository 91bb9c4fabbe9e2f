"""Inspections for the API: each reads the log over a connection of its own."""

import asyncio
from collections.abc import Iterable

import msgspec
from nats.errors import Error as NatsError

from city.clock import US_PER_S, Clock
from ingest.codecs.catalogue import find_codecs
from ingest.inspect.inspector import Inspector
from ingest.inspect.listening import Traffic, hear
from ingest.log.api import LogError
from madina.log_client import log_client
from registry.facts import Route
from services.log_view import LogAwayError

__all__ = ["LogInspector"]


class LogInspector:
    """Implements `services.parts.Inspects`.

    Args:
        nats_url: Of the log, with its credentials.
        shards: Of the log.
        timezone: Of times without a zone.
        clock: For how far back.
    """

    def __init__(self, nats_url: str, shards: int, timezone: str, clock: Clock) -> None:
        self._nats_url = nats_url
        self._shards = shards
        self._timezone = timezone
        self._clock = clock

    def look(
        self, routes: Iterable[Route], topic_filter: bytes, seconds: float, provider: str | None
    ) -> dict[str, object]:
        """Return what came in lately and what it seems to be. See `Inspects.look`."""
        since_us = self._clock.now_us() - round(seconds * US_PER_S)
        traffic = asyncio.run(self._heard(topic_filter, since_us))
        inspector = Inspector(find_codecs(), self._timezone, routes, provider)
        found: dict[str, object] = msgspec.to_builtins(
            inspector.look(traffic.messages, cut=traffic.cut)
        )
        return found

    async def _heard(self, topic_filter: bytes, since_us: int) -> Traffic:
        try:
            async with log_client(self._nats_url) as client:
                return await hear(client, self._shards, topic_filter, since_us)
        except (OSError, NatsError, LogError, TimeoutError) as error:
            raise LogAwayError(str(error) or type(error).__name__) from error
