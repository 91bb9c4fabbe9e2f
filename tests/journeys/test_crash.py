"""Killed and stopped at random moments under load, everything that was acknowledged is there once.

`make bench BENCH=crash` (and `crash-influx`) is the same with a million messages.
"""

from pathlib import Path

import pytest

from bench.crash import kill_under_load
from bench.mortal import StoreKind, running_city

pytestmark = [pytest.mark.live, pytest.mark.journey]

MESSAGES, RATE_PER_S, SEED = 40_000, 4_000.0, 7


@pytest.mark.timeout(240)
@pytest.mark.parametrize("store", ["duckdb", "influxdb"])
def test_kills_at_random_moments_lose_and_double_nothing(tmp_path: Path, store: StoreKind) -> None:
    with running_city(tmp_path, gateways=2, store=store) as city:
        killed = kill_under_load(city, MESSAGES, RATE_PER_S, SEED)
    verdict = killed.verdict
    assert sum(killed.kills.values()) >= 3, "it was over before anything was hurt"
    assert verdict.acked == MESSAGES
    assert (verdict.lost, verdict.doubled, verdict.strange) == (0, 0, 0)
    assert killed.difference == 0
