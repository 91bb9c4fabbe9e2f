"""Ours against what people build instead: the textbook stack and a tuned one (G1, G2).

Every side runs at half of what it can do, measured first, since a program that is flooded batches
better than it ever will in service. Both at the slower side's rate are printed too, unjudged.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bench.latency import steady_plan
from bench.pairs import Sample, measure_pairs
from bench.progress import say
from bench.result import BenchResult, Goal
from bench.rig import run_rig
from bench.textbook.rig import run_stack
from loadtest.plan import LoadPlan

if TYPE_CHECKING:
    from bench.pairs import Paired
    from bench.textbook.rig import Stack

__all__ = ["LEAST_RATIO", "LEAST_RATIO_TUNED", "half_of_the_most", "measure"]

SECONDS = 5.0
PROBE_S = 2.0
PROBES = 2
LEAST_RATIO = 10.0
LEAST_RATIO_TUNED = 2.0
PAIRS = 5


def measure(seconds: float | None) -> BenchResult:
    """Measure ours against each stack in pairs, each at half of its capacity."""
    seconds = seconds or SECONDS
    probe = LoadPlan(port=0, seconds=PROBE_S)
    ours_rate = half_of_the_most("ours", [_ours(probe) for _ in range(PROBES)])
    rates = {
        stack: half_of_the_most(stack, [run_stack(stack, probe) for _ in range(PROBES)])
        for stack in ("textbook", "tuned")
    }
    ours = partial(_ours, steady_plan(ours_rate, seconds))
    textbook = _against("textbook", ours, steady_plan(rates["textbook"], seconds))
    tuned = _against("tuned", ours, steady_plan(rates["tuned"], seconds))
    say("both at the slower side's rate, unjudged")
    slow = steady_plan(rates["textbook"], seconds)
    same_rate = _ours(slow), run_stack("textbook", slow)
    ratio, all_in = textbook.ratio(), textbook.ratio("all_in")
    quiet = not textbook.noisy
    return BenchResult(
        bench="textbook",
        unit="us CPU a message, without brokers",
        value=textbook.cost(),
        baseline=textbook.baseline(),
        ratio=ratio,
        samples=textbook.samples + tuned.samples,
        goals=[
            Goal("G1 a", ratio, f">= {LEAST_RATIO:g}", quiet and ratio >= LEAST_RATIO),
            Goal("G1 b", all_in, f">= {LEAST_RATIO:g}", quiet and all_in >= LEAST_RATIO),
            Goal(
                "G2",
                tuned.ratio(),
                f">= {LEAST_RATIO_TUNED:g}",
                not tuned.noisy and tuned.ratio() >= LEAST_RATIO_TUNED,
            ),
        ],
        extra={
            "ratio_all_in": all_in,
            "ratio_tuned": tuned.ratio(),
            "ratio_tuned_all_in": tuned.ratio("all_in"),
            "all_in": textbook.median_of("all_in"),
            "baseline_all_in": textbook.median_of("all_in", textbook.theirs),
            "tuned": tuned.baseline(),
            "rates_per_s": {"ours": ours_rate} | rates,
            "same_rate": {
                "per_s": rates["textbook"],
                "ours": same_rate[0],
                "textbook": same_rate[1],
                "ratio": same_rate[1].cost / same_rate[0].cost,
                "ratio_all_in": same_rate[1].parts["all_in"] / same_rate[0].parts["all_in"],
            },
            "control": textbook.control,
            "noisy": textbook.noisy,
            "noisy_tuned": tuned.noisy,
        },
    )


def _against(stack: Stack, ours: partial[Sample], plan: LoadPlan) -> Paired:
    say(f"ours against {stack}")
    return measure_pairs(ours, partial(run_stack, stack, plan), PAIRS)


def _ours(plan: LoadPlan) -> Sample:
    return run_rig(plan).sample("ours")


def half_of_the_most(side: str, probes: list[Sample]) -> float:
    """Return half of the most that a side could do when it was flooded, messages a second."""
    most = max(each.parts["per_s"] for each in probes)
    say(f"{side} can do {most:.0f} messages a second")
    return most / 2
