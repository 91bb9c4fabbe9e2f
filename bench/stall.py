"""A store whose disk stands still for a minute under load: devices wait, and nothing is lost.

The store's file is on a file system of its own that is frozen (`fsfreeze`), so that DuckDB does
not refuse but hangs. Mounting needs root.
"""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bench.cpu import peak_rss_bytes, rss_bytes
from bench.frozen_disk import disk_of, freeze, thaw
from bench.generator import connected_load
from bench.mortal import running_city
from bench.progress import say
from bench.result import BenchResult, Goal
from bench.verdict import judge
from loadtest.plan import LoadPlan

if TYPE_CHECKING:
    from bench.mortal import MortalCity

__all__ = ["measure"]

FROZEN_S = 60.0
RATE_PER_S = 10_000.0
BEFORE_S = AFTER_S = 5.0
CONNECTIONS, IN_FLIGHT = 100, 20
MIB = 1 << 20
# Smaller than what arrives in a minute, so that devices have to wait as well.
LOG_BYTES = 64 * MIB
GROWTH_BYTES = 48 * MIB
SETTLE_S = 300.0
WORDS = "the store has had a batch for"


def measure(seconds: float | None) -> BenchResult:
    """Freeze the store's disk for `seconds` (60) in the middle of a load.

    Raises:
        BenchFailed: No file system can be made here, or the load could not be sent.
    """
    frozen_s = seconds or FROZEN_S
    messages = int((BEFORE_S + frozen_s + AFTER_S) * RATE_PER_S)
    with tempfile.TemporaryDirectory() as name, disk_of(Path(name)) as disk:
        store = disk / "store.duckdb"
        with running_city(
            Path(name),
            MADINA_STORE_URL=f"duckdb:///{store}",
            MADINA_LOG_MAX_BYTES=str(LOG_BYTES),
        ) as city:
            plan = LoadPlan(
                port=city.mqtt_port,
                connections=CONNECTIONS,
                in_flight=IN_FLIGHT,
                messages=messages,
                rate_per_s=RATE_PER_S,
                drain_s=SETTLE_S,
            )
            gateway = city.parts["gateway-0"]
            before_bytes = rss_bytes(gateway.pid)
            with connected_load(plan) as connected, ThreadPoolExecutor(1) as beside:
                sending = beside.submit(connected.send)
                time.sleep(BEFORE_S)
                told = _freeze(city, disk, frozen_s)
                report = sending.result()
            city.until(city.is_drained, "everything to be applied", SETTLE_S, look_s=0.5)
            growth = peak_rss_bytes(gateway.pid) - before_bytes
            balance = city.balance()
            assert balance is not None, "it has just answered"
            for part in reversed(city.all):
                part.stop()
        verdict = judge(store, [report])
    difference = abs(balance.difference.messages) + abs(balance.difference.observations)
    wrong = verdict.lost + verdict.doubled
    return BenchResult(
        bench="stall",
        unit="messages lost plus doubled",
        value=wrong,
        samples=[{"told": told, "verdict": msgspec.to_builtins(verdict)}],
        goals=[
            Goal("nothing lost", wrong, "0 lost, 0 double", wrong == 0 and not verdict.strange),
            Goal("ledger", difference, "difference 0", difference == 0),
            Goal("memory", growth / MIB, f"<= {GROWTH_BYTES // MIB} MiB", growth <= GROWTH_BYTES),
            Goal("said why", len(told), ">= 1 reason", any(WORDS in each for each in told)),
            Goal("connections", report.lost_connections, "0 lost", not report.lost_connections),
        ],
        extra={"frozen_s": frozen_s, "acked": report.acked, "stored": verdict.stored},
    )


class _Reason(msgspec.Struct):
    words: str


class _Status(msgspec.Struct):
    reasons: list[_Reason]


def _freeze(city: MortalCity, disk: Path, frozen_s: float) -> list[str]:
    """Freeze for so long; return what the platform said in the end."""
    say(f"the store's disk stands still for {frozen_s:g} s")
    freeze(disk)
    try:
        time.sleep(frozen_s)
        answer = city.ask("/v1/status")
    finally:
        thaw(disk)
    return [] if answer is None else [
        each.words for each in msgspec.json.decode(answer, type=_Status).reasons
    ]  # fmt: skip
