"""Opening connections: a bounded number at any moment, again and again until they are open."""

import asyncio
from collections.abc import Iterable
from typing import Final

from loadtest.connection import Connection

__all__ = ["Dialler"]

# A server that is being restarted is back within a second; more often only disturbs it.
AGAIN_S: Final = 0.25
# A dial that got no answer: the server's queue of new connections is full.
ANSWER_S: Final = 15.0


class Dialler:
    """Dials connections, and those that were lost again after a pause.

    Attributes:
        failures: Dials that were refused or not answered.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._loop = asyncio.get_running_loop()
        # Each connection is in it at most once.
        self._waiting: asyncio.Queue[Connection] = asyncio.Queue()
        self.failures = 0

    def add(self, connections: Iterable[Connection]) -> None:
        """Dial these as soon as it is their turn."""
        for connection in connections:
            self._waiting.put_nowait(connection)

    def again(self, connection: Connection) -> None:
        """Dial one again after a pause."""
        self._loop.call_later(AGAIN_S, self._waiting.put_nowait, connection)

    async def work(self) -> None:
        """Dial one after the other, until cancelled."""
        while True:
            connection = await self._waiting.get()
            if connection.closing:
                continue
            try:
                async with asyncio.timeout(ANSWER_S):
                    await self._loop.create_connection(lambda: connection, self._host, self._port)  # noqa: B023 - called before the next turn
            except OSError:
                self.failures += 1
                self.again(connection)
