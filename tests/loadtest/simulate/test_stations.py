"""Cores and gates against what queueing theory and arithmetic say."""

from __future__ import annotations

import random
from collections.abc import Generator
from typing import Any

import pytest
import simpy

from loadtest.simulate.load import Standstill
from loadtest.simulate.stations import Cores, Gate, Waiting

Steps = Generator[simpy.Event, Any, None]
JOBS = 40_000


@pytest.mark.parametrize("used", [0.3, 0.6, 0.8])
def test_one_core_with_random_arrivals_waits_as_the_formula_of_m_d_1_says(used: float) -> None:
    env, service_s = simpy.Environment(), 0.001
    # Slices are longer than a job: each is served whole, in the order of its arrival.
    cores, waits, chance = Cores(env, 1), list[float](), random.Random(7)

    def job() -> Steps:
        came_s = env.now
        yield from cores.use(service_s)
        waits.append(env.now - came_s - service_s)

    def arrivals() -> Steps:
        for _ in range(JOBS):
            yield env.timeout(chance.expovariate(used / service_s))
            env.process(job())

    env.process(arrivals())
    env.run()
    expected_s = used * service_s / (2 * (1 - used))
    assert len(waits) == JOBS
    assert sum(waits) / JOBS == pytest.approx(expected_s, rel=0.08)
    assert cores.used_s == pytest.approx(JOBS * service_s)


def test_three_who_want_two_cores_get_two_thirds_of_one_each() -> None:
    env = simpy.Environment()
    cores, ended_s = Cores(env, 2), list[float]()

    def job() -> Steps:
        yield from cores.use(1.0)
        ended_s.append(env.now)

    for _ in range(3):
        env.process(job())
    env.run()
    assert ended_s == pytest.approx([1.5] * 3, abs=0.01)


def test_a_lock_lets_one_of_its_holders_run_although_a_core_is_free() -> None:
    env = simpy.Environment()
    cores, lock = Cores(env, 2), simpy.Resource(env, 1)
    for _ in range(2):
        env.process(cores.use(1.0, lock))
    env.run()
    assert env.now == pytest.approx(2.0)


def test_a_gate_keeps_everybody_until_the_last_standstill_is_over() -> None:
    env = simpy.Environment()
    shut = (Standstill("store", 1.0, 2.0), Standstill("store", 2.5, 2.0), Standstill("log", 0, 9))
    gate, passed_s = Gate(env, "store", shut), list[float]()

    def walker(at_s: float) -> Steps:
        yield env.timeout(at_s)
        yield from gate.passed()
        passed_s.append(env.now)

    for at_s in (0.5, 1.0, 2.9, 4.5):
        env.process(walker(at_s))
    env.run()
    assert passed_s == [0.5, 4.5, 4.5, 4.5]


def test_frames_are_taken_in_order_within_both_bounds_and_one_at_least() -> None:
    waiting = Waiting(simpy.Environment())
    for messages in (5, 3, 4, 9):
        waiting.put(messages)
    assert waiting.take(2, 100) == [5, 3]
    assert waiting.take(2, 1) == [4]
    assert waiting.messages == 9
    assert waiting.take(9, 100) == [9]
    assert waiting.take(9, 100) == []
