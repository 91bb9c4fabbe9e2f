"""When observations were committed, against when they were due at the device.

The load's times are its schedule: the n-th message of a device says that it is n steps behind the
first one. When the schedule began is taken from the message that reached the gateway fastest, so
what is missing is the fastest way from device to gateway, which is well below a millisecond.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from city.clock import Clock
    from store.interface import Batch

__all__ = ["CommitLog", "Delay"]


class Delay(msgspec.Struct, frozen=True):
    """Percentiles in milliseconds, of every observation."""

    count: int
    p50_ms: float
    p99_ms: float
    max_ms: float


class CommitLog:
    """Remembers each observation's time, arrival and commit; some 24 bytes each."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._times: list[npt.NDArray[np.int64]] = []
        self._received: list[npt.NDArray[np.int64]] = []
        self._committed: list[npt.NDArray[np.int64]] = []

    def add(self, batch: Batch) -> None:
        """Take a batch that was committed just now."""
        rows = batch.observations
        self._times.append(rows.column("time_us").to_numpy())
        self._received.append(rows.column("received_us").to_numpy())
        self._committed.append(np.full(rows.num_rows, self._clock.now_us()))

    def delay(self) -> Delay:
        """Return how long after it was due an observation was committed."""
        if not self._times:
            return Delay(0, 0.0, 0.0, 0.0)
        times, committed = np.concatenate(self._times), np.concatenate(self._committed)
        began_us = (np.concatenate(self._received) - times).min()
        late_ms = (committed - times - began_us) / 1_000
        p50, p99 = np.percentile(late_ms, [50, 99])
        return Delay(len(times), float(p50), float(p99), float(late_ms.max()))
