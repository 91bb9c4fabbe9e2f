"""Lets what a busy connection sends gather, so that one system call reads several messages.

A device that sends a message each millisecond would cost a read and a turn of everything behind it
for each. So a connection that is read again soon after its last read is left alone until the next
beat, and then read once for all that has come. Whoever sends more slowly than that is read at once.
What a beat brought goes to the log at once: it has waited already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Paced", "Pacer"]

# A longer read is worth its system call already.
LONG_READ_BYTES = 1_024
# From a beat until the event loop has read who was held back.
READ_OUT_S = 0.003


class Paced(Protocol):
    """A socket whose reading can wait."""

    looked_s: float

    def hold_back(self) -> None:
        """Read nothing until `look`."""
        ...

    def look(self, now_s: float) -> None:
        """Read again; sets `looked_s`."""
        ...


class Pacer:
    """Holds back who was read less than a beat ago, until the next beat."""

    __slots__ = ("_beat_s", "_clock", "_held", "_later", "_read_out")

    def __init__(
        self,
        beat_s: float,
        clock: Callable[[], float],
        later: Callable[[float, Callable[[], None]], object],
        read_out: Callable[[], None],
    ) -> None:
        """Take how time passes, and whom to tell that a beat was read.

        Args:
            beat_s: How far apart beats are.
            clock: Seconds; only goes forward.
            later: Calls a function after so many seconds.
            read_out: Called a moment after each beat.
        """
        self._beat_s = beat_s
        self._clock = clock
        self._later = later
        self._read_out = read_out
        self._held: list[Paced] = []

    def read(self, socket: Paced, size_bytes: int) -> None:
        """Note that a socket was read, and hold it back if that was so soon again."""
        now_s = self._clock()
        soon = now_s - socket.looked_s < self._beat_s
        socket.looked_s = now_s
        if soon and size_bytes < LONG_READ_BYTES:
            socket.hold_back()
            if not self._held:
                self._later(self._beat_s, self._beat)
            self._held.append(socket)

    def _beat(self) -> None:
        held, self._held = self._held, []
        now_s = self._clock()
        for socket in held:
            socket.look(now_s)
        self._later(READ_OUT_S, self._read_out)
