"""Ours against the same stacks with a real InfluxDB 1.x behind both: every row is looked for in it.

The database's own processor time is a part for itself: how many points a message becomes is the
choice of who writes it (ours: one with two fields; the textbook's: one for each quantity).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bench.ingest_process import How
from bench.latency import steady_plan
from bench.pairs import Sample, measure_pairs
from bench.progress import say
from bench.result import BenchResult, Goal
from bench.rig import run_rig
from bench.textbook.comparison import LEAST_RATIO, LEAST_RATIO_TUNED, half_of_the_most
from bench.textbook.rig import run_stack_into_influx
from loadtest.plan import LoadPlan

if TYPE_CHECKING:
    from bench.pairs import Paired
    from bench.textbook.rig import Stack

__all__ = ["measure"]

SECONDS = 5.0
PROBE_S = 3.0
PAIRS = 5


def measure(seconds: float | None) -> BenchResult:
    """Measure ours against each stack in pairs, each at half of its capacity."""
    seconds = seconds or SECONDS
    probe = LoadPlan(port=0, seconds=PROBE_S)
    rates = {"ours": half_of_the_most("ours", [_ours(probe)])}
    paired: dict[Stack, Paired] = {}
    for stack in ("textbook", "tuned"):
        rates[stack] = half_of_the_most(stack, [run_stack_into_influx(stack, probe)])
        say(f"ours against {stack}, both into InfluxDB")
        paired[stack] = measure_pairs(
            partial(_ours, steady_plan(rates["ours"], seconds)),
            partial(run_stack_into_influx, stack, steady_plan(rates[stack], seconds)),
            PAIRS,
        )
    textbook, tuned = paired["textbook"], paired["tuned"]
    return BenchResult(
        bench="textbook-influx",
        unit="us CPU a message into InfluxDB 1.x, without brokers and database",
        value=textbook.cost(),
        baseline=textbook.baseline(),
        ratio=textbook.ratio(),
        samples=textbook.samples + tuned.samples,
        goals=[
            _goal("textbook", textbook, None, LEAST_RATIO),
            _goal("textbook with brokers", textbook, "all_in", LEAST_RATIO),
            _goal("tuned", tuned, None, LEAST_RATIO_TUNED),
        ],
        extra={
            "ratio_all_in": textbook.ratio("all_in"),
            "ratio_influxd": textbook.ratio("influxd"),
            "ratio_tuned": tuned.ratio(),
            "ratio_tuned_all_in": tuned.ratio("all_in"),
            "influxd": textbook.median_of("influxd"),
            "baseline_influxd": textbook.median_of("influxd", textbook.theirs),
            "rates_per_s": rates,
            "control": textbook.control,
            "noisy": textbook.noisy,
            "noisy_tuned": tuned.noisy,
        },
    )


def _goal(name: str, paired: Paired, part: str | None, least: float) -> Goal:
    ratio = paired.ratio(part)
    return Goal(name, ratio, f">= {least:g}", not paired.noisy and ratio >= least)


def _ours(plan: LoadPlan) -> Sample:
    return run_rig(plan, How(store="influxdb")).sample("ours")
