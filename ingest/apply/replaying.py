"""Replays and drops: what a person asked of the quarantine, done where the log says so.

Counts move from one column of the ledger to another in the minute in which the message came, so
every message stays counted once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from city.frame import ControlKind
from city.reasons import ObservationReason
from city.replay import ReplayRequest, decode_request
from city.scope import EVERYTHING
from ingest.apply.entries import is_whole, message_of
from ingest.apply.refusing import judge, rejections, with_refused
from ingest.apply.rows import Rows, join_rows, rows_of
from ingest.apply.watermarks import Verdict
from store.interface import ORIGIN_SHARDS, LedgerRow, QuarantineQuery, Resolution

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from city.frame import Control
    from ingest.apply.decide import Decision
    from ingest.apply.memory import Memory
    from ingest.apply.refusing import Refusals
    from ingest.apply.rows import Row
    from store.interface import QuarantineEntry, Store

__all__ = ["Resolved", "Tried", "decided", "resolve"]

# Entries of one batch; a city that accepts a thousand devices at once has many batches.
ENTRIES: Final = 5_000
HELD: Final = "held"
PARTIAL: Final = "partial"


class Resolved(msgspec.Struct, frozen=True):
    """What some entries came to; goes into one batch."""

    ledger: list[LedgerRow]
    resolutions: list[Resolution]
    rows: Rows
    verdicts: npt.NDArray[np.uint8]


class _Try(msgspec.Struct, frozen=True):
    """One entry, decided again."""

    entry: QuarantineEntry
    decision: Decision


class Tried(msgspec.Struct, frozen=True):
    """Some entries that a request is about, and what their messages say now.

    Attributes:
        dropped: Resolutions of a drop; then nothing else is there.
        rows: Every observation that could be one; a row's message is the position in `tries`.
    """

    now_us: int
    dropped: list[Resolution] = []
    tries: list[_Try] = []
    rows: Rows = msgspec.field(default_factory=lambda: rows_of([]))


def resolve(store: Store, memory: Memory, origin: int, control: Control) -> Iterator[Tried]:
    """Do what a record of a frame asks of its shard's entries, a batch's worth at a time.

    Yields only once the batch before was written: what it resolved is not asked for again.

    Raises:
        msgspec.MsgspecError: If the record's detail is no request.
    """
    request = decode_request(control.detail)
    states = (HELD, PARTIAL) if control.kind is ControlKind.REPLAY else (HELD,)
    for state in states:
        before: str | None = None
        while entries := _page(store, request, origin % ORIGIN_SHARDS, state, before):
            before = entries[-1].id
            if control.kind is ControlKind.DROP:
                yield _dropped(entries, control.received_us)
            else:
                yield _replayed(memory, entries, origin, control.received_us)


def _page(
    store: Store, request: ReplayRequest, shard: int, state: str, before: str | None
) -> list[QuarantineEntry]:
    query = QuarantineQuery(
        state=state,
        reason=request.reason,
        provider=request.provider,
        device=request.device,
        route=request.route,
        shard=shard,
        ids=request.ids,
        limit=ENTRIES,
        before=before,
    )
    return store.quarantine(EVERYTHING, query)


def decided(tried: Tried, memory: Memory, refusals: Refusals) -> Resolved:
    """Say what becomes of entries and their observations; moves watermarks on.

    Args:
        tried: The entries.
        memory: What is known.
        refusals: Rows that the store will not take.
    """
    rows = tried.rows
    verdicts = judge(memory.watermarks, rows, refusals)
    refused = rejections(rows, memory, refusals)
    sums = [
        np.bincount(rows.message[verdicts == verdict], minlength=len(tried.tries)).tolist()
        for verdict in (Verdict.STORED, Verdict.DUPLICATE, Verdict.CONFLICT)
    ]
    ledger: list[LedgerRow] = []
    resolutions = [*tried.dropped]
    for place, (each, stored, duplicate, conflict) in enumerate(
        zip(tried.tries, *sums, strict=True)
    ):
        decision = with_refused(each.decision, refused.get(place, []))
        told = _Try(each.entry, decision)
        resolutions.append(_resolution(told, tried.now_us))
        move = _completed if each.entry.state == PARTIAL else _accepted
        ledger += move(told, stored + conflict, duplicate + decision.repeated, conflict)
    return Resolved(ledger, resolutions, rows, verdicts)


def _dropped(entries: list[QuarantineEntry], now_us: int) -> Tried:
    """A dropped message stays counted as quarantined: it was never accepted.

    What came after the request was not meant, also where the log is read a second time.
    """
    resolutions = [
        Resolution(each.id, "dropped", resolved_us=now_us)
        for each in entries
        if each.received_us <= now_us
    ]
    return Tried(now_us, resolutions)


def _replayed(memory: Memory, entries: list[QuarantineEntry], origin: int, now_us: int) -> Tried:
    # In the order in which the messages came, whatever the order of the list.
    ordered = [
        each for each in sorted(entries, key=lambda each: each.received_us) if is_whole(each)
    ]
    tries: list[_Try] = []
    single: list[Row] = []
    for place, entry in enumerate(ordered):
        message, partial = message_of(entry, place, origin), entry.state == PARTIAL
        decision = memory.decider.decide(message, memory.router, again=True, partial=partial)
        tries.append(_Try(entry, decision))
        single += decision.rows
    return Tried(now_us, tries=tries, rows=join_rows(rows_of([]), single))


def _resolution(each: _Try, now_us: int) -> Resolution:
    decision = each.decision
    if decision.refused is not None:
        error = decision.refused
        # What was accepted in part stays so: its message is counted where it is.
        state = PARTIAL if each.entry.state == PARTIAL else HELD
        return Resolution(each.entry.id, state, error.reason.value, error.words, now_us)
    if decision.rejected:
        first = decision.rejected[0]
        words = f"{len(decision.rejected)} observations rejected; the first: {first.words}"
        return Resolution(each.entry.id, PARTIAL, first.reason.value, words, now_us)
    return Resolution(each.entry.id, "replayed", resolved_us=now_us)


def _accepted(each: _Try, stored: int, duplicate: int, conflict: int) -> list[LedgerRow]:
    """Move a held message to where it belongs now; one that is refused again stays."""
    entry, decision = each.entry, each.decision
    if decision.refused is not None:
        return []
    rejected = len(decision.rejected)
    again = duplicate > 0 and stored == 0 and not _is_refused(decision)
    return [
        LedgerRow(entry.shard, entry.minute_us, entry.provider, entry.route, quarantined=-1),
        LedgerRow(
            entry.shard,
            entry.minute_us,
            decision.provider,
            decision.route,
            accepted=int(not again),
            duplicate=int(again),
            decoded=stored + duplicate + rejected,
            stored=stored,
            duplicate_observations=duplicate,
            rejected=rejected,
            conflict=conflict,
        ),
    ]


def _is_refused(decision: Decision) -> bool:
    """Say whether the store will not take some of it: that is new, whatever stands beside it."""
    return any(each.reason is ObservationReason.STORE_REFUSED for each in decision.rejected)


def _completed(each: _Try, stored: int, duplicate: int, conflict: int) -> list[LedgerRow]:
    """Move what was rejected of an accepted message and is stored now; the rest was counted."""
    entry, decision = each.entry, each.decision
    if decision.refused is not None:
        return []
    mended = len(entry.reasons) - len(decision.rejected)
    repeated = max(mended - stored, 0) if duplicate else 0
    return [
        LedgerRow(
            entry.shard,
            entry.minute_us,
            entry.provider,
            entry.route,
            decoded=stored + repeated - mended,
            stored=stored,
            duplicate_observations=repeated,
            rejected=-mended,
            conflict=conflict,
        )
    ]
