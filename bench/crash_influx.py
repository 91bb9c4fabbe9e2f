"""Kills at random moments of everything, InfluxDB too, under load: nothing is lost or double."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec

from bench.crash import GATEWAYS, MESSAGES, RATE_PER_S, SEED, kill_under_load, promises
from bench.mortal import running_city
from bench.result import BenchResult

__all__ = ["measure"]


def measure(seconds: float | None) -> BenchResult:
    """Kill and judge.

    Raises:
        BenchFailed: The platform did not come back, or the load could not be sent.
    """
    messages = MESSAGES if seconds is None else int(RATE_PER_S * seconds)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_city(Path(folder), GATEWAYS, "influxdb") as city,
    ):
        killed = kill_under_load(city, messages, RATE_PER_S, SEED)
    verdict = killed.verdict
    return BenchResult(
        bench="crash-influx",
        unit="messages lost plus doubled",
        value=verdict.lost + verdict.doubled,
        samples=[msgspec.to_builtins(killed)],
        goals=promises(killed),
        extra={"kills": killed.kills, "acked": verdict.acked, "stored": verdict.stored},
    )
