"""How far predictions are from what was measured. Pure."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Final

import msgspec

from bench.result import BenchFailed, Goal
from loadtest.simulate.backlog import Sample, applied_per_s, backlog_of, drain_s

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.plan.loads import RealRun
    from loadtest.simulate.run import Outcome

__all__ = ["Compared", "compared_drain", "compared_load", "disturbed", "goals_of", "table"]

# As the simulation leaves out: queues were empty at the start.
STEADY_AFTER_S: Final = 1.5
THROUGHPUT, BACKLOG, DRAIN, KNEE = "throughput", "p99 backlog", "drain time", "knee"
WITHIN: Final = {THROUGHPUT: 0.10, BACKLOG: 0.25, DRAIN: 0.25, KNEE: 0.10}
# Cores that others had, above which delays may be theirs; and the same as of other machines.
OTHERS_MOST: Final = 0.25
STOLEN_MOST: Final = 0.05


class Compared(msgspec.Struct, frozen=True):
    """One figure, measured and predicted.

    Attributes:
        what: One of the four.
        at: Which load.
    """

    what: str
    at: str
    unit: str
    measured: float
    predicted: float

    @property
    def error(self) -> float:
        """How far the prediction is off, as a share of what was measured."""
        return abs(self.predicted / self.measured - 1) if self.measured else float("inf")


def compared_load(at: str, runs: Sequence[RealRun], found: Outcome) -> list[Compared]:
    """Compare throughput and backlog of runs of one rate with their simulation."""
    until_s = runs[0].seconds
    throughput = median(applied_per_s(each.samples, STEADY_AFTER_S, until_s) for each in runs)
    # Of all runs together: one has too few samples for a p99.
    samples: list[Sample] = [sample for each in runs for sample in each.samples]
    backlog = backlog_of(samples, STEADY_AFTER_S, until_s, 99)
    return [
        Compared(THROUGHPUT, at, "messages/s", throughput, found.applied_per_s),
        Compared(BACKLOG, at, "messages", backlog, found.backlog_p99),
    ]


def compared_drain(at: str, runs: Sequence[RealRun], found: Outcome) -> Compared:
    """Compare how long a backlog took after an outage.

    Raises:
        BenchFailed: There was no outage, or the backlog never went away.
    """
    predicted_s = float("inf") if found.drain_s is None else found.drain_s
    return Compared(DRAIN, at, "s", median(map(_drained_s, runs)), predicted_s)


def _drained_s(run: RealRun) -> float:
    if run.outage is None:
        raise BenchFailed("nothing stood still")
    ends_s = run.outage.at_s + run.outage.lasts_s
    took_s = drain_s(run.samples, STEADY_AFTER_S, run.outage.at_s, ends_s)
    if took_s is None:
        raise BenchFailed("the backlog of the outage was never gone: nothing to compare")
    return took_s


def goals_of(compared: Sequence[Compared], *, noisy: bool) -> list[Goal]:
    """Return a goal for each kind of figure: its worst error."""
    worst = {what: max(each.error for each in compared if each.what == what) for what in WITHIN}
    return [
        Goal(
            what,
            worst[what] * 100,
            f"<= {within:.0%} error, the worst",
            worst[what] <= within and not noisy,
        )
        for what, within in WITHIN.items()
    ]


def disturbed(run: RealRun) -> str:
    """Return who else used the machine during a run; empty where nobody did."""
    if run.others > OTHERS_MOST:
        return f"other programs used {run.others:.2f} cores"
    if run.stolen > STOLEN_MOST:
        return f"other machines on this host took {run.stolen:.0%} of the processors' time"
    return ""


def table(compared: Sequence[Compared]) -> Iterator[str]:
    """Yield the lines of the table, with what was missed."""
    yield "| load | figure | measured | predicted | error | |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for each in compared:
        verdict = "met" if each.error <= WITHIN[each.what] else "missed"
        yield (
            f"| {each.at} | {each.what}, {each.unit} | {each.measured:,.4g} |"
            f" {each.predicted:,.4g} | {each.error:.1%} | {verdict} |"
        )
