"""What a target did with its share of the inputs, and when that share is used up."""

import time

import msgspec

__all__ = ["Budget", "Decided", "Report"]


class Decided(msgspec.Struct, frozen=True):
    """What became of one input: how many things in it were read, and how many were refused."""

    accepted: int = 0
    refused: int = 0


class Report(msgspec.Struct):
    """Counts of one target.

    Attributes:
        inputs: Byte strings tried.
        size_bytes: Bytes of all inputs.
        accepted: Messages (frames, packets) in them that were read as something.
        refused: Those that were refused with a reason.
    """

    target: str
    inputs: int = 0
    size_bytes: int = 0
    accepted: int = 0
    refused: int = 0

    @property
    def cases(self) -> int:
        """Messages that were decided, one way or the other."""
        return self.accepted + self.refused

    def count(self, size_bytes: int, decided: Decided) -> None:
        """Count one input."""
        self.inputs += 1
        self.size_bytes += size_bytes
        self.accepted += decided.accepted
        self.refused += decided.refused


class Budget:
    """Ends a target after so many cases or so many seconds, whichever is first."""

    def __init__(self, *, cases: int, seconds: float) -> None:
        self._cases = cases
        self._end_s = time.monotonic() + seconds

    def left(self, report: Report) -> bool:
        """Say whether another input may be tried."""
        return report.cases < self._cases and time.monotonic() < self._end_s
