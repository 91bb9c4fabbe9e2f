"""One verified run from devices to the store: how fast, and which process used how much."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import msgspec

from bench.cpu import cpu_s, peak_rss_bytes
from bench.generator import all_acknowledged, connected_load
from bench.mortal import StoreKind, running_city
from bench.progress import say
from bench.result import BenchFailed
from loadtest.plan import LoadPlan

__all__ = ["EndToEnd", "end_to_end"]

CONNECTIONS, IN_FLIGHT = 200, 20
SETTLE_S = 600.0
# Before the others, so that no message of one run is a duplicate of another's.
WARM_MS = 1_772_500_000_000
MICROS = 1e6


class EndToEnd(msgspec.Struct, frozen=True):
    """A run in which every message that was acknowledged is in the store once.

    Attributes:
        rate_per_s: Messages over the time from the first one sent to the last one applied.
        cpu_us: Processor time a message, by process.
        rss_bytes: The most memory, by process.
    """

    devices: int
    messages: int
    rate_per_s: float
    puback_p99_ms: float
    cpu_us: dict[str, float]
    rss_bytes: dict[str, int]


def end_to_end(devices: int, seconds: float, store: StoreKind = "duckdb") -> EndToEnd:
    """Let devices be registered, then send as fast as their windows allow.

    Raises:
        BenchFailed: A message was lost or doubled, or the ledger does not close.
    """
    share = max(1, devices // CONNECTIONS)
    with tempfile.TemporaryDirectory() as folder, running_city(Path(folder), store=store) as city:
        warm = LoadPlan(
            port=city.mqtt_port,
            connections=CONNECTIONS,
            in_flight=IN_FLIGHT,
            messages=CONNECTIONS * share,
            devices_per_connection=share,
            first_ms=WARM_MS,
        )
        plan = msgspec.structs.replace(
            warm, messages=None, seconds=seconds, first_ms=WARM_MS + warm.step_ms
        )
        with connected_load(warm) as load:
            reports = [all_acknowledged(load.send())]
        city.until(city.is_drained, f"{devices:,} devices to be registered", SETTLE_S)
        before = {part.name: cpu_s(part.pid) for part in city.all}
        with connected_load(plan) as load:
            began_s = time.monotonic()
            reports.append(all_acknowledged(load.send()))
            city.until(city.is_drained, "everything to be applied", SETTLE_S)
            rate_per_s = reports[1].acked / (time.monotonic() - began_s)
        cpu = {part.name: cpu_s(part.pid) - before[part.name] for part in city.all}
        rss = {part.name: peak_rss_bytes(part.pid) for part in city.all}
        balance = city.balance()
        if balance is None or any(msgspec.structs.astuple(balance.difference)):
            raise BenchFailed(f"the ledger says {balance}")
        city.end()
        verdict = city.judge(reports)
        if verdict.lost or verdict.doubled or verdict.strange:
            raise BenchFailed(f"{devices:,} devices: {verdict}")
    say(f"{devices:,} devices: {rate_per_s:,.0f} messages a second")
    return EndToEnd(
        devices=devices,
        messages=reports[1].acked,
        rate_per_s=rate_per_s,
        puback_p99_ms=reports[1].latency.p99_ms,
        cpu_us={name: used_s / reports[1].acked * MICROS for name, used_s in cpu.items()},
        rss_bytes=rss,
    )
