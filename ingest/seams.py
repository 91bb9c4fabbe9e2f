"""What the parts of ingest know of each other: frames in, one batch out, then it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from city.live import LiveObservation
    from city.requests import Request
    from registry.facts import Changes

__all__ = ["Applied", "Applying", "LoggedFrame", "RegistrySource"]


class LoggedFrame(msgspec.Struct, frozen=True):
    """One message of the log, as it was read.

    Attributes:
        sequence: Its number on the log; grows within a shard. Ahead of the log's own number where
            the log has lost its end (docs/decisions/0014).
        logged_us: When the log took it.
    """

    shard: int
    sequence: int
    data: bytes
    logged_us: int = 0


class Applied(msgspec.Struct, frozen=True):
    """What one stretch of the log came to, after its commit.

    Attributes:
        sequences: Highest applied log sequence by shard.
        messages, observations: Messages decided; observations stored.
        oldest_us: Receive time of its oldest message; 0 where it had none.
        work_s, commit_s: How long decoding and the store's commit took.
        work_cpu_s, commit_cpu_s: Processor time of the thread meanwhile.
        live: A part of the stored observations, for `madina.live`.
        requests: Messages for devices, for whoever bridges them.
    """

    sequences: dict[int, int]
    messages: int
    observations: int
    oldest_us: int
    work_s: float
    commit_s: float
    live: list[LiveObservation] = []
    requests: list[Request] = []
    work_cpu_s: float = 0.0
    commit_cpu_s: float = 0.0


class Applying(Protocol):
    """Turns stretches of the log into store batches. Blocking; called from one thread."""

    def load(self) -> dict[int, int]:
        """Read what the store knows, afresh; return the last applied sequence by shard."""
        ...

    def counted(self, data: bytes) -> bool | None:
        """Say whether the messages of a frame are applied; None for a frame without any.

        Raises:
            StoreBusyError: Nobody can say now.
            RegistryAwayError: Nobody can say now.
        """
        ...

    def apply(self, frames: list[LoggedFrame]) -> Applied:
        """Decide every message of some frames and write one batch.

        Frames come in log order within each shard, all of them beyond the shard's mark.

        Raises:
            StoreBusyError: Nothing was written; call again with the same frames.
            RegistryAwayError: Something may be written; call again with the same frames.
            FencedError: Another owner has written: `load` again.
        """
        ...


class RegistrySource(Protocol):
    """Where the relational facts come from."""

    def changes(self, since: int) -> Changes:
        """Return what changed after a revision."""
        ...

    def accept(self, devices: list[tuple[str, str]]) -> int:
        """Register unknown devices (provider, id) as active (`MADINA_UNKNOWN_DEVICES=accept`)."""
        ...
