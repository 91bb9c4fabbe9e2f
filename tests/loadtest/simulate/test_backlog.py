"""Throughput, backlog and drain time of a course of messages that was made by hand."""

from __future__ import annotations

import pytest

from loadtest.simulate.backlog import Sample, applied_per_s, backlog_of, drain_s
from loadtest.simulate.load import Burst, Load

# 100 a second come; between 5 and 7 s nothing is applied, then 200 a second until nothing waits.
APPLIED = {0: 0, 1: 90, 2: 190, 3: 290, 4: 390, 5: 490, 6: 490, 7: 490, 8: 690, 9: 890, 10: 990}
SAMPLES = [Sample(float(at), at * 100, applied) for at, applied in APPLIED.items()]


def test_throughput_is_the_slope_of_what_was_applied() -> None:
    assert applied_per_s(SAMPLES, 1, 5) == pytest.approx(100)
    assert applied_per_s(SAMPLES, 7, 9) == pytest.approx(200)
    assert applied_per_s(SAMPLES, 20, 30) == 0


def test_a_backlog_is_what_is_due_and_not_applied() -> None:
    assert backlog_of(SAMPLES, 1, 5, 50) == 10
    assert backlog_of(SAMPLES, 0, 10, 100) == 210
    assert backlog_of(SAMPLES, 20, 30, 50) == 0


def test_a_drain_is_over_when_the_backlog_is_usual_again() -> None:
    assert drain_s(SAMPLES, 1, 5, 7) == 2.0
    assert drain_s(SAMPLES[:9], 1, 5, 7) is None


def test_a_burst_adds_to_what_is_due_while_it_lasts() -> None:
    load = Load(rate_per_s=100, seconds=10, bursts=(Burst(2, 3, 4),))
    assert [load.due(at) for at in (2, 3, 5, 8, 12)] == [200, 600, 1_400, 1_700, 1_900]
