"""What ingest tells on `madina.live` after a commit: a bounded part of what it stored."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from city.live import LIVE_OBSERVATIONS_MAX, encode_live

if TYPE_CHECKING:
    from city.live import LiveObservation

__all__ = ["LIVE_MESSAGES_MAX", "live_messages"]

# After one commit; batches follow each other several times a second.
LIVE_MESSAGES_MAX = 4


def live_messages(observations: list[LiveObservation]) -> list[bytes]:
    """Pack the newest observations of one commit; what is beyond the bound is left out."""
    newest = observations[-LIVE_MESSAGES_MAX * LIVE_OBSERVATIONS_MAX :]
    starts = range(0, len(newest), LIVE_OBSERVATIONS_MAX)
    return [
        encode_live(list(islice(newest, start, start + LIVE_OBSERVATIONS_MAX))) for start in starts
    ]
