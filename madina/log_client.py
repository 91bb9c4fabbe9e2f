"""A connection to the log for one command: it is there, or that is said at once."""

import contextlib
from collections.abc import AsyncGenerator
from typing import Final

from nats.aio.client import Client

__all__ = ["log_client"]

CONNECT_S: Final = 5


@contextlib.asynccontextmanager
async def log_client(url: str) -> AsyncGenerator[Client]:
    """Connect once, and leave in the end.

    Args:
        url: Of the log, with its credentials; several with commas between.

    Raises:
        OSError: No server is there.
        nats.errors.Error: It does not let us in.
        TimeoutError: It does not answer.
    """
    client = Client()
    try:
        await client.connect(
            url.split(","),
            connect_timeout=CONNECT_S,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            error_cb=_ignore,
        )
        yield client
    finally:
        await client.close()


async def _ignore(_error: Exception) -> None:
    """What is wrong is raised as well."""
