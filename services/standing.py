"""Keeps standing indicators computed beside the requests, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError

from indicators.lease import LeaseLostError
from store.errors import StoreBusyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from city.clock import Clock
    from city.ledger import Balance
    from indicators.standing import Standing

__all__ = ["CompleteUntil", "StandingLoop", "StoppedError"]

log = structlog.get_logger(__name__)

EVERY_S = 1.0
LOOKS_KEPT = 3_600


class StoppedError(Exception):
    """The process ends: what was begun is not gone on with."""


class CompleteUntil:
    """Up to when everything that gateways received is in the store, from looks at the ledger."""

    def __init__(self) -> None:
        self._last: Balance | None = None
        self._seen_us = 0
        self._looks: deque[tuple[int, int]] = deque(maxlen=LOOKS_KEPT)
        self._complete_us = 0

    def look(self, balance: Balance | None, now_us: int) -> int:
        """Take the newest look; return an instant, 0 before anything is known.

        A look that is new was taken after the one before was seen.
        """
        if balance is None or balance is self._last:
            return self._complete_us
        messages = balance.messages
        if self._last is not None:
            self._looks.append((self._seen_us, messages.received))
        self._last, self._seen_us = balance, now_us
        while self._looks and self._looks[0][1] <= messages.received - messages.pending:
            self._complete_us = self._looks.popleft()[0]
        return self._complete_us


class StandingLoop:
    """Steps the computation about once a second until cancelled.

    Args:
        make: Makes the computation, given how it waits.
        balance: Returns the last look at the ledger.
        clock: What time it is.
    """

    def __init__(
        self,
        make: Callable[[Callable[[float], None]], Standing],
        balance: Callable[[], Balance | None],
        clock: Clock,
    ) -> None:
        self._stop = threading.Event()
        self._standing = make(self._wait)
        self._balance = balance
        self._clock = clock
        self._complete = CompleteUntil()
        self._trouble = ""

    async def run(self) -> None:
        """Compute what is due, again and again."""
        self._stop.clear()
        with ThreadPoolExecutor(1, thread_name_prefix="indicators") as pool:
            loop = asyncio.get_running_loop()
            try:
                while True:
                    await loop.run_in_executor(pool, self._step)
                    await asyncio.sleep(EVERY_S)
            finally:
                # What is left of a step is short: the executor's end waits for it.
                self._stop.set()
                pool.submit(self._release)

    def _step(self) -> None:
        complete_us = self._complete.look(self._balance(), self._clock.now_us())
        try:
            self._standing.step(complete_us)
        except LeaseLostError:
            log.info("indicators.taken_over")
        except StoppedError:
            return
        except (StoreBusyError, SQLAlchemyError) as error:
            self._say(str(error) or type(error).__name__)
        else:
            self._say("")

    def _release(self) -> None:
        try:
            self._standing.release()
        except SQLAlchemyError as error:
            self._say(str(error))

    def _say(self, words: str) -> None:
        if words and words != self._trouble:
            log.warning("indicators.wait", cause=words)
        self._trouble = words

    def _wait(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise StoppedError
