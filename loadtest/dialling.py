"""Opening connections: a bounded number at any moment, again and again until they are open."""

import asyncio
import errno
from collections import Counter
from collections.abc import Iterable, Sequence
from ssl import SSLContext
from time import perf_counter
from typing import Final

from loadtest.connection import Connection

__all__ = ["Dialler"]

# A server that is being restarted is back within a second; more often only disturbs it.
AGAIN_S: Final = 0.25
# A dial that got no answer: the server's queue of new connections is full.
ANSWER_S: Final = 15.0
# Nobody's fault but this machine's: no files, no ports, no memory for sockets left.
EXHAUSTED: Final = {
    errno.EMFILE: "no open files left in the generator (ulimit -n)",
    errno.ENFILE: "no open files left on this machine",
    errno.EADDRNOTAVAIL: "no source ports left: use more `sources`",
    errno.ENOBUFS: "no memory for sockets left",
}


class Dialler:
    """Dials connections, and those that were lost again after a pause.

    Attributes:
        failures: Dials that were refused or not answered.
        exhausted: What this machine had none left of, and how often.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        sources: Sequence[str] = (),
        tls: SSLContext | None = None,
        per_s: float | None = None,
    ) -> None:
        """Prepare.

        Args:
            host: Of the server.
            port: Of the server.
            sources: Addresses to come from, in turns; none: the system chooses.
            tls: How to speak TLS; None: without.
            per_s: New connections a second; None: as many as it takes.
        """
        self._host = host
        self._port = port
        self._sources = sources
        self._tls = tls
        self._pause_s = 1.0 / per_s if per_s else 0.0
        self._turn_s = 0.0
        self._loop = asyncio.get_running_loop()
        # Each connection is in it at most once.
        self._waiting: asyncio.Queue[Connection] = asyncio.Queue()
        self.failures = 0
        self.exhausted: Counter[str] = Counter()

    def add(self, connections: Iterable[Connection]) -> None:
        """Dial these as soon as it is their turn."""
        for connection in connections:
            self._waiting.put_nowait(connection)

    def again(self, connection: Connection, after_s: float = AGAIN_S) -> None:
        """Dial one again after a pause."""
        self._loop.call_later(max(after_s, AGAIN_S), self._waiting.put_nowait, connection)

    async def work(self) -> None:
        """Dial one after the other, until cancelled."""
        while True:
            connection = await self._waiting.get()
            if connection.closing:
                continue
            await self._take_turn()
            try:
                async with asyncio.timeout(ANSWER_S):
                    await self._dial(connection)
            except OSError as error:
                self.failures += 1
                if error.errno in EXHAUSTED:
                    self.exhausted[EXHAUSTED[error.errno]] += 1
                self.again(connection)

    async def _dial(self, connection: Connection) -> None:
        source = None
        if self._sources:
            source = (self._sources[connection.index % len(self._sources)], 0)
        await self._loop.create_connection(
            lambda: connection, self._host, self._port, local_addr=source, ssl=self._tls
        )

    async def _take_turn(self) -> None:
        if not self._pause_s:
            return
        now_s = perf_counter()
        self._turn_s = max(now_s, self._turn_s + self._pause_s)
        if self._turn_s > now_s:
            await asyncio.sleep(self._turn_s - now_s)
