"""Forgets applied frames when the log fills, so that it refuses only what nobody has read.

The older half goes, as far as the store has it; the last message of a subject may go with it,
because the store's applied counts cover what it told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from city.subjects import STREAM, shard_filter
from ingest.log.api import PurgeReply, StreamReply, ask

if TYPE_CHECKING:
    from nats.aio.client import Client

    from ingest.log.api import StreamState

__all__ = ["cuts", "purge"]

log = structlog.get_logger(__name__)

FULL_ENOUGH = 0.5


def cuts(state: StreamState, max_bytes: int) -> tuple[int, ...]:
    """Return the sequences before which applied frames may go, to be tried in order.

    The middle comes first; all of the log second, for a log whose older half is sparse because
    one shard lags behind.

    Args:
        state: Of the whole stream.
        max_bytes: Its limit; without one (-1) nothing is ever forgotten.
    """
    if max_bytes <= 0 or state.bytes < max_bytes * FULL_ENOUGH:
        return ()
    end = state.last_seq + 1
    return (state.first_seq + (end - state.first_seq) // 2, end)


async def purge(client: Client, applied_to: dict[int, int]) -> int:
    """Forget applied frames if the log is half full; return how many.

    Args:
        client: Connected.
        applied_to: The log's number of the last applied frame by shard; an old one is safe, and 0
            says that nothing may go.

    Raises:
        LogError: If the server refuses.
        TimeoutError: If it does not answer.
    """
    stream = await ask(client, f"STREAM.INFO.{STREAM}", None, StreamReply)
    max_bytes = int(stream.config.get("max_bytes", -1))
    for cut in cuts(stream.state, max_bytes):
        purged = 0
        for shard, last in applied_to.items():
            before = min(cut, last + 1) if last else 0
            if before > stream.state.first_seq:
                request = {"filter": shard_filter(shard), "seq": before}
                reply = await ask(client, f"STREAM.PURGE.{STREAM}", request, PurgeReply)
                purged += reply.purged
        if purged:
            log.info("log.purged", frames=purged, bytes=stream.state.bytes, max_bytes=max_bytes)
            return purged
    return 0
