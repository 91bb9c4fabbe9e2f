"""What the simulation is told of a machine: unit costs, and the sizes that the platform works with.

Pure. Costs come from a calibration, or from two runs at different rates by the same arithmetic.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from loadtest.capacity.calibration import (
    MICROS,
    BatchMeans,
    BatchSteps,
    Calibration,
    Checkpoint,
    Line,
    PartRates,
    Step,
    fitted,
    steps_of,
)

__all__ = ["Commits", "Costs", "Design", "costs_of", "costs_of_runs"]

NOTHING: Final = Line(0.0, 0.0)
GENERATOR, GATEWAY, LOG, NODE = "generator", "gateway", "log", "node"


class Design(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes and times of the platform as it comes (docs/decisions/0002, 0007, 0010).

    Attributes:
        shards: Of the log; a gateway has one frame of each on its way.
        frame_bytes, frame_overhead: A frame is sealed at this size; of each message beside its
            topic and payload.
        beat_s: How often a busy connection is read.
        read_out_s: From a beat until its frames go out, full or not.
        linger_s: The same for what was read at once.
        connections: That messages come by; a read of `long_bytes` of each is worth its call, and
            none is held back until the next beat.
        batch_frames, batch_bytes: A batch of ingest has at most so much.
        rest_s: From the beginning of one batch to that of the next, where fewer frames wait.
        ahead_bytes: Frames that ingest reads ahead.
        window: Messages without PUBACK that all devices together have, at most.
    """

    shards: int = 4
    frame_bytes: int = 65_536
    frame_overhead: float = 7.0
    beat_s: float = 0.02
    read_out_s: float = 0.003
    linger_s: float = 0.02
    connections: int = 20
    long_bytes: int = 1_024
    read_bytes: int = 65_536
    batch_frames: int = 64
    batch_bytes: int = 4 * 1024 * 1024
    rest_s: float = 0.1
    ahead_bytes: int = 8 * 1024 * 1024
    window: int = 100_000


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What messages cost on one machine.

    Attributes:
        cores: That everything shares, the generator included.
        generator, gateway, log: Processor time of each.
        reading: Of the node beside its batches: frames from the log, pages, timers.
        work, commit: Processor time of a batch: of decoding, of its commit.
        wait: Of a commit, beside its processor time: for the disk.
        spread: How long commits of one size took, each over the usual one: as many as were seen.
        checkpoint: What a commit does beside now and then.
        message_bytes: Topic and payload.
    """

    cores: int = 2
    generator: Line
    gateway: Line
    log: Line
    reading: Line
    work: Step
    commit: Step
    wait: Step
    spread: tuple[float, ...] = (1.0,)
    checkpoint: Checkpoint | None = None
    message_bytes: float = 160.0


class Commits(msgspec.Struct, frozen=True):
    """How commits differ from the usual one; see `Costs`."""

    spread: Sequence[float] = (1.0,)
    checkpoint: Checkpoint | None = None


def costs_of(
    calibration: Calibration, name: str = "native", *, with_generator: bool = False
) -> Costs:
    """Return what `madina load calibrate` has measured, for messages of one format.

    Args:
        calibration: Of a machine.
        name: The format.
        with_generator: Devices are simulated on the same machine, by `madina load run`.
    """
    codec, batches = calibration.codecs[name], calibration.batches
    # Formats differ in what decoding costs; what was measured of batches is of native messages.
    more_us = codec.ingest_us - calibration.codecs["native"].ingest_us
    work = Step(batches.work.fixed_s, max(0.0, batches.work.us_a_message + more_us))
    lines = {
        GENERATOR: calibration.generator if with_generator else NOTHING,
        GATEWAY: Line(codec.gateway_us, calibration.gateway.fixed_cores),
        LOG: Line(codec.log_us, calibration.log.fixed_cores),
        NODE: Line(codec.ingest_us + codec.store_us, calibration.node.fixed_cores),
    }
    steps = BatchSteps(work, batches.commit, batches.wait)
    commits = Commits(calibration.spread, calibration.checkpoint)
    costs = _costs(lines, steps, commits)
    return msgspec.structs.replace(
        costs, cores=calibration.machine.cores, message_bytes=codec.wire_bytes
    )


def costs_of_runs(
    rates: tuple[PartRates, PartRates], batches: tuple[BatchMeans, BatchMeans], commits: Commits
) -> Costs:
    """Return what two runs at different rates, slow and quick, say.

    Args:
        rates: What generator, gateway, log and node used.
        batches: Of ingest.
        commits: How they differed.
    """
    lines = {part: fitted(*rates, part) for part in (GENERATOR, GATEWAY, LOG, NODE)}
    return _costs(lines, steps_of(*batches), commits)


def _costs(lines: Mapping[str, Line], steps: BatchSteps, commits: Commits) -> Costs:
    node, of_batches = lines[NODE], (steps.work, steps.commit)
    # Of the node's time that is what its batches do not explain.
    beside_us = node.us_a_message - sum(each.us_a_message for each in of_batches)
    if commits.checkpoint is not None:
        beside_us -= commits.checkpoint.cpu_s / commits.checkpoint.messages * MICROS
    batches_per_s = 1 / Design().rest_s
    fixed = node.fixed_cores - batches_per_s * sum(each.fixed_s for each in of_batches)
    return Costs(
        generator=lines[GENERATOR],
        gateway=lines[GATEWAY],
        log=lines[LOG],
        reading=Line(max(0.0, beside_us), max(0.0, fixed)),
        work=steps.work,
        commit=steps.commit,
        wait=steps.wait,
        spread=tuple(commits.spread) or (1.0,),
        checkpoint=commits.checkpoint,
    )
