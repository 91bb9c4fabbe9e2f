"""A target makes hostile inputs and checks what the code does with them; running one is common.

Inputs are made from a generator of random numbers alone, so a seed gives the same inputs again, and
an input that something escaped from can be written to a file and checked by itself.
"""

import random
from collections.abc import Callable
from typing import Protocol

from fuzz.report import Budget, Decided, Report

__all__ = ["EscapeError", "Target", "run_target"]


class EscapeError(Exception):
    """An input that was neither read nor refused.

    Attributes:
        data: The input; `Target.check` raises again on it.
        report: What was counted before.
    """

    def __init__(self, target: str, data: bytes, report: Report) -> None:
        super().__init__(f"{target}: {len(data)} bytes escaped after {report.inputs} inputs")
        self.data = data
        self.report = report


class Target(Protocol):
    """Something that reads bytes from outside."""

    @property
    def name(self) -> str:
        """What people call it on the command line."""
        ...

    def make(self, rng: random.Random) -> bytes:
        """Return one input."""
        ...

    def check(self, data: bytes) -> Decided:
        """Give an input to the code; anything raised is an escape."""
        ...


def run_target(
    target: Target,
    rng: random.Random,
    budget: Budget,
    progress: Callable[[Report], None],
) -> Report:
    """Try inputs until the budget is used up.

    Raises:
        EscapeError: The first input that was neither read nor refused; its cause says why.
    """
    report = Report(target.name)
    while budget.left(report):
        data = target.make(rng)
        try:
            decided = target.check(data)
        except Exception as error:
            raise EscapeError(target.name, data, report) from error
        report.count(len(data), decided)
        progress(report)
    return report
