"""Durations are kept to three digits, and two machines' add up to one's."""

import numpy as np
import pytest

from loadtest.timing import Timings, merged


def test_percentiles_are_those_of_the_values_and_of_any_parts_of_them() -> None:
    chance = np.random.default_rng(3)
    seconds = chance.lognormal(-5, 2, 50_000)
    began_s = np.linspace(0, 9.99, 50_000)
    whole = Timings(1.0)
    whole.add(began_s, seconds)
    parts = [Timings(1.0), Timings(1.0)]
    for at in range(0, 50_000, 1_000):
        parts[at // 1_000 % 2].add(began_s[at : at + 1_000], seconds[at : at + 1_000])
    found = whole.record().summary()
    exact = np.percentile(seconds, (50, 90, 99, 99.9, 100)) * 1_000
    told = (found.p50_ms, found.p90_ms, found.p99_ms, found.p99_9_ms, found.max_ms)
    assert told == pytest.approx(exact, rel=0.003)
    together = merged(part.record() for part in parts)
    assert together.summary() == found
    assert together.intervals == whole.record().intervals
    assert sorted(together.intervals) == [*range(10)]


def test_what_takes_longer_than_an_hour_is_an_hour() -> None:
    timings = Timings(1.0)
    timings.add(np.zeros(2), np.array([1e9, 1e-9]))
    summary = timings.record().summary()
    assert (summary.count, round(summary.max_ms / 3_600_000, 2)) == (2, 1.0)
