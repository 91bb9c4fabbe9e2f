"""New connections: served at a rate, waiting their turn, refused where the queue is too long."""

import pytest

from gateway.arrivals import BURST_S, LONGEST_WAIT_S, Arrivals


def test_a_second_worth_of_connections_is_served_at_once() -> None:
    arrivals = Arrivals(10)
    waits = [arrivals.wait_s(100.0) for _ in range(12)]
    assert waits[: int(10 * BURST_S)] == [0.0] * 10
    assert waits[10:] == [pytest.approx(0.1), pytest.approx(0.2)]


def test_nobody_waits_longer_than_the_longest_wait_and_the_queue_moves_on() -> None:
    arrivals = Arrivals(10)
    served = 0
    while arrivals.wait_s(100.0) is not None:
        served += 1
    assert served == 10 * (BURST_S + LONGEST_WAIT_S)
    assert arrivals.wait_s(100.0) is None
    assert arrivals.wait_s(100.2) is not None


def test_a_quiet_hour_allows_no_more_than_one_burst() -> None:
    arrivals = Arrivals(10)
    arrivals.wait_s(0.0)
    waits = [arrivals.wait_s(3_600.0) for _ in range(11)]
    assert waits.count(0.0) == 10


def test_another_rate_counts_from_now_on() -> None:
    arrivals = Arrivals(10)
    for _ in range(10):
        arrivals.wait_s(0.0)
    arrivals.use_rate(1)
    assert arrivals.wait_s(0.0) == pytest.approx(1.0)
