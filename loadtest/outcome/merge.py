"""Adds up what several machines did of one scenario. Pure."""

from typing import Final

import msgspec

from loadtest.outcome.findings import Findings
from loadtest.outcome.judge import budget_checks, complaints_of, phase_figures
from loadtest.outcome.run import FleetOutcome, LoadRun
from loadtest.outcome.tally import account_from, added
from loadtest.rig.crew import CrewProgress
from loadtest.rig.machine import PartTick
from loadtest.scenario.curve import curve_of
from loadtest.timing import merged

__all__ = ["MergeError", "merge_runs"]

COUNTS: Final = (
    "scheduled", "sent", "acked", "refused", "resent", "lost_connections", "unexpected_acks",
    "late",
)  # fmt: skip


class MergeError(ValueError):
    """Records that are not of one run; the words say why."""


def merge_runs(runs: list[LoadRun]) -> LoadRun:
    """Return the run of which these are the shards.

    Raises:
        MergeError: They are of different scenarios, or not all shards, or one is there twice.
    """
    first = _checked(runs)
    # Without a platform of ours nobody has asked a ledger.
    tallies = [run.tally for run in runs if run.tally is not None]
    tally = added(tallies) if len(tallies) == len(runs) else None
    whole = msgspec.structs.replace(
        first,
        shard=f"0/1 of {len(runs)}",
        processes=sum(run.processes for run in runs),
        connections=sum(run.connections for run in runs),
        connect_s=max(run.connect_s for run in runs),
        dial_failures=sum(run.dial_failures for run in runs),
        seconds=max(run.seconds for run in runs),
        cpu_s=sum(run.cpu_s for run in runs),
        fleets=[_fleet([run.fleets[at] for run in runs]) for at in range(len(first.fleets))],
        lag=merged(run.lag for run in runs),
        history=_history(runs),
        parts=_parts(runs),
        stolen=max(run.stolen for run in runs),
        bottleneck=[f"shard {run.shard}: {words}" for run in runs for words in run.bottleneck],
        tally=tally,
        account=None if tally is None else account_from(tally),
        findings=_findings([run.findings for run in runs if run.findings is not None]),
        catch_up_s=max((run.catch_up_s or 0.0 for run in runs), default=None),
    )
    curves = [curve_of(rule, whole.scenario) for rule in whole.scenario.fleets]
    phases = phase_figures(whole.spans, curves, whole.latency, whole)
    whole = msgspec.structs.replace(whole, phases=phases)
    whole = msgspec.structs.replace(whole, budgets=budget_checks(whole, whole.scenario.budgets))
    return msgspec.structs.replace(whole, complaints=complaints_of(whole))


def _checked(runs: list[LoadRun]) -> LoadRun:
    by_shard = {run.shard: run for run in runs}
    if len(by_shard) < len(runs):
        raise MergeError("one shard is there twice")
    first = runs[0]
    different = [run.shard for run in runs if run.scenario != first.scenario]
    if different:
        raise MergeError(f"shard {different[0]} is of another scenario, or has another seed")
    of = first.shard.partition("/")[2]
    missing = [f"{at}/{of}" for at in range(int(of)) if f"{at}/{of}" not in by_shard]
    if missing:
        raise MergeError(f"not all shards are there: {', '.join(missing)}")
    return by_shard[f"0/{of}"]


def _fleet(parts: list[FleetOutcome]) -> FleetOutcome:
    counts = {name: sum(getattr(part, name) for part in parts) for name in COUNTS}
    return msgspec.structs.replace(
        parts[0],
        **counts,
        latency=merged(part.latency for part in parts),
        service=merged(part.service for part in parts),
    )


def _history(runs: list[LoadRun]) -> list[CrewProgress]:
    """Add up seconds of the same number; a machine that is done already stays as it was."""
    longest = max(len(run.history) for run in runs)
    return [
        _progress([run.history[min(at, len(run.history) - 1)] for run in runs if run.history])
        for at in range(longest)
    ]


def _progress(each: list[CrewProgress]) -> CrewProgress:
    return CrewProgress(
        elapsed_s=max(one.elapsed_s for one in each),
        connected=sum(one.connected for one in each),
        due=sum(one.due for one in each),
        sent=sum(one.sent for one in each),
        acked=sum(one.acked for one in each),
        resent=sum(one.resent for one in each),
        waiting=sum(one.waiting for one in each),
        lost_connections=sum(one.lost_connections for one in each),
        cpu_s=sum(one.cpu_s for one in each),
        lag_s=max(one.lag_s for one in each),
    )


def _parts(runs: list[LoadRun]) -> dict[str, list[PartTick]]:
    """Keep the platform's once, and the generators of each machine under a name of its own."""
    found: dict[str, list[PartTick]] = {}
    for run in runs:
        for name, ticks in run.parts.items():
            ours = name.startswith("generator")
            found.setdefault(f"{name} of {run.shard}" if ours else name, ticks)
    return found


def _findings(each: list[Findings]) -> Findings | None:
    """Add up what machines found: each has looked at devices of its own."""
    if not each:
        return None
    late: dict[str, int] = {}
    for found in each:
        for window, count in found.late.items():
            late[window] = late.get(window, 0) + count
    return Findings(
        devices=sum(found.devices for found in each),
        values=sum(found.values for found in each),
        lost=sum(found.lost for found in each),
        doubled=sum(found.doubled for found in each),
        foreign=sum(found.foreign for found in each),
        changed=sum(found.changed for found in each),
        out_of_order=sum(found.out_of_order for found in each),
        late=late,
        messages_lost=sum(found.messages_lost for found in each),
        lost_messages=[message for found in each for message in found.lost_messages],
        answers=sum(found.answers for found in each),
        answers_wrong=sum(found.answers_wrong for found in each),
        answers_short=sum(found.answers_short for found in each),
        wrong_answers=[words for found in each for words in found.wrong_answers],
    )
