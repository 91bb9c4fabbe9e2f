"""One question to the log's server: its version, its time, and what the stream is."""

import asyncio
from typing import Any, Final

import msgspec
from nats.errors import Error as NatsError

from city.instants import text_us
from city.subjects import STREAM
from madina.errors import SetupError
from madina.log_client import log_client

__all__ = ["LogServer", "ask_log"]

TIMEOUT_S: Final = 3


class LogServer(msgspec.Struct, frozen=True):
    """What the server says.

    Attributes:
        time_us: Its clock.
        replicas: Of the stream; 0 where no gateway has made it yet.
    """

    version: str
    time_us: int
    replicas: int

    @property
    def replicas_words(self) -> str:
        """How many servers keep a message."""
        if not self.replicas:
            return "no gateway has made the stream yet"
        return f"each message is kept by {self.replicas}"


class _Info(msgspec.Struct, frozen=True):
    ts: str = ""
    config: dict[str, Any] = {}


def ask_log(url: str) -> LogServer:
    """Ask the server.

    Raises:
        SetupError: It does not answer.
    """
    try:
        return asyncio.run(_ask(url))
    except (OSError, NatsError, TimeoutError) as error:
        words = str(error) or type(error).__name__
        raise SetupError(
            f"the log server does not answer ({words})", "start it, or correct MADINA_NATS_URL"
        ) from error


async def _ask(url: str) -> LogServer:
    async with log_client(url) as client:
        subject = f"$JS.API.STREAM.INFO.{STREAM}"
        info = msgspec.json.decode(
            (await client.request(subject, timeout=TIMEOUT_S)).data, type=_Info
        )
        return LogServer(
            version=str(client.connected_server_version),
            time_us=text_us(info.ts) if info.ts else 0,
            replicas=int(info.config.get("num_replicas", 0)),
        )
