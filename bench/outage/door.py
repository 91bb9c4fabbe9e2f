"""A TCP proxy in front of a server, which can be shut: all connections are cut, none is let in."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

from bench.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["Door", "open_door"]

READ_BYTES = 64 << 10
HOST = "127.0.0.1"
BACKLOG = 1_000


class Door:
    """A proxy, in a thread of its own.

    Attributes:
        port: Where to connect instead.
    """

    def __init__(self, behind: int) -> None:
        self.port = free_port()
        self._behind = behind
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def open(self) -> None:
        """Let connections in."""
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()

    def shut(self) -> None:
        """Cut every connection and refuse new ones."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result()

    def end(self) -> None:
        """Shut it for good."""
        self.shut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._pass, HOST, self.port, backlog=BACKLOG)

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for each in self._open:
            each.transport.abort()
        if self._passing:
            await asyncio.wait(self._passing)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        self._open.add(writer)
        try:
            inner_reader, inner = await asyncio.open_connection(HOST, self._behind)
        except OSError:
            writer.transport.abort()
        else:
            self._open.add(inner)
            await asyncio.gather(_pump(reader, inner), _pump(inner_reader, writer))
            self._open.discard(inner)
        finally:
            self._open.discard(writer)
            self._passing.discard(task)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on until one end is gone; then the other one goes too."""
    with contextlib.suppress(OSError):
        while read := await reader.read(READ_BYTES):
            writer.write(read)
            await writer.drain()
    writer.close()


@contextlib.contextmanager
def open_door(behind: int) -> Generator[Door]:
    """Run a proxy for the length of a block, open at first."""
    door = Door(behind)
    door.open()
    try:
        yield door
    finally:
        door.end()
