"""Observations that a store will never take: rejected with its words, the rest goes on.

Their messages wait in quarantine, so that they are stored once the store has been mended.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from city.reasons import ObservationReason
from ingest.apply.decide import Decision
from ingest.apply.routing import NATIVE
from ingest.apply.watermarks import Verdict
from ingest.codecs.seam import Rejection

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingest.apply.memory import Memory
    from ingest.apply.rows import Rows
    from ingest.apply.said import Said
    from ingest.apply.stretch import Message, Stretch
    from ingest.apply.watermarks import Watermarks
    from store.interface import RowsRefusedError

__all__ = ["Refusals", "judge", "refused_decisions", "refused_rows", "rejections", "with_refused"]

# The store's words by row.
Refusals = Mapping[int, str]


def refused_rows(
    verdicts: npt.NDArray[np.uint8], error: RowsRefusedError, known: Refusals
) -> Refusals:
    """Return all refused rows: those known before, and those of a batch's two tables."""
    found = dict(known)
    for verdict, words in (
        (Verdict.STORED, error.observations),
        (Verdict.CONFLICT, error.conflicts),
    ):
        rows: list[int] = np.flatnonzero(verdicts == verdict).tolist()
        found |= {rows[at]: text for at, text in words.items()}
    return found


def judge(watermarks: Watermarks, rows: Rows, refusals: Refusals) -> npt.NDArray[np.uint8]:
    """Return a `Verdict` for each row (n,); the refused ones are as if they had not come."""
    if not refusals:
        return watermarks.judge(rows)
    verdicts = np.full(len(rows), Verdict.REFUSED, np.uint8)
    kept = np.ones(len(rows), np.bool_)
    kept[list(refusals)] = False
    verdicts[kept] = watermarks.judge(rows.at(np.flatnonzero(kept)))
    return verdicts


def refused_decisions(
    stretch: Stretch,
    said: Said,
    memory: Memory,
    refusals: Refusals,
) -> list[tuple[Message, Decision]]:
    """Return the decisions with what the store refuses, also of messages that were decided fast."""
    rows, decisions = said.rows, said.decisions
    if not refusals:
        return decisions
    refused = rejections(rows, memory, refusals)
    found = [
        (message, with_refused(decision, refused.pop(message.place, [])))
        for message, decision in decisions
    ]
    for place, rejected in refused.items():
        provider, route = memory.groups.name(int(said.tally.group[place]))
        device = _device(int(rows.series[rows.message == place][0]), memory)
        decision = Decision(provider, route, NATIVE, device, rejected=rejected)
        found.append((stretch.message(place), decision))
    return found


def with_refused(decision: Decision, rejected: list[Rejection]) -> Decision:
    """Return a decision with some more rejections."""
    if not rejected:
        return decision
    return msgspec.structs.replace(decision, rejected=[*decision.rejected, *rejected])


def rejections(rows: Rows, memory: Memory, refusals: Refusals) -> dict[int, list[Rejection]]:
    """Return what is refused of each message, by its position."""
    found: dict[int, list[Rejection]] = {}
    for row, words in sorted(refusals.items()):
        _, quantity = memory.book.name(int(rows.series[row]))
        rejection = Rejection(quantity, ObservationReason.STORE_REFUSED, f"{quantity}: {words}")
        found.setdefault(int(rows.message[row]), []).append(rejection)
    return found


def _device(series: int, memory: Memory) -> str:
    slot, _ = memory.book.name(series)
    return memory.view.name(slot)[1]
