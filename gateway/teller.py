"""Tells the state of a gateway process once a second, for pages and metrics."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from city.gateway_state import GatewayState, encode_state, state_subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from nats.aio.client import Client

__all__ = ["Teller"]

INTERVAL_S = 1.0


class Teller:
    """Publishes states; a tenant of the link."""

    def __init__(self, state: Callable[[], GatewayState]) -> None:
        self._state = state

    def bereft(self, words: str) -> None:
        """Nobody can be told."""

    async def attend(self, client: Client) -> None:
        """Tell until the connection ends."""
        while True:
            state = self._state()
            await client.publish(state_subject(state.name), encode_state(state))
            await asyncio.sleep(INTERVAL_S)
