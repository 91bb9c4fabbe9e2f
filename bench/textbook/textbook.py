"""The textbook stack: aiomqtt reads, pydantic checks, influxdb-client writes `Point`s in batches.

As its parts' documentation shows it: one loop over `client.messages`, a model that validates the
JSON, a `Point` for each observation, and lists of 5,000 points to the synchronous write API (its
batching mode puts a reactive pipeline around each record and costs more).
"""
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportPrivateImportUsage=false, reportArgumentType=false
# influxdb-client's types are partial, and its constants are no members of their own enumeration.

from __future__ import annotations

import argparse
import asyncio
import contextlib
from typing import TYPE_CHECKING

import aiomqtt
from influxdb_client import InfluxDBClient, Point, WritePrecision
from influxdb_client.client.write_api import SYNCHRONOUS
from pydantic import BaseModel

from madina.ready import ready_teller

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Measurement", "Message", "Writer", "consume", "main", "to_points"]

TOPIC = "madina/v1/+/+/up"
BATCH_POINTS = 5_000
FLUSH_S = 1.0


class Measurement(BaseModel):
    """One value of a message."""

    q: str
    v: float
    u: str | None = None


class Message(BaseModel):
    """A native message."""

    t: int
    id: str | None = None
    obs: list[Measurement]


def to_points(topic: str, payload: bytes) -> Iterator[Point]:
    """Return a point for each observation of a message.

    Raises:
        pydantic.ValidationError: If it is not a native message.
    """
    _, _, provider, device, _ = topic.split("/")
    message = Message.model_validate_json(payload)
    for each in message.obs:
        yield (
            Point("observation")
            .tag("device", device)
            .tag("provider", provider)
            .tag("quantity", each.q)
            .field("value", each.v)
            .time(message.t, WritePrecision.MS)
        )


class Writer:
    """Collects points and writes them in batches, in a thread so that reading goes on."""

    def __init__(self, url: str) -> None:
        self._client = InfluxDBClient(url=url, token="bench", org="bench")  # noqa: S106 - no secret
        self._api = self._client.write_api(write_options=SYNCHRONOUS)
        self._points: list[Point] = []
        self._writing = asyncio.Lock()

    async def add(self, topic: str, payload: bytes) -> None:
        """Take a message."""
        self._points.extend(to_points(topic, payload))
        if len(self._points) >= BATCH_POINTS:
            await self.flush()

    async def flush(self) -> None:
        """Write what was collected."""
        async with self._writing:
            points, self._points = self._points, []
            if points:
                await asyncio.to_thread(
                    self._api.write, "bench", "bench", points, WritePrecision.MS
                )

    async def keep_flushing(self) -> None:
        """Write what waits for others, each second."""
        while True:
            await asyncio.sleep(FLUSH_S)
            await self.flush()


async def consume(broker_port: int, url: str, ready_fd: int | None) -> None:
    """Read everything from a broker and write it, until cancelled."""
    writer = Writer(url)
    async with (
        asyncio.TaskGroup() as group,
        aiomqtt.Client("127.0.0.1", broker_port, identifier="textbook") as client,
    ):
        await client.subscribe(TOPIC, qos=1)
        group.create_task(writer.keep_flushing())
        ready_teller(ready_fd)()
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            await writer.add(message.topic.value, message.payload)


def main() -> None:
    """Run until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker-port", type=int, required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--ready-fd", type=int)
    given = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(consume(given.broker_port, given.url, given.ready_fd))


if __name__ == "__main__":
    main()
