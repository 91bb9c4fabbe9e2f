"""The textbook stack: aiomqtt reads, pydantic checks, influxdb-client writes `Point`s in batches.

As its parts' documentation shows it: one loop over `client.messages`, a model that validates the
JSON, a `Point` for each observation, and lists of 5,000 points to the synchronous write API (its
batching mode puts a reactive pipeline around each record and costs more). An InfluxDB before 1.8
does not know that API: there it is influxdb-python, with a dictionary for each observation.
"""
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportPrivateImportUsage=false, reportArgumentType=false
# influxdb-client's types are partial, and its constants are no members of their own enumeration.

from __future__ import annotations

import argparse
import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import aiomqtt
from influxdb import InfluxDBClient as OldClient
from influxdb_client import InfluxDBClient, Point, WritePrecision
from influxdb_client.client.write_api import SYNCHRONOUS
from pydantic import BaseModel

from madina.ready import ready_teller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "Dictionary",
    "Measurement",
    "Message",
    "Writer",
    "consume",
    "main",
    "to_dictionaries",
    "to_points",
    "writer_of_1",
    "writer_of_2",
]

PointT = TypeVar("PointT")
Dictionary = dict[str, Any]
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


def _read(topic: str, payload: bytes) -> tuple[str, str, Message]:
    _, _, provider, device, _ = topic.split("/")
    return provider, device, Message.model_validate_json(payload)


def to_points(topic: str, payload: bytes) -> Iterator[Point]:
    """Return a point for each observation of a message.

    Raises:
        pydantic.ValidationError: If it is not a native message.
    """
    provider, device, message = _read(topic, payload)
    for each in message.obs:
        yield (
            Point("observation")
            .tag("device", device)
            .tag("provider", provider)
            .tag("quantity", each.q)
            .field("value", each.v)
            .time(message.t, WritePrecision.MS)
        )


def to_dictionaries(topic: str, payload: bytes) -> Iterator[Dictionary]:
    """Return the same points as influxdb-python takes them.

    Raises:
        pydantic.ValidationError: If it is not a native message.
    """
    provider, device, message = _read(topic, payload)
    for each in message.obs:
        yield {
            "measurement": "observation",
            "tags": {"device": device, "provider": provider, "quantity": each.q},
            "time": message.t,
            "fields": {"value": each.v},
        }


class Writer(Generic[PointT]):
    """Collects points and writes them in batches, in a thread so that reading goes on."""

    def __init__(
        self,
        convert: Callable[[str, bytes], Iterator[PointT]],
        write: Callable[[list[PointT]], object],
    ) -> None:
        self._convert = convert
        self._write = write
        self._points: list[PointT] = []
        self._writing = asyncio.Lock()

    async def add(self, topic: str, payload: bytes) -> None:
        """Take a message."""
        self._points.extend(self._convert(topic, payload))
        if len(self._points) >= BATCH_POINTS:
            await self.flush()

    async def flush(self) -> None:
        """Write what was collected."""
        async with self._writing:
            points, self._points = self._points, []
            if points:
                await asyncio.to_thread(self._write, points)

    async def keep_flushing(self) -> None:
        """Write what waits for others, each second."""
        while True:
            await asyncio.sleep(FLUSH_S)
            await self.flush()


def writer_of_2(url: str) -> Writer[Point]:
    """Write with influxdb-client."""
    client = InfluxDBClient(url=url, token="bench", org="bench")  # noqa: S106 - no secret
    api = client.write_api(write_options=SYNCHRONOUS)
    return Writer(to_points, lambda points: api.write("bench", "bench", points, WritePrecision.MS))


def writer_of_1(port: int) -> Writer[Dictionary]:
    """Write with influxdb-python."""
    client = OldClient("127.0.0.1", port, database="bench")
    return Writer(to_dictionaries, lambda points: client.write_points(points, time_precision="ms"))


async def consume(broker_port: int, writer: Writer[PointT], ready_fd: int | None) -> None:
    """Read everything from a broker and write it, until cancelled."""
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
    parser.add_argument("--url")
    parser.add_argument("--influx-port", type=int)
    parser.add_argument("--ready-fd", type=int)
    given = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        writer = writer_of_2(given.url) if given.url else writer_of_1(given.influx_port)
        asyncio.run(consume(given.broker_port, writer, given.ready_fd))


if __name__ == "__main__":
    main()
