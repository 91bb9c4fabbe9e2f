"""When messages are due: a rate that changes over time, and its inverse. Pure.

A rate is straight lines between instants. The n-th message is due when the area below them reaches
n, so each message's instant is known before the run, and from its number alone.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from loadtest.scenario.model import (
    Burst,
    FleetRule,
    Hold,
    Phase,
    Ramp,
    Scenario,
    Steps,
    seconds_of,
)

__all__ = ["RateCurve", "Span", "curve_of", "spans_of"]

# Sums of floats: less than this much of a message is none.
SLACK: Final = 1e-6


class Span(msgspec.Struct, frozen=True):
    """A phase, or one step of it, as it takes place.

    Attributes:
        start_s, end_s: Since the start of the run.
        first, last: Factor at its start and end.
    """

    name: str
    start_s: float
    end_s: float
    first: float
    last: float


class RateCurve:
    """Messages a second over time.

    Attributes:
        total: Messages in all.
        end_s: When it is over.
    """

    def __init__(self, lines: list[tuple[float, float, float, float]]) -> None:
        """Take straight lines: start and end in seconds, messages a second at both; no gaps."""
        table = np.array([line for line in lines if line[1] > line[0]], dtype=np.float64)
        self._start, end, self._first, last = table.reshape(-1, 4).T
        seconds = end - self._start
        self._slope = (last - self._first) / seconds
        self._before = np.concatenate(([0.0], np.cumsum((self._first + last) / 2 * seconds)))
        self.end_s = float(end[-1]) if len(end) else 0.0
        self.total = int(np.ceil(self._before[-1] - SLACK))

    def due(self, elapsed_s: float) -> int:
        """Return how many messages are due this long after the start."""
        if elapsed_s < 0:
            return 0
        if elapsed_s >= self.end_s:
            return self.total
        at = int(np.searchsorted(self._start, elapsed_s, side="right")) - 1
        within = elapsed_s - self._start[at]
        area = self._before[at] + within * (self._first[at] + self._slope[at] * within / 2)
        rate = self._first[at] + self._slope[at] * within
        # The next message is due where the area reaches its number, not before.
        more = 1 if rate > 0 or area - np.floor(area) > SLACK else 0
        return min(self.total, int(area + SLACK) + more)

    def due_s(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return when messages are due, seconds since the start."""
        at = np.searchsorted(self._before, numbers.astype(np.float64) + SLACK, side="right") - 1
        at = np.minimum(at, len(self._start) - 1)
        area = np.maximum(numbers - self._before[at], 0.0)
        first, slope = self._first[at], self._slope[at]
        root = np.sqrt(np.maximum(first * first + 2 * slope * area, 0.0))
        within = 2 * area / np.maximum(first + root, 1e-12)
        return self._start[at] + within


def spans_of(phases: list[Phase]) -> list[Span]:
    """Return the phases with their instants and factors."""
    spans: list[Span] = []
    factor, now_s = 0.0 if isinstance(phases[0], Ramp) else 1.0, 0.0
    for number, phase in enumerate(phases, 1):
        for name, seconds, first, last, after in _parts(phase, factor):
            title = f"{number} {name}"
            spans.append(Span(title, now_s, now_s + seconds, first, last))
            now_s += seconds
            factor = after
    return spans


def curve_of(fleet: FleetRule, scenario: Scenario) -> RateCurve:
    """Return when a fleet's messages are due."""
    spans = spans_of(scenario.phases)
    if fleet.together is not None:
        return RateCurve([*_windows(fleet, spans)])
    rate = fleet.devices / seconds_of(fleet.every)
    return RateCurve(
        [(span.start_s, span.end_s, rate * span.first, rate * span.last) for span in spans]
    )


def _parts(phase: Phase, factor: float) -> Iterator[tuple[str, float, float, float, float]]:
    """Yield name, seconds, first and last factor of each part, and the factor that follows."""
    seconds = seconds_of(phase.seconds)
    match phase:
        case Ramp(to=to):
            yield f"ramp to {to:g}", seconds, factor, to, to
        case Hold(at=at):
            stays = factor if at is None else at
            yield f"hold {stays:g}", seconds, stays, stays, stays
        case Burst(at=at):
            yield f"burst {at:g}", seconds, at, at, factor
        case Steps(start=start, times=times, steps=steps):
            for step in range(steps):
                height = start * times**step
                yield f"step {height:g}", seconds, height, height, height


def _windows(fleet: FleetRule, spans: list[Span]) -> Iterator[tuple[float, float, float, float]]:
    """Yield the lines of devices that all send at once: a block at each interval, else nothing.

    Its height does not follow a ramp, which counts as where it leads: each device sends once a
    block at factor 1, twice at factor 2.
    """
    every_s, width_s = seconds_of(fleet.every), seconds_of(fleet.together or 0)
    end_s = spans[-1].end_s
    start_s = 0.0
    while start_s < end_s - SLACK:
        factor = next(span.last for span in spans if start_s < span.end_s)
        rate = fleet.devices / width_s * factor
        yield start_s, min(start_s + width_s, end_s), rate, rate
        yield start_s + width_s, min(start_s + every_s, end_s), 0.0, 0.0
        start_s += every_s
