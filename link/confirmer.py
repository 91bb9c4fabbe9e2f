"""Tells connections what the log has: one write a connection, however many frames were answered.

Answers of several frames come in one read from the log, and a connection that publishes under
several shards has a part in each. So confirmations gather until the event loop comes round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from city.clock import US_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from city.backlog import Backlog
    from city.clock import Clock
    from city.filling import SealedFrame
    from city.intake import Publisher

__all__ = ["Confirmer"]

log = structlog.get_logger(__name__)


class Confirmer:
    """Groups acknowledgements by publisher.

    Attributes:
        latency_s: Of the last frame: from its first message to its confirmation.
    """

    def __init__(
        self, backlog: Backlog, clock: Clock, soon: Callable[[Callable[[], None]], object]
    ) -> None:
        """Take `soon`, which calls a function when the event loop comes round."""
        self._backlog = backlog
        self._clock = clock
        self._soon = soon
        self._frames: list[SealedFrame] = []
        self.latency_s = 0.0

    def confirm(self, frame: SealedFrame) -> None:
        """Confirm a frame at the next turn of the event loop."""
        if not self._frames:
            self._soon(self.flush)
        self._frames.append(frame)

    def flush(self) -> None:
        """Confirm what has gathered."""
        frames, self._frames = self._frames, []
        if not frames:
            return
        gathered: dict[Publisher, tuple[list[bytes], list[int]]] = {}
        for frame in frames:
            for waiting in frame.waiting:
                found = gathered.get(waiting.publisher)
                if found is None:
                    gathered[waiting.publisher] = (waiting.acknowledgements, [waiting.size_bytes])
                else:
                    found[0].extend(waiting.acknowledgements)
                    found[1].append(waiting.size_bytes)
        self._backlog.release(sum(frame.held_bytes for frame in frames))
        self.latency_s = (self._clock.now_us() - frames[-1].received_us) / US_PER_S
        for publisher, (acknowledgements, sizes) in gathered.items():
            _tell(publisher, b"".join(acknowledgements), sum(sizes))


def _tell(publisher: Publisher, acknowledgements: bytes, size_bytes: int) -> None:
    """One connection's fault must not keep the others waiting for ever."""
    try:
        publisher.confirmed(acknowledgements, size_bytes)
    except Exception:
        log.exception("confirmation.failed")
