"""From a stretch of the log to what a batch holds: fast path, single messages, verdicts, sums.

In two steps: what messages say, and what becomes of their observations. The second is done again
where the store refuses some of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from city.flags import Flag
from ingest.apply.entries import held_entry, partial_entry
from ingest.apply.refusing import judge, refused_decisions
from ingest.apply.rows import Rows, join_rows
from ingest.apply.said import Said
from ingest.apply.tally import Outcome, Tally
from ingest.apply.watermarks import Verdict

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingest.apply.decide import Decision
    from ingest.apply.memory import Memory
    from ingest.apply.refusing import Refusals
    from ingest.apply.rows import Row
    from ingest.apply.stretch import Message, Stretch
    from store.interface import QuarantineEntry

__all__ = ["Digest", "digest", "settle"]


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


def digest(stretch: Stretch, memory: Memory) -> Said:
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
    return Said(tally, join_rows(part.rows, single), decisions)


def settle(stretch: Stretch, said: Said, memory: Memory, refusals: Refusals) -> Digest:
    """Say what becomes of every observation; moves watermarks on.

    Args:
        stretch: The messages.
        said: What they say.
        memory: What is known.
        refusals: Rows that the store will not take.
    """
    verdicts = judge(memory.watermarks, said.rows, refusals)
    flag = np.where(verdicts == Verdict.CONFLICT, Flag.FAIL, said.rows.flag).astype(np.uint8)
    rows = msgspec.structs.replace(said.rows, flag=flag)
    decisions = refused_decisions(stretch, said, memory, refusals)
    tally = _settled(said.tally, rows, verdicts)
    return Digest(tally, rows, verdicts, _entries(tally, decisions))


def _count(tally: Tally, place: int, group: int, decision: Decision) -> None:
    tally.group[place] = group
    tally.rejected[place] = len(decision.rejected)
    tally.duplicate[place] = decision.repeated
    if decision.refused is not None:
        tally.outcome[place] = Outcome.QUARANTINED


def _settled(tally: Tally, rows: Rows, verdicts: npt.NDArray[np.uint8]) -> Tally:
    """Count what became of the observations; a message that brought nothing new is a duplicate."""
    stored, duplicate, conflict, refused = (
        np.bincount(rows.message[verdicts == verdict], minlength=len(tally.group))
        for verdict in (Verdict.STORED, Verdict.DUPLICATE, Verdict.CONFLICT, Verdict.REFUSED)
    )
    stored = tally.stored + stored + conflict
    duplicate = tally.duplicate + duplicate
    # What the store refuses is new, whatever stands beside it.
    again = (duplicate > 0) & (stored == 0) & (refused == 0)
    return Tally(
        group=tally.group,
        outcome=np.where(again, Outcome.DUPLICATE, tally.outcome).astype(np.uint8),
        stored=stored,
        duplicate=duplicate,
        rejected=tally.rejected + refused,
        conflict=tally.conflict + conflict,
    )


def _entries(tally: Tally, decisions: list[tuple[Message, Decision]]) -> list[QuarantineEntry]:
    entries: list[QuarantineEntry] = []
    for message, decision in decisions:
        if decision.refused is not None:
            entries.append(held_entry(message, decision))
        elif decision.rejected and tally.outcome[message.place] == Outcome.ACCEPTED:
            entries.append(partial_entry(message, decision))
    return entries
