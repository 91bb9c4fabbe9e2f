"""A tuned Python stack: gmqtt reads, msgspec decodes, f-strings write line protocol in batches."""

from __future__ import annotations

import argparse
import asyncio
import http.client
from typing import Any

import gmqtt
import msgspec

from madina.ready import ready_teller

__all__ = ["Measurement", "Message", "Writer", "consume", "main", "to_lines"]

TOPIC = "madina/v1/+/+/up"
BATCH_LINES = 5_000
FLUSH_S = 1.0
NO_CONTENT = 204


class Measurement(msgspec.Struct):
    """One value of a message."""

    q: str
    v: float
    u: str | None = None


class Message(msgspec.Struct):
    """A native message."""

    t: int
    obs: list[Measurement]
    id: str | None = None


_decoder = msgspec.json.Decoder(Message)


def to_lines(topic: str, payload: bytes) -> list[str]:
    """Return a line for each observation of a message.

    Raises:
        msgspec.MsgspecError: If it is not a native message.
    """
    _, _, provider, device, _ = topic.split("/")
    message = _decoder.decode(payload)
    return [
        f"observation,device={device},provider={provider},quantity={each.q}"
        f" value={each.v} {message.t}"
        for each in message.obs
    ]


class Writer:
    """Collects lines and posts them in batches."""

    def __init__(self, port: int, path: str) -> None:
        self._path = path
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._lines: list[str] = []
        self._writing = asyncio.Lock()

    def add(self, topic: str, payload: bytes) -> bool:
        """Take a message; return whether it is time to flush."""
        self._lines += to_lines(topic, payload)
        return len(self._lines) >= BATCH_LINES

    async def flush(self) -> None:
        """Write what was collected."""
        async with self._writing:
            lines, self._lines = self._lines, []
            if lines:
                await asyncio.to_thread(self._post, "\n".join(lines).encode())

    def _post(self, body: bytes) -> None:
        self._connection.request("POST", self._path, body)
        answer = self._connection.getresponse()
        answer.read()
        assert answer.status == NO_CONTENT, f"the sink says {answer.status}"


async def consume(broker_port: int, writer: Writer, ready_fd: int | None) -> None:
    """Read everything from a broker and write it, until cancelled."""
    subscribed = asyncio.Event()
    full = asyncio.Event()
    client = gmqtt.Client("tuned", receive_maximum=65_535)

    async def on_message(
        _client: gmqtt.Client, topic: str, payload: bytes, _qos: int, _properties: dict[str, Any]
    ) -> int:
        if writer.add(topic, payload):
            full.set()
        return 0

    def on_subscribe(*_arguments: object) -> None:
        subscribed.set()

    client.on_message = on_message
    client.on_subscribe = on_subscribe
    await client.connect("127.0.0.1", broker_port)
    client.subscribe(TOPIC, qos=1)
    await subscribed.wait()
    ready_teller(ready_fd)()
    while True:
        try:
            async with asyncio.timeout(FLUSH_S):
                await full.wait()
        except TimeoutError:
            pass
        full.clear()
        await writer.flush()


def main() -> None:
    """Run until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker-port", type=int, required=True)
    parser.add_argument("--sink-port", type=int)
    parser.add_argument("--influx-port", type=int)
    parser.add_argument("--ready-fd", type=int)
    given = parser.parse_args()
    writer = (
        Writer(given.sink_port, "/api/v2/write?precision=ms")
        if given.sink_port
        else Writer(given.influx_port, "/write?db=bench&precision=ms")
    )
    asyncio.run(consume(given.broker_port, writer, given.ready_fd))


if __name__ == "__main__":
    main()
