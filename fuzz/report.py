"""What a target did with its share of the bytes, and when that share is used up."""

import time

import msgspec

__all__ = ["Budget", "Report"]


class Report(msgspec.Struct):
    """Counts of one target.

    Attributes:
        cases: Inputs tried.
        size_bytes: Bytes of all inputs.
        accepted: Inputs that were read as something.
        refused: Inputs that were refused with a reason; the two add up to the cases.
    """

    target: str
    cases: int = 0
    size_bytes: int = 0
    accepted: int = 0
    refused: int = 0

    def count(self, size_bytes: int, *, accepted: bool) -> None:
        """Count one input."""
        self.cases += 1
        self.size_bytes += size_bytes
        if accepted:
            self.accepted += 1
        else:
            self.refused += 1


class Budget:
    """Ends a target after so many bytes or so many seconds, whichever is first."""

    def __init__(self, *, size_bytes: int, seconds: float) -> None:
        self._size_bytes = size_bytes
        self._end_s = time.monotonic() + seconds

    def left(self, report: Report) -> bool:
        """Say whether another input may be tried."""
        return report.size_bytes < self._size_bytes and time.monotonic() < self._end_s
