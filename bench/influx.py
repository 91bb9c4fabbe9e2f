"""Messages a second from devices into InfluxDB 1.x, everything on the same cores.

QoS 1 over sockets, gateway, log, node and the database beside the generator; every message is
looked for in the database afterwards, and the ledger has to close. DuckDB on the same cores runs
in between: a machine that is slow is slow for both.
"""

from __future__ import annotations

from statistics import median

import msgspec

from bench.end_to_end import EndToEnd, end_to_end
from bench.result import BenchResult, Goal

__all__ = ["measure"]

RUN_S = 15.0
# A device has two series: its observations of one message are one point with two fields.
DEVICES, MORE_DEVICES = 5_000, (50_000, 500_000)
OBSERVATIONS = 2
GOAL_PER_S = 50_000


def measure(seconds: float | None) -> BenchResult:
    """Measure with 10,000 series, then with 10^5 and, unless the run is a short one, 10^6.

    Raises:
        BenchFailed: What is in the database is not what was sent.
    """
    runs: list[EndToEnd] = []
    embedded: list[EndToEnd] = []
    for _ in range(1 if seconds else 3):
        runs.append(end_to_end(DEVICES, seconds or RUN_S, "influxdb"))
        embedded.append(end_to_end(DEVICES, seconds or RUN_S, "duckdb"))
    more = MORE_DEVICES[:1] if seconds else MORE_DEVICES
    many = [end_to_end(devices, seconds or RUN_S, "influxdb") for devices in more]
    rate = median(each.rate_per_s for each in runs)
    return BenchResult(
        bench="influx",
        unit="msg/s end to end into InfluxDB 1.x, QoS 1",
        value=rate,
        samples=[msgspec.to_builtins(each) for each in (*runs, *many, *embedded)],
        goals=[
            Goal(
                "end to end",
                rate,
                f">= {GOAL_PER_S:,} msg/s at 10,000 series, ledger difference 0",
                rate >= GOAL_PER_S,
            )
        ],
        extra={
            "duckdb_per_s": median(each.rate_per_s for each in embedded),
            "share_of_duckdb": median(
                ours.rate_per_s / theirs.rate_per_s
                for ours, theirs in zip(runs, embedded, strict=True)
            ),
            "by_series": {
                str(devices * OBSERVATIONS): each.rate_per_s
                for devices, each in zip(more, many, strict=True)
            },
        },
    )
