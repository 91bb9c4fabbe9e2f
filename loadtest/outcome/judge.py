"""Whether a run may be believed, and whether it kept its budgets. Pure."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from loadtest.latency import LatencySummary
from loadtest.outcome.run import BudgetCheck, LoadRun, PhaseFigures
from loadtest.rig.order import WorkerResult, exhausted_words
from loadtest.scenario.curve import RateCurve, Span
from loadtest.scenario.model import Budgets, expected_of, seconds_of
from loadtest.timing import TimingsRecord

__all__ = ["bottlenecks", "budget_checks", "complaints_of", "knee", "phase_figures"]

MS_PER_S: Final = 1_000
# Above it the machine was somebody else's for so long that delays may be theirs.
STOLEN_MAX: Final = 0.05
# A generator that worked all the time had no time to be punctual.
BUSY_MAX: Final = 0.95
# A phase that somebody ended so much too early proves nothing.
CUT_SHORT_S: Final = 1.5


def bottlenecks(
    results: list[WorkerResult], lag: TimingsRecord, stolen: float, budgets: Budgets
) -> list[str]:
    """Return why the generator itself may have been the bottleneck; nothing where it was not."""
    found = [f"the generator had {words}" for words in exhausted_words(results)]
    allowed_ms = seconds_of(budgets.lag_p99) * MS_PER_S
    late = lag.summary()
    if late.p99_ms > allowed_ms:
        found.append(
            f"the generator was {late.p99_ms:.0f} ms late with 1 % of the messages or more"
            f" (budget lag_p99 {allowed_ms:.0f} ms): more `processes`, or a less busy machine"
        )
    busy = [each.worker for each in results if each.cpu_s > BUSY_MAX * each.seconds]
    if busy:
        found.append(f"generator {busy[0]} worked all the time: more `processes`")
    if stolen > STOLEN_MAX:
        found.append(f"other machines on this host took {stolen:.0%} of the processors' time")
    return found


def phase_figures(
    spans: list[Span], curves: list[RateCurve], latency: TimingsRecord, run: LoadRun
) -> list[PhaseFigures]:
    """Return each phase as it went."""
    return [_phase(span, curves, latency, run) for span in spans]


def knee(phases: list[PhaseFigures]) -> PhaseFigures | None:
    """Return the step with the largest rate below the first that did not hold."""
    best: PhaseFigures | None = None
    for phase in phases:
        if "step" not in phase.span.name:
            continue
        if not phase.held:
            break
        best = phase
    return best


def budget_checks(run: LoadRun, budgets: Budgets) -> list[BudgetCheck]:
    """Return every budget that the scenario has, and whether it was kept."""
    puback, reading = run.latency.summary(), run.reading
    visible = reading.visible.summary().p99_ms if reading else None
    fresh = reading.freshness.summary().p99_ms if reading else None
    catch_up = None if run.catch_up_s is None else run.catch_up_s * MS_PER_S
    told = not run.bottleneck
    figures = (
        ("puback_p99", budgets.puback_p99, puback.p99_ms if told else None),
        ("puback_max", budgets.puback_max, puback.max_ms if told else None),
        ("visible_p99", budgets.visible_p99, visible if told else None),
        ("freshness_p99", budgets.freshness_p99, fresh),
        ("catch_up", budgets.catch_up, catch_up),
    )
    checks = [
        BudgetCheck(name, f"<= {limit_ms:g} ms", value, value is not None and value <= limit_ms)
        for name, limit, value in figures
        if limit is not None
        for limit_ms in (seconds_of(limit) * MS_PER_S,)
    ]
    scheduled = run.total("scheduled")
    share = run.total("sent") / scheduled if scheduled else 1.0
    checks.append(BudgetCheck("sent", f">= {budgets.sent:g}", share, share >= budgets.sent))
    if run.scenario.faults:
        checks += _cost_checks(run)
    return [*checks, *_catch_up_checks(run)]


def _cost_checks(run: LoadRun) -> Iterator[BudgetCheck]:
    """Yield what all faults may cost together: nobody can tell which of them lost a message."""
    expected, account = expected_of(run.scenario.faults), run.account
    figures = [
        ("lost", expected.lost, None if account is None else account.lost),
        ("difference", expected.difference, None if account is None else account.difference),
    ]
    for name, most, count in figures:
        met = count is not None and count <= most
        yield BudgetCheck(f"faults: {name}", f"<= {most}", count, met)


def _catch_up_checks(run: LoadRun) -> Iterator[BudgetCheck]:
    for at, fault in enumerate(run.scenario.faults):
        if fault.expect.catch_up is None:
            continue
        most_s = seconds_of(fault.expect.catch_up)
        took_s = run.faults[at].catch_up_s if at in run.faults else None
        met = took_s is not None and took_s <= most_s
        yield BudgetCheck(f"{fault.name}: catch_up", f"<= {most_s:g} s", took_s, met)


def complaints_of(run: LoadRun) -> list[str]:
    """Return why a run failed; nothing where it did not."""
    return [*_complaints(run)]


def _complaints(run: LoadRun) -> Iterator[str]:
    expected = expected_of(run.scenario.faults)
    if run.account is not None:
        yield from run.account.complaints(expected)
    if run.findings is not None:
        yield from run.findings.complaints(expected)
    if run.account is None:
        silent = sum(each.sent - each.acked for each in run.fleets if each.qos)
        if silent:
            yield f"{silent} messages have no PUBACK"
    # Steps go on until something gives: that is what they are for.
    steps = any("step" in phase.span.name for phase in run.phases)
    for check in run.budgets:
        if not check.met and not (steps and not check.name.startswith("faults: ")):
            shown = "not told" if check.measured is None else f"{check.measured:.4g}"
            yield f"budget {check.name}: {shown}, wanted {check.wanted}"
    yield from run.bottleneck


def _phase(
    span: Span, curves: list[RateCurve], latency: TimingsRecord, run: LoadRun
) -> PhaseFigures:
    seconds = span.end_s - span.start_s
    due = sum(curve.due(span.end_s) - curve.due(span.start_s) for curve in curves)
    rate = due / seconds if seconds else 0.0
    summary = _summary(latency, span)
    limit = run.scenario.budgets.puback_p99
    quick = limit is None or summary.p99_ms <= seconds_of(limit) * MS_PER_S
    during = [each for each in run.history if span.start_s < each.elapsed_s <= span.end_s + 1.0]
    waiting = during[-1].waiting if during else 0
    reached = bool(run.history) and run.history[-1].elapsed_s > span.end_s - CUT_SHORT_S
    return PhaseFigures(span, rate, summary, quick and reached and waiting <= max(rate, 10.0))


def _summary(latency: TimingsRecord, span: Span) -> LatencySummary:
    """Return the percentiles of what was due in a phase, to 1 %."""
    first = int(span.start_s // latency.interval_s)
    last = int(np.ceil(span.end_s / latency.interval_s))
    counts: dict[int, int] = {}
    for number in range(first, last):
        for value, count in latency.intervals.get(number, {}).items():
            counts[value] = counts.get(value, 0) + count
    if not counts:
        return LatencySummary(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    values = np.array(sorted(counts), dtype=np.float64)
    weights = np.array([counts[int(value)] for value in values])
    reached = np.cumsum(weights)
    total = int(reached[-1])
    p50, p90, p99, p99_9 = (
        float(values[np.searchsorted(reached, np.ceil(share * total))]) / MS_PER_S
        for share in (0.5, 0.9, 0.99, 0.999)
    )
    mean = float((values * weights).sum() / total) / MS_PER_S
    return LatencySummary(total, mean, p50, p90, p99, p99_9, float(values[-1]) / MS_PER_S)
