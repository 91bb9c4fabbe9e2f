"""`plan`: what one machine does, beside what the simulation says that it would do.

The simulation is told what two rates cost in the same run (15 % and 60 % of the knee), and has to
predict others: 25, 50, 75 and 95 % of the knee, the knee itself, and how long an outage drains.
"""

from __future__ import annotations

import os
from functools import partial
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

import msgspec

from bench.pairs import CONTROL_RANGE
from bench.plan.errors import Compared, compared_drain, compared_load, disturbed, goals_of, table
from bench.plan.loads import CONNECTIONS, IN_FLIGHT, Outage, RealRun, Sender, message_bytes
from bench.plan.platform import running_platform
from bench.progress import say
from bench.result import BenchFailed, BenchResult
from loadtest.capacity.batches import checkpoint_of, spread_of, typical
from loadtest.capacity.calibration import PartRates
from loadtest.simulate.costs import Commits, Costs, Design, costs_of_runs
from loadtest.simulate.load import Load, Standstill
from loadtest.simulate.run import saturation_per_s, simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["costs_measured", "measure"]

SLOW, QUICK = 0.15, 0.6
SHARES: Final = (0.25, 0.5, 0.75, 0.95)
HURT: Final = 0.5
SECONDS: Final = 8.0
ROUNDS, FLOODS, OUTAGES = 3, 3, 2
TRIES: Final = 6
FLOOD_S: Final = 5.0
OUTAGE_S, BEFORE_S = 10.0, 4.0
# A p99 of the simulation may take longer than one of a machine that others wait for.
SIMULATED_S: Final = 30.0
DESIGN: Final = Design(connections=CONNECTIONS, window=CONNECTIONS * IN_FLIGHT)
Runs = dict[float, list[RealRun]]


def measure(seconds: float | None) -> BenchResult:
    """Run real loads and their simulations.

    Args:
        seconds: Of each run, and of the outage; None: 8 and 10, three times each.

    Raises:
        BenchFailed: A message was lost, the machine was somebody else's too, or no disk can be
            made that stands still (root may do that).
    """
    rounds = ROUNDS if seconds is None else 1
    outage_s = OUTAGE_S if seconds is None else seconds
    with running_platform() as platform:
        sender = Sender(platform)
        sender.warm()
        flood = partial(sender.run, None, FLOOD_S)
        floods = [_undisturbed(flood) for _ in range(FLOODS if seconds is None else 1)]
        knee_per_s = median(each.ingest.messages / each.lasted_s for each in floods)
        say(f"the knee: {knee_per_s:,.0f} messages a second")
        runs = _rounds(sender, knee_per_s, seconds or SECONDS, rounds)
        outage = partial(_hurt, sender, knee_per_s * HURT, outage_s)
        hurt = [_undisturbed(outage) for _ in range(OUTAGES if seconds is None else 1)]
    every = [*floods, *(each for some in runs.values() for each in some), *hurt]
    costs = costs_measured(runs[SLOW], runs[QUICK])
    compared = _compared(runs, hurt, costs)
    compared.append(
        Compared("knee", "flood", "messages/s", knee_per_s, saturation_per_s(costs, DESIGN))
    )
    return _result(compared, every, costs, _control(runs[QUICK]))


def costs_measured(slow: Sequence[RealRun], quick: Sequence[RealRun]) -> Costs:
    """Return what runs at two rates say of the machine."""
    usual, many = ([batch for each in runs for batch in each.batches] for runs in (slow, quick))
    costs = costs_of_runs(
        (_rates(slow), _rates(quick)),
        (typical(usual), typical(many)),
        Commits(spread_of(many), checkpoint_of(many)),
    )
    return msgspec.structs.replace(
        costs, cores=len(os.sched_getaffinity(0)), message_bytes=message_bytes()
    )


def _rounds(sender: Sender, knee_per_s: float, seconds: float, rounds: int) -> Runs:
    """Run every rate once a round, so that a slow minute of the machine meets all of them."""
    runs: Runs = {share: [] for share in (SLOW, QUICK, *SHARES)}
    for number in range(rounds):
        for share in runs if number % 2 == 0 else reversed(runs):
            run = _undisturbed(partial(sender.run, knee_per_s * share, seconds))
            used = sum(run.used_s.values()) / run.ingest.messages * 1e6
            say(f"{share:.0%} of the knee: {used:.1f} us a message, others {run.others:.2f} cores")
            runs[share].append(run)
    return runs


def _undisturbed(measured: Callable[[], RealRun]) -> RealRun:
    """Run something until nobody else used the machine meanwhile.

    Raises:
        BenchFailed: Somebody always did.
    """
    words = ""
    for _ in range(TRIES):
        run = measured()
        words = disturbed(run)
        if not words:
            return run
        say(f"{words}: once more")
    raise BenchFailed(f"{TRIES} times {words}: nothing can be said. Wait, or stop what runs")


def _hurt(sender: Sender, rate_per_s: float, outage_s: float) -> RealRun:
    """Let the store stand still, and messages come until the backlog is gone again."""
    say(f"the store stands still for {outage_s:g} s")
    seconds = BEFORE_S + outage_s * 2.5 + BEFORE_S
    return sender.run(rate_per_s, seconds, Outage(BEFORE_S, outage_s))


def _rates(runs: Sequence[RealRun]) -> PartRates:
    lasted_s = sum(each.lasted_s for each in runs)
    cores = {part: sum(each.used_s[part] for each in runs) / lasted_s for part in runs[0].used_s}
    return PartRates(sum(each.ingest.messages for each in runs) / lasted_s, cores, {})


def _compared(runs: Runs, hurt: Sequence[RealRun], costs: Costs) -> list[Compared]:
    found: list[Compared] = []
    for share in SHARES:
        rate_per_s = median(each.rate_per_s for each in runs[share])
        outcome = simulate(Load(rate_per_s=rate_per_s, seconds=SIMULATED_S), costs, DESIGN)
        found += compared_load(f"{share:.0%}", runs[share], outcome)
    first = hurt[0]
    assert first.outage is not None, "it was asked for"
    still = Standstill("store", first.outage.at_s, first.outage.lasts_s)
    load = Load(rate_per_s=first.rate_per_s, seconds=first.seconds, standstills=(still,))
    at = f"{HURT:.0%}, store away for {still.lasts_s:.0f} s"
    return [*found, compared_drain(at, hurt, simulate(load, costs, DESIGN))]


def _control(quick: Sequence[RealRun]) -> float:
    """Return how much costs of one rate differed from run to run: 1 on a quiet machine."""
    costs = [sum(each.used_s.values()) / each.ingest.messages for each in quick]
    return max((max(pair) / min(pair) for pair in pairwise(costs)), default=1.0)


def _result(
    compared: Sequence[Compared], runs: Sequence[RealRun], costs: Costs, control: float
) -> BenchResult:
    noisy = control > CONTROL_RANGE[1]
    for line in table(compared):
        say(line)
    goals = goals_of(compared, noisy=noisy)
    return BenchResult(
        bench="plan",
        unit="% error of predicted throughput, the worst case",
        value=goals[0].measured,
        samples=[msgspec.to_builtins(each) | {"error": each.error} for each in compared],
        goals=goals,
        extra={
            "costs": costs,
            "control": control,
            "noisy": noisy,
            "others_cores": median(each.others for each in runs),
            "backlog_error": goals[1].measured,
            "drain_error": goals[2].measured,
        },
    )
