"""How ingest does, for whoever asks from another thread.

The worker replaces one frozen value; readers take it as it is, without a lock.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Literal

import msgspec

from city.ingest_state import IngestState

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.log.shards import Shards
    from ingest.seams import Applied

__all__ = ["IngestStatus", "StatusBoard"]

RATE_WINDOW_S = 5.0
# A store that has not answered for so long is said to stand still.
SILENT_S = 5.0


class IngestStatus(msgspec.Struct, frozen=True):
    """One look at ingest.

    Attributes:
        started: The store's state was read once.
        log: `away` while there is no connection or no stream; `words` says why.
        store: `busy` while it refuses batches, which are retried, or does not answer; `words` says
            why.
        words: For people; empty when all is well.
        owned: Shards that are ours.
        messages_per_s, observations_per_s: Applied and stored, over the last seconds.
        batches: Since the start.
        messages, committed_s: Of all batches: applied, and how long commits took.
        worked_cpu_s, committed_cpu_s: Processor time of decoding and commits, in ingest's thread.
        batch_messages, work_s, commit_s: Of the last batch.
        waiting_frames: Read from the log and not applied.
        oldest_us: When the log took the oldest frame that we know and that is not applied; 0 when
            nothing waits.
    """

    started: bool = False
    log: Literal["away", "ready"] = "away"
    store: Literal["ready", "busy"] = "ready"
    log_words: str = "not connected yet"
    store_words: str = ""
    owned: tuple[int, ...] = ()
    messages_per_s: float = 0.0
    observations_per_s: float = 0.0
    batches: int = 0
    messages: int = 0
    committed_s: float = 0.0
    worked_cpu_s: float = 0.0
    committed_cpu_s: float = 0.0
    batch_messages: int = 0
    work_s: float = 0.0
    commit_s: float = 0.0
    waiting_frames: int = 0
    oldest_us: int = 0

    @property
    def words(self) -> str:
        """Say what is wrong; empty when all is well."""
        return "; ".join(filter(None, (self.log_words, self.store_words)))


class StatusBoard:
    """Holds the present status; written by the worker's thread only."""

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._status = IngestStatus()
        self._recent: deque[tuple[float, int, int]] = deque()
        self._asked_s: float | None = None

    @property
    def status(self) -> IngestStatus:
        """The last status, from any thread."""
        return self._status

    def started(self) -> None:
        """The store's state is known."""
        self._change(started=True, store="ready", store_words="")

    def log_away(self, words: str) -> None:
        """There is no log now."""
        self._change(log="away", log_words=words)

    def log_ready(self) -> None:
        """The log answers."""
        self._change(log="ready", log_words="")

    def store_asked(self) -> None:
        """The store was given something to do."""
        self._asked_s = self._monotonic_s()

    def store_answered(self) -> None:
        """It has done it, or refused."""
        self._asked_s = None

    def store_busy(self, words: str) -> None:
        """The store refuses."""
        self._change(store="busy", store_words=words)

    def applied(self, applied: Applied) -> None:
        """A batch was committed."""
        self._recent.append((self._monotonic_s(), applied.messages, applied.observations))
        self._change(
            store="ready",
            store_words="",
            batches=self._status.batches + 1,
            messages=self._status.messages + applied.messages,
            committed_s=self._status.committed_s + applied.commit_s,
            worked_cpu_s=self._status.worked_cpu_s + applied.work_cpu_s,
            committed_cpu_s=self._status.committed_cpu_s + applied.commit_cpu_s,
            batch_messages=applied.messages,
            work_s=applied.work_s,
            commit_s=applied.commit_s,
        )

    def look(self, shards: Shards) -> None:
        """Bring what changes by itself up to date; several times a second."""
        since_s = self._monotonic_s() - RATE_WINDOW_S
        while self._recent and self._recent[0][0] < since_s:
            self._recent.popleft()
        self._change(
            messages_per_s=sum(messages for _, messages, _ in self._recent) / RATE_WINDOW_S,
            observations_per_s=sum(stored for _, _, stored in self._recent) / RATE_WINDOW_S,
            owned=shards.owned(),
            waiting_frames=shards.waiting_frames(),
            oldest_us=shards.oldest_us(),
        )
        if self._asked_s is not None and self._monotonic_s() - self._asked_s >= SILENT_S:
            waited_s = self._monotonic_s() - self._asked_s
            self.store_busy(f"the store has had a batch for {waited_s:.0f} s: is its disk slow?")

    def state(self, name: str) -> IngestState:
        """Return what others are told of a worker, from any thread."""
        status = self._status
        return IngestState(
            name=name,
            started=status.started,
            log_words=status.log_words,
            store_words=status.store_words,
            messages_per_s=status.messages_per_s,
            observations_per_s=status.observations_per_s,
            work_s=status.work_s,
            commit_s=status.commit_s,
            oldest_us=status.oldest_us,
            waiting_frames=status.waiting_frames,
            owned=len(status.owned),
            batches=status.batches,
            messages=status.messages,
            committed_s=status.committed_s,
            worked_cpu_s=status.worked_cpu_s,
            committed_cpu_s=status.committed_cpu_s,
        )

    def _change(self, **fields: object) -> None:
        self._status = msgspec.structs.replace(self._status, **fields)
