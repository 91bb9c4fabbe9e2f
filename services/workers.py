"""Ingest workers of other processes, as they told last: each its state once a second."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import structlog

from city.ingest_state import IngestState, decode_ingest_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nats.aio.msg import Msg

__all__ = ["Workers", "together"]

log = structlog.get_logger(__name__)

# A worker tells its state each second; one that missed five is gone.
GONE_S = 5.0
WORKERS_MAX = 1_000
NOBODY = "no ingest worker has told its state for 5 seconds: start `madina ingest`"


class Workers:
    """What was heard of each worker, by name."""

    def __init__(self) -> None:
        self._heard: dict[str, tuple[IngestState, float]] = {}

    def state(self) -> IngestState:
        """Return how they do together."""
        now_s = asyncio.get_running_loop().time()
        return together(
            [state for state, heard_s in self._heard.values() if now_s - heard_s < GONE_S]
        )

    async def heard(self, message: Msg) -> None:
        """Take what a worker tells."""
        try:
            state = decode_ingest_state(message.data)
        except msgspec.MsgspecError as error:
            log.warning("ingest_state.refused", subject=message.subject, cause=str(error))
            return
        now_s = asyncio.get_running_loop().time()
        self._heard = {name: each for name, each in self._heard.items() if now_s - each[1] < GONE_S}
        if len(self._heard) < WORKERS_MAX:
            self._heard[state.name] = (state, now_s)


def together(states: Sequence[IngestState]) -> IngestState:
    """Return the state of some workers together: sums, the slowest batch, the oldest frame."""
    if not states:
        return IngestState(log_words=NOBODY)
    waiting = [each.oldest_us for each in states if each.oldest_us]
    slowest = max(states, key=lambda each: each.work_s + each.commit_s)
    return IngestState(
        started=any(each.started for each in states),
        log_words=_words(states, "log_words"),
        store_words=_words(states, "store_words"),
        messages_per_s=sum(each.messages_per_s for each in states),
        observations_per_s=sum(each.observations_per_s for each in states),
        work_s=slowest.work_s,
        commit_s=slowest.commit_s,
        oldest_us=min(waiting, default=0),
        waiting_frames=sum(each.waiting_frames for each in states),
        owned=sum(each.owned for each in states),
        batches=sum(each.batches for each in states),
        messages=sum(each.messages for each in states),
        committed_s=sum(each.committed_s for each in states),
        worked_cpu_s=sum(each.worked_cpu_s for each in states),
        committed_cpu_s=sum(each.committed_cpu_s for each in states),
    )


def _words(states: Sequence[IngestState], name: str) -> str:
    said = ((each.name, getattr(each, name)) for each in states)
    return "; ".join(f"{worker}: {words}" for worker, words in said if words)
