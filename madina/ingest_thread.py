"""Ingest in a thread and an event loop of its own, so that a long batch never delays an answer."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import uvloop

from city.ingest_state import IngestState
from ingest.run import IngestSettings, run_ingest
from ingest.seams import Applying
from ingest.status import StatusBoard

__all__ = ["IngestThread"]


class IngestThread:
    """Ingest beside other work of the process."""

    def __init__(self, settings: IngestSettings, applying: Applying) -> None:
        self._settings = settings
        self._applying = applying
        self._board = StatusBoard()
        self._loop = uvloop.new_event_loop()
        self._stop = asyncio.Event()

    async def run(self, ready: Callable[[], None]) -> None:
        """Apply the log to the store until `stop`.

        Args:
            ready: Called from the thread, once the store's state has been read.

        Raises:
            LogVersionError: The log server cannot do what ingest needs.
            Exception: A defect; the log still has whatever is not written.
        """
        with ThreadPoolExecutor(1, thread_name_prefix="ingest") as thread:
            await asyncio.get_running_loop().run_in_executor(thread, self._work, ready)

    def stop(self) -> None:
        """Tell it to finish and acknowledge the batch in hand, from any thread."""
        with contextlib.suppress(RuntimeError):  # its loop is closed: it has ended already
            self._loop.call_soon_threadsafe(self._stop.set)

    def look(self) -> IngestState:
        """Return how it does, from any thread."""
        return self._board.state(self._settings.name)

    def _work(self, ready: Callable[[], None]) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(
                run_ingest(
                    self._settings, self._applying, self._stop, ready=ready, board=self._board
                )
            )
