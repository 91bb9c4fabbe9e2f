"""How much waits for the log, and when connections have to wait with it.

What devices have sent and the log has not confirmed is held in memory, so it has a limit. At the
limit, or when the log's disk comes into its reserve, connections stop reading; they start again
when half of the limit is free (and the disk above its reserve), so that they do not flutter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Backlog"]

# Reading starts again below this part of the limit.
RESUME_PART = 0.5


class Backlog:
    """Counts bytes held and says when it is too much.

    Attributes:
        held_bytes: Taken from devices and not confirmed by the log.
        limit_bytes: How much may be held.
        full: Connections have to wait.
        turned_full: How often they had to start waiting.
        turned: Called whenever `full` has changed.
    """

    __slots__ = (
        "_closed",
        "disk_words",
        "full",
        "held_bytes",
        "limit_bytes",
        "turned",
        "turned_full",
    )

    def __init__(self, limit_bytes: int) -> None:
        assert limit_bytes > 0, "a backlog without room would never read anything"
        self.limit_bytes = limit_bytes
        self.held_bytes = 0
        self.disk_words = ""
        self._closed = False
        self.full = False
        self.turned_full = 0
        self.turned: Callable[[], None] | None = None

    def hold(self, size_bytes: int) -> None:
        """Count bytes that were taken."""
        self.held_bytes += size_bytes
        if self.held_bytes >= self.limit_bytes and not self.full:
            self._weigh()

    def release(self, size_bytes: int) -> None:
        """Count bytes that the log has confirmed."""
        assert size_bytes <= self.held_bytes, "released more than was held"
        self.held_bytes -= size_bytes
        if self.full:
            self._weigh()

    def close(self) -> None:
        """Take nothing more, for good: the process stops."""
        self._closed = True
        self._weigh()

    def disk(self, words: str) -> None:
        """Note what is wrong with the log's disk; empty when nothing is."""
        self.disk_words = words
        self._weigh()

    @property
    def reason(self) -> str:
        """Return in words why connections wait; empty when they do not."""
        if not self.full:
            return ""
        if self._closed:
            return "the gateway stops"
        return self.disk_words or (
            f"{self.held_bytes:,} bytes wait for the log, the limit is {self.limit_bytes:,}"
        )

    def _weigh(self) -> None:
        allowed = self.limit_bytes * (RESUME_PART if self.full else 1)
        full = self._closed or bool(self.disk_words) or self.held_bytes >= allowed
        if full == self.full:
            return
        self.full = full
        self.turned_full += full
        if self.turned is not None:
            self.turned()
