"""How much of what a device should have sent has come: by slots of its interval, by its counters.

Source: indicators.md section 13, "Device availability" and "Message delivery".
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final

import msgspec
import numpy as np

from indicators.civil import Window
from indicators.columns import Gate, gate, observations

__all__ = ["Delivery", "availability", "delivery"]


# Gateways' clocks differ, so that messages of some minutes may change places.
REORDERED: Final = 16


class Delivery(msgspec.Struct, frozen=True):
    """Messages of a device by the numbers that it gives them.

    Attributes:
        received: Distinct numbers that came.
        missing: Numbers between the first and the last that did not.
        restarts: How often the device began to count anew.
    """

    received: int
    missing: int
    restarts: int

    @property
    def share(self) -> Fraction:
        """Return which share of what was sent has come, 0 to 1."""
        sent = self.received + self.missing
        return Fraction(self.received, sent) if sent else Fraction(0)


def availability(
    times_us: Iterable[int],
    interval_us: int,
    window: Window,
    pauses: Sequence[tuple[int, int]] = (),
) -> Gate:
    """Return how many slots have at least one accepted message, and how many should have.

    Args:
        times_us: Of messages, in any order.
        interval_us: How often the device should report.
        window: Which time.
        pauses: When it was being worked on: no slot is expected, and none counts.
    """
    times = [each for each in times_us if not any(start <= each < end for start, end in pauses)]
    seen = observations(times, np.zeros(len(times)), interval_us=interval_us, pauses=tuple(pauses))
    return gate(seen, window, 0.0)


def delivery(counters: Sequence[int]) -> Delivery | None:
    """Return what has come by the numbers of messages; None where there are none.

    Args:
        counters: Numbers in order of the messages' times. One that is lower than another before
            by more than `REORDERED` begins a new count: the device has started, or joined its
            network, anew. By less, the message was on its way for longer.
    """
    if not counters:
        return None
    runs = [{counters[0]}]
    highest = counters[0]
    for number in counters:
        if number < highest - REORDERED:
            runs.append(set())
            highest = number
        runs[-1].add(number)
        highest = max(highest, number)
    received = sum(map(len, runs))
    sent = sum(max(run) - min(run) + 1 for run in runs)
    return Delivery(received, sent - received, len(runs) - 1)
