"""What a course of due and applied messages says: throughput, backlog, drain time. Pure.

The same functions judge what was simulated and what a machine did.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

__all__ = ["Sample", "applied_per_s", "backlog_of", "drain_s"]

STEADY: Final = 99.0


class Sample(msgspec.Struct, frozen=True):
    """One look.

    Attributes:
        elapsed_s: Since the first message was due.
        due, applied: Messages, since the beginning.
    """

    elapsed_s: float
    due: int
    applied: int

    @property
    def backlog(self) -> int:
        """Messages that are due and not applied."""
        return self.due - self.applied


def applied_per_s(samples: Sequence[Sample], from_s: float, until_s: float) -> float:
    """Return the rate at which messages were applied between two instants, by a line through them.

    Returns:
        0 where fewer than two samples are in between.
    """
    inside = [each for each in samples if from_s <= each.elapsed_s <= until_s]
    if len(inside) < 2:  # noqa: PLR2004 - a line needs two
        return 0.0
    times = np.array([each.elapsed_s for each in inside])
    applied = np.array([each.applied for each in inside], dtype=np.float64)
    return float(np.polyfit(times, applied, 1)[0])


def backlog_of(
    samples: Sequence[Sample], from_s: float, until_s: float, percentile: float
) -> float:
    """Return a percentile of the backlog between two instants; 0 where nobody looked."""
    inside = [each.backlog for each in samples if from_s <= each.elapsed_s <= until_s]
    return float(np.percentile(inside, percentile)) if inside else 0.0


def drain_s(
    samples: Sequence[Sample], from_s: float, begins_s: float, ends_s: float
) -> float | None:
    """Return how long after an outage the backlog was back at the usual: its p99 of before.

    Args:
        samples: In order.
        from_s: When the backlog was steady already.
        begins_s: Of the outage.
        ends_s: Of the outage.

    Returns:
        None where it never was.
    """
    usual = backlog_of(samples, from_s, begins_s, STEADY)
    for each in samples:
        if each.elapsed_s >= ends_s and each.backlog <= usual:
            return each.elapsed_s - ends_s
    return None
