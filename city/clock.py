"""Time as an argument: nothing but this module reads the machine's clock.

Instants are integer microseconds since the Unix epoch, UTC (names end in `_us`): the precision
that the formats promise and that the stores keep.
"""

import time
from typing import Protocol

__all__ = ["US_PER_MINUTE", "US_PER_S", "Clock", "MachineClock", "SimulatedClock"]

US_PER_S = 1_000_000
US_PER_MINUTE = 60 * US_PER_S


class Clock(Protocol):
    """The current instant, microseconds since the Unix epoch, UTC."""

    def now_us(self) -> int:
        """Return the current instant."""
        ...


class MachineClock:
    """The clock of the machine. Built in the composition root."""

    def now_us(self) -> int:
        """Return what the operating system says."""
        return time.time_ns() // 1_000


class SimulatedClock:
    """A clock that moves only when told, and never backwards."""

    def __init__(self, start_us: int) -> None:
        self._now_us = start_us

    def now_us(self) -> int:
        """Return the instant the test has reached."""
        return self._now_us

    def advance(self, elapsed_us: int) -> None:
        """Let time pass."""
        assert elapsed_us >= 0, "simulated time is monotonic"
        self._now_us += elapsed_us
