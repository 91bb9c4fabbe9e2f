"""Starts the embedded log again where it refuses everything although its disk has room.

nats-server remembers the first write of a stream's file that failed, and answers no other until it
is started anew (`Critical write error` of its file store, 2.15). A disk that was full for a minute
would keep a city's devices waiting for ever.
"""

import asyncio
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from nats.aio.client import Client
from nats.errors import Error as NatsError

from city.gateway_state import GATEWAY_STATES, GatewayState, LogState, decode_state
from madina.supervisor.child import Child

__all__ = ["is_stuck", "keep_log_writable"]

# What the system calls a full disk (ENOSPC), in the words of the log.
NO_SPACE: Final = "no space left on device"
# Enough for the log to begin again; the reserve is the gateways' business.
ROOM_BYTES: Final = 8 << 20
# Once in a while at most: a start takes a second, and devices come back.
PAUSE_S: Final = 15.0
AGAIN_S: Final = 1.0


def is_stuck(state: GatewayState, last_words: str, free_bytes: int) -> bool:
    """Say whether the log takes no frames for want of space that is there.

    Args:
        state: What a gateway tells.
        last_words: The last line of the log's server.
        free_bytes: Of its disk.
    """
    if free_bytes <= ROOM_BYTES:
        return False
    refuses = state.log is LogState.FULL and NO_SPACE in state.reason
    return refuses or (state.log is LogState.SLOW and NO_SPACE in last_words)


async def keep_log_writable(
    url: str,
    store: Path,
    server: Callable[[], Child | None],
    tell: Callable[[str], None],
) -> None:
    """Watch what gateways say of the log, until cancelled.

    Args:
        url: Of the log.
        store: Its folder.
        server: Its process, which somebody starts again when it ends.
        tell: For people.
    """
    while True:
        with suppress(OSError, NatsError, TimeoutError, msgspec.MsgspecError):
            await _until_stuck(url, store, server)
            tell("the log takes no messages although its disk has room again: it starts anew")
            stuck = server()
            if stuck is not None:
                await stuck.stop()
            await asyncio.sleep(PAUSE_S)
        await asyncio.sleep(AGAIN_S)


async def _until_stuck(url: str, store: Path, server: Callable[[], Child | None]) -> None:
    client = Client()
    await client.connect(url, allow_reconnect=False, error_cb=_ignore)
    try:
        states = await client.subscribe(GATEWAY_STATES)  # pyright: ignore[reportUnknownMemberType] - nats-py
        while True:
            told = await states.next_msg(timeout=None)
            running = server()
            words = "" if running is None else running.last_words
            if is_stuck(decode_state(told.data), words, shutil.disk_usage(store).free):
                return
    finally:
        await client.close()


async def _ignore(_error: Exception) -> None:
    """Connect again instead."""
