"""Runs a simulation and says what came of it."""

from collections.abc import Generator
from typing import Any, Final

import msgspec
import simpy

from loadtest.simulate.backlog import Sample, applied_per_s, backlog_of, drain_s
from loadtest.simulate.costs import Costs, Design
from loadtest.simulate.load import Load, checked
from loadtest.simulate.pipeline import Pipeline

__all__ = ["Outcome", "Queues", "saturation_per_s", "simulate"]

LOOK_S: Final = 0.01
# What begins with empty queues is not steady yet.
STEADY_AFTER_S: Final = 1.0
# After the last message is due; a machine that has not applied all by then never will.
PATIENCE_S: Final = 3_600.0
FLOOD_S: Final = 10.0
FLOOD_PER_S: Final = 2_000_000.0
MEDIAN, RARE = 50.0, 99.0


class Queues(msgspec.Struct, frozen=True):
    """Where messages wait at one instant.

    Attributes:
        devices: Due, not sent.
        gateway: Sent, not on the log.
        log: On the log, not read by ingest.
        ingest: Read, not applied.
    """

    elapsed_s: float
    devices: int
    gateway: int
    log: int
    ingest: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the simulation of one load came to.

    Attributes:
        applied_per_s: While messages were due.
        backlog_p50, backlog_p99: Messages that are due and not applied, while they were due and
            nothing stood still.
        drain_s: From the end of the last standstill until the backlog was usual again; None where
            nothing stood still, or it never was.
        lost_capacity: Messages that the machine could have applied while a part stood still.
        cores: In use, in the mean, until all was applied.
        lasted_s: Until all was applied; None where it could not be.
        samples, queues: Over time.
    """

    load: Load
    costs: Costs
    saturation_per_s: float
    applied_per_s: float
    backlog_p50: float
    backlog_p99: float
    drain_s: float | None
    lost_capacity: float
    cores: float
    lasted_s: float | None
    samples: list[Sample]
    queues: list[Queues]


def simulate(load: Load, costs: Costs, design: Design | None = None, seed: int = 1) -> Outcome:
    """Let a load meet a machine.

    Args:
        load: What comes.
        costs: Of the machine.
        design: Of the platform; None: as it comes.
        seed: For how long each commit takes.

    Raises:
        LoadError: The load means nothing.
    """
    design = design or Design()
    pipeline, samples, queues = _run(checked(load), costs, design, seed)
    most_per_s = saturation_per_s(costs, design, seed)
    begins_s = min((each.at_s for each in load.standstills), default=load.seconds)
    ends_s = max((each.ends_s for each in load.standstills), default=None)
    done = pipeline.applied >= int(load.due(load.seconds))
    return Outcome(
        load=load,
        costs=costs,
        saturation_per_s=most_per_s,
        applied_per_s=applied_per_s(samples, STEADY_AFTER_S, load.seconds),
        backlog_p50=backlog_of(samples, STEADY_AFTER_S, begins_s, MEDIAN),
        backlog_p99=backlog_of(samples, STEADY_AFTER_S, begins_s, RARE),
        drain_s=None if ends_s is None else drain_s(samples, STEADY_AFTER_S, begins_s, ends_s),
        lost_capacity=most_per_s * sum(each.lasts_s for each in load.standstills),
        cores=pipeline.cores.used_s / pipeline.env.now,
        lasted_s=pipeline.env.now if done else None,
        samples=samples,
        queues=queues,
    )


def saturation_per_s(costs: Costs, design: Design | None = None, seed: int = 1) -> float:
    """Return how many messages a second are applied where far too many come."""
    load = Load(rate_per_s=FLOOD_PER_S, seconds=FLOOD_S)
    pipeline = Pipeline(load, costs, design or Design(), seed)
    pipeline.env.run(until=FLOOD_S)
    steady = [each for each in pipeline.commits if each[0] >= STEADY_AFTER_S]
    if len(steady) < 2:  # noqa: PLR2004 - a rate needs two
        return pipeline.applied / FLOOD_S
    (first_s, first), (last_s, last) = steady[0], steady[-1]
    return (last - first) / (last_s - first_s)


def _run(
    load: Load, costs: Costs, design: Design, seed: int
) -> tuple[Pipeline, list[Sample], list[Queues]]:
    pipeline = Pipeline(load, costs, design, seed)
    samples: list[Sample] = []
    queues: list[Queues] = []
    total = int(load.due(load.seconds))
    over = pipeline.env.event()

    def look() -> Generator[simpy.Event, Any, None]:
        while pipeline.applied < total and pipeline.env.now < load.seconds + PATIENCE_S:
            _note(pipeline, load, samples, queues)
            yield pipeline.env.timeout(LOOK_S)
        _note(pipeline, load, samples, queues)
        over.succeed()

    pipeline.env.process(look())
    pipeline.env.run(until=over)
    return pipeline, samples, queues


def _note(pipeline: Pipeline, load: Load, samples: list[Sample], queues: list[Queues]) -> None:
    now_s = pipeline.env.now
    due = int(load.due(now_s))
    samples.append(Sample(now_s, due, pipeline.applied))
    waiting = pipeline.log.messages
    queues.append(
        Queues(
            now_s,
            due - pipeline.sent,
            pipeline.sent - pipeline.logged,
            waiting,
            pipeline.logged - waiting - pipeline.applied,
        )
    )
