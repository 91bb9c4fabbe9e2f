"""What batches of ingest take, from its counters as `/metrics` tells them again and again. Pure.

Most commits of one size take about the same; now and then one also writes the store's log into its
file (a checkpoint, each so many bytes), which takes several times as long. The two are told apart.
"""

import statistics
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from loadtest.capacity.calibration import BatchMeans, Checkpoint

__all__ = ["Batch", "Look", "batches_alone", "checkpoint_of", "look_of", "spread_of", "typical"]

NAMES: Final = (
    "batches", "messages", "committed_seconds", "worked_cpu_seconds", "committed_cpu_seconds",
)  # fmt: skip
# A commit that takes so many times the usual processor time, and so much at least, did more.
TIMES: Final = 2.5
LEAST_S: Final = 0.01


class Look(msgspec.Struct, frozen=True):
    """Ingest at one instant; sums since its start.

    Attributes:
        at_s: On any clock that only goes forward.
        committed_s: How long commits took.
        worked_cpu_s, committed_cpu_s: Processor time of decoding and commits, in ingest's thread.
    """

    at_s: float
    batches: int
    messages: int
    committed_s: float
    worked_cpu_s: float
    committed_cpu_s: float

    def since(self, before: "Look") -> "Look":
        """Return what came between another look and this one."""
        late, early = msgspec.structs.astuple(self), msgspec.structs.astuple(before)
        return Look(*(after - first for after, first in zip(late, early, strict=True)))


class Batch(msgspec.Struct, frozen=True):
    """One batch."""

    messages: int
    commit_s: float
    work_cpu_s: float
    commit_cpu_s: float


def look_of(text: str, at_s: float) -> Look:
    """Read the counters in what `/metrics` answers.

    Raises:
        KeyError: They are not in it.
    """
    values = dict(each.rsplit(" ", 1) for each in text.splitlines() if each[:1] not in {"#", ""})
    batches, messages, *sums = (float(values[f"madina_ingest_{name}_total"]) for name in NAMES)
    return Look(at_s, int(batches), int(messages), *sums)


def batches_alone(looks: Sequence[Look]) -> list[Batch]:
    """Return the batches that were seen alone: one was committed between two looks."""
    between = (after.since(before) for before, after in pairwise(looks))
    return [
        Batch(each.messages, each.committed_s, each.worked_cpu_s, each.committed_cpu_s)
        for each in between
        if each.batches == 1
    ]


def typical(batches: Sequence[Batch]) -> BatchMeans:
    """Return the usual batch: the medians, so that no checkpoint counts."""
    return BatchMeans(
        statistics.median(each.messages for each in batches),
        statistics.median(each.commit_s for each in batches),
        statistics.median(each.work_cpu_s for each in batches),
        statistics.median(each.commit_cpu_s for each in batches),
    )


def checkpoint_of(batches: Sequence[Batch]) -> Checkpoint | None:
    """Return how often a commit did more than usual, and how much; None where none did.

    Args:
        batches: Of one rate.
    """
    usual = typical(batches)
    found = [each for each in batches if _is_more(each, usual)]
    if not found:
        return None
    cpu_s = statistics.median(each.commit_cpu_s - usual.commit_cpu_s for each in found)
    whole_s = statistics.median(each.commit_s - usual.commit_s for each in found)
    messages = sum(each.messages for each in batches) / len(found)
    return Checkpoint(messages, cpu_s, max(0.0, whole_s - cpu_s))


def spread_of(batches: Sequence[Batch]) -> list[float]:
    """Return how long each commit took over the usual one, checkpoints left out."""
    usual = typical(batches)
    return [each.commit_s / usual.commit_s for each in batches if not _is_more(each, usual)]


def _is_more(batch: Batch, usual: BatchMeans) -> bool:
    return batch.commit_cpu_s > max(TIMES * usual.commit_cpu_s, usual.commit_cpu_s + LEAST_S)
