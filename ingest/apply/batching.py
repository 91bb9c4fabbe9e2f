"""From a stretch of the log to what a batch holds: fast path, single messages, verdicts, sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from city.flags import Flag
from ingest.apply.entries import held_entry, partial_entry
from ingest.apply.rows import Rows, join_rows
from ingest.apply.tally import Outcome, Tally
from ingest.apply.watermarks import Verdict

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingest.apply.decide import Decision
    from ingest.apply.memory import Memory
    from ingest.apply.rows import Row
    from ingest.apply.stretch import Message, Stretch
    from store.interface import QuarantineEntry

__all__ = ["Digest", "digest"]


class Digest(msgspec.Struct, frozen=True):
    """What a stretch comes to.

    Attributes:
        rows: Every observation that could be one.
        verdicts: `Verdict` of each of them (n,).
    """

    tally: Tally
    rows: Rows
    verdicts: npt.NDArray[np.uint8]
    entries: list[QuarantineEntry]


def digest(stretch: Stretch, memory: Memory) -> Digest:
    """Decide every message of a stretch; moves memory on, so the result has to be written."""
    tally = Tally.empty(len(stretch))
    part = memory.fast.take(stretch, memory.router)
    tally.group[part.places] = part.groups
    single: list[Row] = []
    decisions: list[tuple[Message, Decision]] = []
    for place in part.others:
        message = stretch.message(place)
        decision = memory.decider.decide(message, memory.router)
        decisions.append((message, decision))
        single += decision.rows
        _count(tally, place, memory.groups.number(decision.provider, decision.route), decision)
    rows = join_rows(part.rows, single)
    verdicts = memory.watermarks.judge(rows)
    rows.flag[verdicts == Verdict.CONFLICT] = Flag.FAIL
    _settle(tally, rows, verdicts)
    return Digest(tally, rows, verdicts, _entries(tally, decisions))


def _count(tally: Tally, place: int, group: int, decision: Decision) -> None:
    tally.group[place] = group
    tally.rejected[place] = len(decision.rejected)
    tally.duplicate[place] = decision.repeated
    if decision.refused is not None:
        tally.outcome[place] = Outcome.QUARANTINED


def _settle(tally: Tally, rows: Rows, verdicts: npt.NDArray[np.uint8]) -> None:
    """Count what became of the observations; a message that brought nothing new is a duplicate."""
    for column, chosen in (
        (tally.stored, verdicts != Verdict.DUPLICATE),
        (tally.duplicate, verdicts == Verdict.DUPLICATE),
        (tally.conflict, verdicts == Verdict.CONFLICT),
    ):
        column[:] = column + np.bincount(rows.message[chosen], minlength=len(column))
    tally.outcome[(tally.duplicate > 0) & (tally.stored == 0)] = Outcome.DUPLICATE


def _entries(tally: Tally, decisions: list[tuple[Message, Decision]]) -> list[QuarantineEntry]:
    entries: list[QuarantineEntry] = []
    for message, decision in decisions:
        if decision.refused is not None:
            entries.append(held_entry(message, decision))
        elif decision.rejected and tally.outcome[message.place] == Outcome.ACCEPTED:
            entries.append(partial_entry(message, decision))
    return entries
