"""When a message is due and how many are due by then are the same thing, read both ways."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.scenario.curve import RateCurve, curve_of, spans_of
from loadtest.scenario.file import read_scenario
from loadtest.scenario.model import Burst, Hold, Ramp, Scenario, Steps

LINES = st.lists(
    st.tuples(st.integers(1, 30), st.integers(0, 400), st.integers(0, 400)), min_size=1, max_size=6
)


def curve(lines: list[tuple[int, int, int]]) -> RateCurve:
    at, made = 0.0, list[tuple[float, float, float, float]]()
    for seconds, first, last in lines:
        made.append((at, at + seconds, float(first), float(last)))
        at += seconds
    return RateCurve(made)


@pytest.mark.property
@given(LINES, st.floats(0, 200))
def test_what_is_due_by_an_instant_is_what_is_due_before_it(
    lines: list[tuple[int, int, int]], now_s: float
) -> None:
    made = curve(lines)
    due_s = made.due_s(np.arange(made.total, dtype=np.int64))
    assert (np.diff(due_s) >= -1e-9).all()
    due = made.due(now_s)
    assert (due_s[:due] <= now_s + 1e-3).all()
    assert (due_s[due:] >= now_s - 1e-3).all()


def test_a_ramp_sends_half_of_what_its_end_would() -> None:
    made = curve([(10, 0, 100)])
    assert made.total == 500
    assert made.due_s(np.array([125]))[0] == pytest.approx(5.0)


def test_phases_follow_each_other_and_a_burst_leaves_the_rate_from_before() -> None:
    spans = spans_of(
        [Ramp("2s", 2.0), Hold("1s"), Burst("1s", 9.0), Hold("1s"), Steps("1s", 1.0, 2.0, 3)]
    )
    assert [(each.start_s, each.first, each.last) for each in spans] == [
        (0, 0, 2), (2, 2, 2), (3, 9, 9), (4, 2, 2), (5, 1, 1), (6, 2, 2), (7, 4, 4),
    ]  # fmt: skip


def scenario(fleet: str) -> Scenario:
    text = f"name: x\nfleets:\n - {{name: a, {fleet}}}\nphases:\n - {{kind: hold, seconds: 40s}}\n"
    return read_scenario(text, "x")


def test_meters_all_send_within_their_window_and_then_are_quiet() -> None:
    asked = scenario("devices: 100, every: 20s, together: 2s")
    made = curve_of(asked.fleets[0], asked)
    due_s = made.due_s(np.arange(made.total, dtype=np.int64))
    assert made.total == 200
    assert ((due_s % 20) < 2).all()
    assert (made.due(19.0), made.due(21.0)) == (100, 151)
