"""When observations were committed, against when they were due at the device.

The load's times are its schedule: the n-th message of a device says that it is n steps behind its
first one, and devices take turns. When the schedule began is taken from the message that reached
the gateway fastest, so what is missing is the fastest way from device to gateway, which is well
below a millisecond.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    """Remembers each observation's due time, arrival and commit; some 24 bytes each."""

    def __init__(self, clock: Clock, devices: Sequence[str], step_us: int) -> None:
        """Take what the schedule is made of.

        Args:
            clock: The gateway's, or one that agrees with it.
            devices: In the order of their turns.
            step_us: Between two messages of a device.
        """
        self._clock = clock
        self._turns_us = {
            device: turn * step_us // len(devices) for turn, device in enumerate(devices)
        }
        self._offsets_us: list[int] = []
        self._due: list[npt.NDArray[np.int64]] = []
        self._received: list[npt.NDArray[np.int64]] = []
        self._committed: list[npt.NDArray[np.int64]] = []

    def add(self, batch: Batch) -> None:
        """Take a batch that was committed just now."""
        now_us = self._clock.now_us()
        self._offsets_us += [self._turns_us.get(each.device, 0) for each in batch.series]
        rows = batch.observations
        if rows.num_rows:
            offsets_us = np.array(self._offsets_us)[rows.column("series").to_numpy()]
            self._due.append(rows.column("time_us").to_numpy() + offsets_us)
            self._received.append(rows.column("received_us").to_numpy())
            self._committed.append(np.full(rows.num_rows, now_us))

    def forget(self) -> None:
        """Begin afresh: what comes from here on is of another schedule."""
        for column in (self._due, self._received, self._committed):
            column.clear()

    def delay(self) -> Delay:
        """Return how long after it was due an observation was committed."""
        if not self._due:
            return Delay(0, 0.0, 0.0, 0.0)
        due, committed = np.concatenate(self._due), np.concatenate(self._committed)
        began_us = (np.concatenate(self._received) - due).min()
        late_ms = (committed - due - began_us) / 1_000
        p50, p99 = np.percentile(late_ms, [50, 99])
        return Delay(len(due), float(p50), float(p99), float(late_ms.max()))
