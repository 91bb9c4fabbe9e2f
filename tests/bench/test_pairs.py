"""Pairs, their median, and the control that says when a machine is too noisy for a verdict."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

import pytest

from bench.pairs import Sample, measure_pairs

if TYPE_CHECKING:
    from collections.abc import Callable


def side(name: str, costs: list[float], order: list[str]) -> Callable[[], Sample]:
    left = cycle(costs)

    def run() -> Sample:
        order.append(name)
        cost = next(left)
        return Sample(name, cost, 100, {"all_in": cost * 2})

    return run


def test_sides_are_run_in_turn_and_the_verdict_is_the_median() -> None:
    order: list[str] = []
    ours = side("ours", [1.0, 1.1, 1.0, 1.0], order)
    theirs = side("theirs", [10.0, 11.0, 9.0, 10.0], order)
    paired = measure_pairs(ours, theirs, pairs=4)
    assert order == ["ours", "theirs", "theirs", "ours", "ours", "theirs", "theirs", "ours"]
    assert paired.ratio() == 10.0
    assert paired.ratio("all_in") == 10.0
    assert paired.cost() == 1.0
    assert not paired.noisy


@pytest.mark.parametrize("jump", [0.5, 2.0])
def test_a_machine_that_changes_between_runs_of_one_side_is_noisy(jump: float) -> None:
    order: list[str] = []
    slower = [jump**each for each in range(50)]
    paired = measure_pairs(side("ours", slower, order), side("theirs", slower, order), pairs=3)
    assert paired.noisy
    assert len(order) == 3 * 6, "it was tried three times"
