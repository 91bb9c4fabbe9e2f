"""Two sides measured in turn, A B B A, so that a slow minute of the machine meets both.

The verdict is the median of the paired ratios. Neighbouring runs of the same side are the control:
where they differ too much, the machine was too noisy for any verdict.
"""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

import msgspec

from bench.progress import say
from bench.result import BenchFailed

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CONTROL_RANGE", "Paired", "Sample", "measure_pairs"]

CONTROL_RANGE = (0.85, 1.15)
ATTEMPTS = 3


class Sample(msgspec.Struct, frozen=True):
    """One verified run of one side.

    Attributes:
        cost: What is compared; more is worse.
        messages: Verified ones.
        parts: More about it.
    """

    side: str
    cost: float
    messages: int
    parts: dict[str, float] = {}


class Paired(msgspec.Struct, frozen=True):
    """Runs in the order in which they were made.

    Attributes:
        control: Median ratio of neighbouring runs of one side; 1 on a quiet machine.
        noisy: The control never held: nothing here counts as passed.
    """

    ours: list[Sample]
    theirs: list[Sample]
    control: float
    noisy: bool

    @property
    def samples(self) -> list[dict[str, object]]:
        """All runs, for a result."""
        return [msgspec.to_builtins(each) for each in (*self.ours, *self.theirs)]

    def cost(self) -> float:
        """Median cost of ours."""
        return median(each.cost for each in self.ours)

    def baseline(self) -> float:
        """Median cost of theirs."""
        return median(each.cost for each in self.theirs)

    def ratio(self, part: str | None = None) -> float:
        """Return how many times ours is cheaper: median of the pairs, of the cost or a part."""
        return median(
            (theirs.cost / ours.cost) if part is None else (theirs.parts[part] / ours.parts[part])
            for ours, theirs in zip(self.ours, self.theirs, strict=True)
        )

    def median_of(self, part: str, side: list[Sample] | None = None) -> float:
        """Return the median of one part of a side's runs; ours unless another one is given."""
        return median(each.parts[part] for each in (self.ours if side is None else side))


def measure_pairs(
    ours: Callable[[], Sample], theirs: Callable[[], Sample], pairs: int = 5
) -> Paired:
    """Run both sides in turn; once more from the start while the control does not hold.

    Args:
        ours: Makes one verified run; raises `BenchFailed` where it cannot be verified.
        theirs: The same for the other side.
        pairs: At least 2; 5 for a verdict.
    """
    assert pairs > 1, "one pair has no control"
    paired = _measure_once(ours, theirs, pairs)
    for _ in range(1, ATTEMPTS):
        if not paired.noisy:
            break
        say(f"neighbouring runs of one side differ by {paired.control:.2f}: once more")
        paired = _measure_once(ours, theirs, pairs)
    return paired


def _measure_once(ours: Callable[[], Sample], theirs: Callable[[], Sample], pairs: int) -> Paired:
    runs: list[Sample] = []
    for number in range(pairs):
        for side in (ours, theirs) if number % 2 == 0 else (theirs, ours):
            runs.append(side())
            say(f"{len(runs)}/{2 * pairs} {runs[-1].side}: {runs[-1].cost:.2f}")
    sides = dict.fromkeys(each.side for each in runs)
    if len(sides) != 2:
        raise BenchFailed(f"two sides need two names, not {list(sides)}")
    first = runs[0].side
    neighbours = [
        after.cost / before.cost for before, after in pairwise(runs) if before.side == after.side
    ]
    control = median(neighbours)
    low, high = CONTROL_RANGE
    return Paired(
        ours=[each for each in runs if each.side == first],
        theirs=[each for each in runs if each.side != first],
        control=control,
        noisy=not low <= control <= high,
    )
