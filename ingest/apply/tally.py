"""What became of every message and observation of a stretch, and the ledger's rows for it."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from store.interface import LedgerRow, ReceivedRow

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingest.apply.stretch import Stretch

__all__ = ["Groups", "Outcome", "Tally", "received_rows"]

SUMS: Final = LedgerRow.__struct_fields__[4:]


class Outcome(enum.IntEnum):
    """What became of a message."""

    ACCEPTED = 0
    QUARANTINED = 1
    DUPLICATE = 2


class Groups:
    """Numbers for (provider, route): the ledger's other key."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._names: list[tuple[str, str]] = []

    def number(self, provider: str, route: str) -> int:
        """Return the number of a pair."""
        key = (provider, route)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._names)
            self._names.append(key)
        return number

    def name(self, number: int) -> tuple[str, str]:
        """Return the pair of a number."""
        return self._names[number]


class Tally(msgspec.Struct, frozen=True):
    """Counts of each message of a stretch; every column has shape (n,)."""

    group: npt.NDArray[np.int64]
    outcome: npt.NDArray[np.uint8]
    stored: npt.NDArray[np.int64]
    duplicate: npt.NDArray[np.int64]
    rejected: npt.NDArray[np.int64]
    conflict: npt.NDArray[np.int64]

    @classmethod
    def empty(cls, size: int) -> Tally:
        """Return a tally of messages that nobody has looked at."""
        return cls(
            group=np.full(size, -1, np.int64),
            outcome=np.zeros(size, np.uint8),
            stored=np.zeros(size, np.int64),
            duplicate=np.zeros(size, np.int64),
            rejected=np.zeros(size, np.int64),
            conflict=np.zeros(size, np.int64),
        )

    def rows(self, stretch: Stretch, groups: Groups) -> list[LedgerRow]:
        """Return the sums by shard, minute, provider and route."""
        if not len(stretch):
            return []
        assert (self.group >= 0).all(), "every message was decided"
        span = int(self.group.max()) + 1
        codes, at = np.unique(stretch.minute_of * span + self.group, return_inverse=True)
        sums: list[list[int]] = [
            np.bincount(at, weights, len(codes)).astype(np.int64).tolist()
            for weights in self._weights()
        ]
        numbers: list[int] = codes.tolist()
        return [
            _ledger_row(stretch.minutes[code // span], groups.name(code % span), counts)
            for code, counts in zip(numbers, zip(*sums, strict=True), strict=True)
        ]

    def _weights(self) -> tuple[npt.NDArray[np.int64] | npt.NDArray[np.bool_], ...]:
        """Return the columns in the order of `LedgerRow`'s sums."""
        return (
            self.outcome == Outcome.ACCEPTED,
            self.outcome == Outcome.QUARANTINED,
            self.outcome == Outcome.DUPLICATE,
            self.stored + self.duplicate + self.rejected,
            self.stored,
            self.duplicate,
            self.rejected,
            self.conflict,
        )


def _ledger_row(
    minute: tuple[int, int], group: tuple[str, str], counts: tuple[int, ...]
) -> LedgerRow:
    return LedgerRow(*minute, *group, **dict(zip(SUMS, counts, strict=True)))


def received_rows(stretch: Stretch) -> list[ReceivedRow]:
    """Return the messages received by shard and minute."""
    received = np.bincount(stretch.minute_of, minlength=len(stretch.minutes)).tolist()
    return [
        ReceivedRow(*minute, count)
        for minute, count in zip(stretch.minutes, received, strict=True)
        if count
    ]
