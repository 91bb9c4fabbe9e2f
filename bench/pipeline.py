"""What gateway and ingest cost a message, with all checks on, against the same with them off."""

from __future__ import annotations

from statistics import median

from bench.ingest_process import How
from bench.pairs import Sample, measure_pairs
from bench.progress import say
from bench.result import BenchResult, Goal
from bench.rig import run_rig
from loadtest.plan import LoadPlan

__all__ = ["measure"]

SECONDS = 5.0
TARGET_US = 8.0
TARGET_MANY_US = 25.0
# Share of the whole that the ledger may cost.
TARGET_LEDGER = 0.08
MANY = 5_000
RUNS_MANY = 3


def measure(seconds: float | None) -> BenchResult:
    """Measure 200 connections x 20 in flight in pairs, then 5,000 x 1."""
    seconds = seconds or SECONDS

    def side(how: How) -> Sample:
        return run_rig(LoadPlan(port=0, seconds=seconds), how).sample(how.checks)

    say("all checks on, and none")
    paired = measure_pairs(lambda: side(How()), lambda: side(How(checks="none")))
    say("all checks on, and all but the ledger")
    ledger = measure_pairs(lambda: side(How()), lambda: side(How(checks="no-ledger")))
    ledger_share = 1 / ledger.ratio() - 1
    say(f"{MANY} connections x 1")
    plan = LoadPlan(port=0, seconds=seconds, connections=MANY, in_flight=1)
    many = [run_rig(plan).sample("many") for _ in range(RUNS_MANY)]
    many_us = median(each.cost for each in many)
    value = paired.cost()
    quiet = not paired.noisy
    return BenchResult(
        bench="pipeline",
        unit="us CPU a message, gateway + ingest",
        value=value,
        baseline=paired.baseline(),
        ratio=paired.ratio(),
        samples=paired.samples,
        goals=[
            Goal("pipeline", value, f"<= {TARGET_US:g} us", quiet and value <= TARGET_US),
            Goal(
                "many_connections", many_us, f"<= {TARGET_MANY_US:g} us", many_us <= TARGET_MANY_US
            ),
            Goal(
                "G18",
                ledger_share,
                f"<= {TARGET_LEDGER:g}",
                not ledger.noisy and ledger_share <= TARGET_LEDGER,
            ),
        ],
        extra={
            "by_process": {
                name: paired.median_of(name) for name in ("gateway", "ingest", "log", "generator")
            },
            "least": min(each.cost for each in paired.ours),
            "messages_per_s": paired.median_of("per_s"),
            "many_connections": {
                "connections": MANY,
                "value": many_us,
                "least": min(each.cost for each in many),
                "by_process": _medians(many, ("gateway", "ingest", "log", "generator")),
                "messages_per_s": median(each.parts["per_s"] for each in many),
                "samples": many,
            },
            "ledger": {"share": ledger_share, "control": ledger.control, "noisy": ledger.noisy},
            "control": paired.control,
            "noisy": paired.noisy,
        },
    )


def _medians(runs: list[Sample], parts: tuple[str, ...]) -> dict[str, float]:
    return {part: median(each.parts[part] for each in runs) for part in parts}
