"""What devices connect to instead of a side, and what can be shut: all are cut off, none let in."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

from bench.processes import free_port
from loadtest.rig.proxy import Manner, Proxy

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

__all__ = ["Door", "open_door"]

HOST = "127.0.0.1"


class Door:
    """A proxy, in a thread of its own.

    Attributes:
        port: Where to connect instead.
    """

    def __init__(self, behind: int) -> None:
        self.port = free_port()
        self._proxy = Proxy(HOST, self.port, (HOST, behind))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._wait(self._proxy.begin())

    def open(self) -> None:
        """Let connections in."""
        self._wait(self._proxy.behave(Manner("pass")))

    def shut(self) -> None:
        """Cut every connection and refuse new ones."""
        self._wait(self._proxy.behave(Manner("cut")))

    def end(self) -> None:
        """Shut it for good."""
        self._wait(self._proxy.end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, doing: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(doing, self._loop).result()


@contextlib.contextmanager
def open_door(behind: int) -> Generator[Door]:
    """Run a proxy for the length of a block, open at first."""
    door = Door(behind)
    try:
        yield door
    finally:
        door.end()
