"""How far long work is, on standard error: one line that is written over on a terminal."""

import sys
import time
from typing import Final

__all__ = ["Progress"]

AGAIN_S: Final = 0.2
# Where nobody watches, a line now and then is enough for a log.
SELDOM_S: Final = 10.0
WIDE: Final = 79


class Progress:
    """Tells of one piece of work after the other."""

    def __init__(self) -> None:
        self._watched = sys.stderr.isatty()
        self._next_s = 0.0
        self._told = ""

    def share(self, what: str, share: float) -> None:
        """Tell how much of something is done, 0 to 1."""
        now_s = time.monotonic()
        if now_s >= self._next_s or share >= 1:
            self._next_s = now_s + (AGAIN_S if self._watched else SELDOM_S)
            self._write(f"{what}: {share:4.0%}")

    def end(self) -> None:
        """Leave what was told last standing."""
        if self._watched:
            print(file=sys.stderr)

    def _write(self, line: str) -> None:
        if line == self._told:
            return
        self._told = line
        if self._watched:
            print(line.ljust(WIDE), end="\r", file=sys.stderr, flush=True)
        else:
            print(f"madina: {line}", file=sys.stderr)
