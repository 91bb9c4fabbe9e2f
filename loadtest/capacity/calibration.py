"""What one message costs here: the record that `madina load calibrate` keeps, and its arithmetic.

Pure. A part's use of processors is taken as a line over the rate: cores = fixed + cost x rate. What
is fixed (timers, commits that come ten times a second) does not grow with a city.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from loadtest.rig.machine import Machine, PartTick

__all__ = [
    "FORMAT",
    "BatchMeans",
    "BatchSteps",
    "BrokerCost",
    "Calibration",
    "Checkpoint",
    "CodecCost",
    "Commits",
    "Line",
    "PartRates",
    "Step",
    "above_fixed_us",
    "fitted",
    "part_rates",
    "steps_of",
]

FORMAT: Final = 2
MICROS: Final = 1e6
# What processes do on their first messages only is left out.
WARM_S: Final = 1.2


class PartRates(msgspec.Struct, frozen=True):
    """One run at a steady rate.

    Attributes:
        messages_per_s: Acknowledged.
        cores: Processor seconds a second, by process.
        rss_bytes: Memory at its end, by process.
    """

    messages_per_s: float
    cores: dict[str, float]
    rss_bytes: dict[str, int]


class Line(msgspec.Struct, frozen=True):
    """Use of processors over the rate.

    Attributes:
        us_a_message: Microseconds of processor time each message adds.
        fixed_cores: Cores in use however few messages come.
    """

    us_a_message: float
    fixed_cores: float

    def cores(self, messages_per_s: float) -> float:
        """Return the cores in use at a rate."""
        return self.fixed_cores + messages_per_s * self.us_a_message / MICROS


class Step(msgspec.Struct, frozen=True):
    """What a batch takes by its messages.

    Attributes:
        fixed_s: However few there are.
        us_a_message: Microseconds that each adds.
    """

    fixed_s: float
    us_a_message: float

    def seconds(self, messages: float) -> float:
        """Return how long a batch of so many messages takes."""
        return self.fixed_s + messages * self.us_a_message / MICROS


class BatchMeans(msgspec.Struct, frozen=True):
    """The usual batch of ingest in one run.

    Attributes:
        messages: In it.
        commit_s: How long its commit took.
        work_cpu_s, commit_cpu_s: Processor time of decoding and commit, in ingest's thread.
    """

    messages: float
    commit_s: float
    work_cpu_s: float
    commit_cpu_s: float


class Checkpoint(msgspec.Struct, frozen=True):
    """What the store does now and then in a commit: it writes its log into its file.

    Attributes:
        messages: Between two of them.
        cpu_s, wait_s: What it adds to that commit: processor time, and waiting for the disk.
    """

    messages: float
    cpu_s: float
    wait_s: float


class BatchSteps(msgspec.Struct, frozen=True):
    """What batches take by their messages.

    Attributes:
        work, commit: Processor time of decoding and commit, in ingest's thread.
        wait: Of a commit beside that: for the disk, and for the store's own threads.
    """

    work: Step
    commit: Step
    wait: Step


class Commits(msgspec.Struct, frozen=True):
    """Batches of ingest, as its metrics said several times a second.

    Attributes:
        commit_share: Share of the store's commit in the time of a batch; the rest is ingest.
        looks: How many times was looked.
    """

    commit_share: float
    looks: int


class CodecCost(msgspec.Struct, frozen=True):
    """A message of one format, in microseconds of processor time.

    Attributes:
        wire_bytes: Topic and payload.
        observations: That are stored of a message.
    """

    gateway_us: float
    log_us: float
    ingest_us: float
    store_us: float
    wire_bytes: float
    observations: float


class BrokerCost(msgspec.Struct, frozen=True):
    """A broker that stands between devices and bridge, QoS 1.

    Attributes:
        us_a_message: In from a device and out to one subscriber.
        messages_per_core_s: What one busy core of it passes on.
    """

    name: str
    us_a_message: float
    messages_per_core_s: float


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured, on which machine.

    Attributes:
        made_at: UTC, ISO 8601.
        revision: Version of the program.
        gateway: With devices multiplexed, as behind concentrators.
        own_connection: The gateway where each device has a connection and each message is a read of
            its own.
        log, node: As `gateway`, of the log's server, and of ingest, store and services together.
        generator: Of the load itself, as `gateway`: on one machine it takes its share.
        batches: What a batch of ingest takes, native messages.
        spread: How long commits of one size took, each over the usual one.
        checkpoint: None where none was seen.
        codecs: By format; native is among them.
        commits: How the node's time parts into ingest and store.
        stored_bytes: What an observation adds to the store's file.
        connection_bytes: Memory of the gateway for each connection.
        resident_bytes: Memory of each part at the end, by name.
        broker: None where none is installed.
    """

    format: int = FORMAT
    store: Literal["duckdb"] = "duckdb"
    made_at: str
    revision: str
    machine: Machine
    seconds: float
    gateway: Line
    own_connection: Line
    log: Line
    node: Line
    generator: Line
    batches: BatchSteps
    spread: list[float]
    checkpoint: Checkpoint | None
    codecs: dict[str, CodecCost]
    commits: Commits
    stored_bytes: float
    connection_bytes: int
    resident_bytes: dict[str, int]
    broker: BrokerCost | None


def part_rates(
    parts: Mapping[str, Sequence[PartTick]], acked: Mapping[float, int], until_s: float
) -> PartRates | None:
    """Return what each process used over the steady part of a run.

    Args:
        parts: Looks at each process.
        acked: Acknowledged messages, by the same moments (seconds since the first one was due).
        until_s: When the last message was due.

    Returns:
        None where fewer than two looks are steady.
    """
    moments = sorted(each for each in acked if WARM_S <= each <= until_s)
    if len(moments) < 2:  # noqa: PLR2004 - a difference needs two
        return None
    first, last = moments[0], moments[-1]
    lasted_s = last - first
    cores: dict[str, float] = {}
    memory: dict[str, int] = {}
    for name, ticks in parts.items():
        by_moment = {tick.elapsed_s: tick for tick in ticks}
        if first in by_moment and last in by_moment:
            cores[name] = (by_moment[last].cpu_s - by_moment[first].cpu_s) / lasted_s
            memory[name] = by_moment[last].rss_bytes
    return PartRates((acked[last] - acked[first]) / lasted_s, cores, memory)


def fitted(slow: PartRates, quick: PartRates, part: str) -> Line:
    """Return the line through two runs; nothing of it is below 0.

    Args:
        slow: At a low rate.
        quick: At a higher one.
        part: What the names of its processes begin with.
    """
    low, high = _cores(slow, part), _cores(quick, part)
    slope = (high - low) / (quick.messages_per_s - slow.messages_per_s)
    fixed = low - slope * slow.messages_per_s
    if fixed < 0 or slope <= 0:
        # Ticks of 10 ms: all of it is then counted as growing, which promises nothing too much.
        return Line(high / quick.messages_per_s * MICROS, 0.0)
    return Line(slope * MICROS, fixed)


def steps_of(slow: BatchMeans, quick: BatchMeans) -> BatchSteps:
    """Return the lines through the batches of two runs; nothing of them is below 0."""

    def step(short_s: float, long_s: float) -> Step:
        slope = (long_s - short_s) / (quick.messages - slow.messages)
        fixed_s = short_s - slope * slow.messages
        if slope < 0 or fixed_s < 0:
            return Step(0.0, long_s / quick.messages * MICROS)
        return Step(fixed_s, slope * MICROS)

    return BatchSteps(
        step(slow.work_cpu_s, quick.work_cpu_s),
        step(slow.commit_cpu_s, quick.commit_cpu_s),
        step(slow.commit_s - slow.commit_cpu_s, quick.commit_s - quick.commit_cpu_s),
    )


def above_fixed_us(run: PartRates, part: str, line: Line) -> float:
    """Return microseconds a message of a part in a run, without what is fixed."""
    used = max(0.0, _cores(run, part) - line.fixed_cores)
    return used / run.messages_per_s * MICROS


def _cores(run: PartRates, part: str) -> float:
    return sum(used for name, used in run.cores.items() if name.startswith(part))
