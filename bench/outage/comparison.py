"""Six outages, the same publisher, three sides: messages lost of those that were acknowledged.

Devices send with QoS 1 and count what has its PUBACK; what a side has acknowledged and does not
have in the end is lost. The control: the textbook stack has to lose something.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec

from bench.outage.one_run import Outcome
from bench.outage.outages import OUTAGES
from bench.outage.sides import SIDES
from bench.progress import say
from bench.result import ROOT, BenchFailed, BenchResult, Goal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.outage.sides import SideName

__all__ = ["Outcomes", "judged", "measure", "table"]

SECONDS = 15.0
PATIENCE_S = 420.0

Outcomes = dict[str, dict[str, Outcome]]


def measure(seconds: float | None) -> BenchResult:
    """Do each outage to all sides at once.

    Raises:
        BenchFailed: A side did not start or did not come back, or this machine has no small disk.
    """
    found: Outcomes = {}
    for outage in OUTAGES:
        found[outage] = _all_sides(outage, seconds or SECONDS)
        say(f"{outage}: {', '.join(_told(each) for each in found[outage].values())}")
    for line in table(found):
        say(line)
    return judged(found)


def judged(found: Outcomes) -> BenchResult:
    """Return the result of all outages: ours has to be 0 in each of them."""
    ours = {outage: sides["madina"] for outage, sides in found.items()}
    wrong = sum(_wrong(each) for each in ours.values())
    control = sum(sides["textbook"].lost for sides in found.values())
    goals = [
        Goal(outage, _wrong(each), f"0 lost, 0 double of {each.acked:,}", not _wrong(each))
        for outage, each in ours.items()
    ]
    difference = sum(each.difference for each in ours.values())
    waiting = sum(each.waiting for each in ours.values())
    return BenchResult(
        bench="outage",
        unit="messages lost plus doubled, ours",
        value=wrong,
        samples=[msgspec.to_builtins(each) for sides in found.values() for each in sides.values()],
        goals=[
            *goals,
            Goal("ledger", difference, "difference 0", not difference),
            Goal("waiting", waiting, "0: everything is acknowledged in the end", not waiting),
            Goal("control", control, "the textbook stack loses something", control > 0),
        ],
        extra={
            f"{side} {outage}": f"{each.lost} of {each.acked}"
            for outage, sides in found.items()
            for side, each in sides.items()
        },
    )


def table(found: Outcomes) -> Iterator[str]:
    """Yield the lines of the table of docs/bench.md."""
    yield f"| lost of acknowledged | {' | '.join(SIDES)} |"
    yield f"| --- |{' --- |' * len(SIDES)}"
    for outage, sides in found.items():
        cells = [f"{sides[side].lost:,} of {sides[side].acked:,}" for side in SIDES]
        yield f"| {OUTAGES[outage].title} | {' | '.join(cells)} |"


def _wrong(outcome: Outcome) -> int:
    return outcome.lost + outcome.doubled + outcome.strange


def _told(outcome: Outcome) -> str:
    return f"{outcome.side} lost {outcome.lost:,} of {outcome.acked:,}"


def _all_sides(outage: str, seconds: float) -> dict[str, Outcome]:
    with ThreadPoolExecutor(len(SIDES)) as beside:
        running = {side: beside.submit(_one, side, outage, seconds) for side in SIDES}
        return {side: each.result() for side, each in running.items()}


def _one(side: SideName, outage: str, seconds: float) -> Outcome:
    command = [
        sys.executable, "-m", "bench.outage.one_run", side, outage, "--seconds", str(seconds),
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, check=False, timeout=PATIENCE_S + seconds
    )
    if done.returncode:
        raise BenchFailed(done.stderr.decode(errors="replace").strip()[-2_000:])
    return msgspec.json.decode(done.stdout, type=Outcome)
