"""Runs benches: `python bench/run.py NAME|all [--seconds N]`, which is what `make bench` calls.

Progress goes to standard error. The last line of each bench on standard output is one JSON object,
which is also written to `bench/results/NAME.json`; `figures` puts the last ones into docs/bench.md.
"""

import argparse
import importlib
import sys
from pathlib import Path
from typing import Protocol, cast

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    # Python put this folder first, and a bench may be named like the package that it measures.
    sys.path[0] = str(ROOT)

from bench.figures import fill_figures  # noqa: E402 - only now the path is right
from bench.progress import say  # noqa: E402
from bench.result import BenchFailed, BenchResult, encode_result, this_machine  # noqa: E402

__all__ = ["BENCHES", "main", "run_bench"]

# Each is a module with `measure(seconds: float | None) -> BenchResult`.
BENCHES = {
    "pipeline": "bench.pipeline",
    "textbook": "bench.textbook.comparison",
    "textbook-influx": "bench.textbook.influx_comparison",
    "endpoint": "bench.endpoint",
    "bridge": "bench.bridge",
    "brokers": "bench.brokers",
    "latency": "bench.latency",
    "codec": "bench.codec",
    "codecs": "bench.codecs",
    "growth": "bench.growth",
    "duckdb": "bench.duckdb",
    "influx": "bench.influx",
    "crash": "bench.crash",
    "crash-influx": "bench.crash_influx",
    "stall": "bench.stall",
    "outage": "bench.outage.comparison",
    "faults": "bench.faults",
    "loadgen": "bench.loadgen",
    "plan": "bench.plan.comparison",
    "honesty": "bench.honesty",
}
RESULTS = ROOT / "bench" / "results"
DOCUMENT = ROOT / "docs" / "bench.md"


class _Bench(Protocol):
    def measure(self, seconds: float | None) -> BenchResult:
        """Measure, verify and judge; see docs/bench.md."""
        ...


def run_bench(name: str, seconds: float | None, results: Path = RESULTS) -> bool:
    """Run one bench and print its result; return whether it could be verified.

    Args:
        name: One of `BENCHES`.
        seconds: How long one run of one side sends; None: what the bench finds enough.
        results: Where to write the result too.
    """
    machine = this_machine()
    say(f"== {name} on {machine.cores} x {machine.processor}, load {machine.load}")
    bench = cast("_Bench", importlib.import_module(BENCHES[name]))
    try:
        result = bench.measure(seconds)
    except BenchFailed as failed:
        say(f"{name} FAILED: {failed}")
        return False
    for goal in result.goals:
        verdict = "met" if goal.met else "MISSED"
        say(f"{goal.id}: {goal.measured:.4g}, wanted {goal.wanted}: {verdict}")
    line = encode_result(result, machine)
    results.mkdir(exist_ok=True)
    (results / f"{name}.json").write_bytes(line + b"\n")
    print(line.decode(), flush=True)
    return True


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line names; 1 where a bench failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bench", choices=("all", "figures", *BENCHES))
    parser.add_argument("--seconds", type=float, help="how long one run of one side sends")
    given = parser.parse_args(arguments)
    if given.bench == "figures":
        say("filled" if fill_figures(DOCUMENT, RESULTS) else "nothing is new")
        return 0
    names = list(BENCHES) if given.bench == "all" else [given.bench]
    verified = [run_bench(name, given.seconds) for name in names]
    return 0 if all(verified) else 1


if __name__ == "__main__":
    sys.exit(main())
