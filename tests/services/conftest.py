"""A city's services on real parts: DuckDB, SQLite, nats-server, and uvicorn on a free port."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import msgspec
import pyarrow as pa
import pytest
import uvicorn
from nats.aio.client import Client

from city.clock import Clock, MachineClock
from city.frame import COUNT_HEADER
from city.gateway_state import GatewayState, LogState, encode_state, state_subject
from city.ingest_state import IngestState
from city.live import LiveObservation, encode_live
from city.subjects import LIVE_SUBJECT, STREAM, STREAM_SUBJECTS, frame_subject
from ingest.codecs.catalogue import find_codecs
from ingest.samples import SampleReader
from link.uplink import UplinkSettings
from madina.log_inspector import LogInspector
from registry.registry import Registry
from services.app import create_app
from services.parts import ServicesParts
from store.duckdb import DuckDBStore
from store.interface import OBSERVATION_SCHEMA, Batch, GatewayCount, Mark, ReceivedRow

ADMIN_KEY = "the-admin-key-of-a-test"
# A look at the store comes fifty times later than the last one took: half a second on a busy
# machine is half a minute.
ANSWER_S = 60.0
SHARDS = 4
EPOCH = 1_772_600_000_000_000
GATEWAY = "gateway-0"
NOTHING = OBSERVATION_SCHEMA.empty_table()
Parts = tuple[ServicesParts, list[IngestState]]
IDLE = Batch([], [], [], [], NOTHING, NOTHING)


class City:
    """The parts of one running application, and what a test does to them.

    Attributes:
        ingest: What ingest tells about itself.
        api: A client that has no key.
        admin: A client that has the admin key.
    """

    def __init__(self, parts: ServicesParts, address: str, ingest: list[IngestState]) -> None:
        self.parts = parts
        self.store = parts.store
        self.registry = parts.registry
        self.address = address
        self._ingest = ingest
        self._marks: dict[int, int] = {}
        self._logged: dict[int, int] = {}
        key = {"Authorization": f"Bearer {ADMIN_KEY}"}
        self.api = httpx.Client(base_url=address, timeout=ANSWER_S)
        self.admin = httpx.Client(base_url=address, timeout=ANSWER_S, headers=key)

    def ingest_is(self, **fields: object) -> None:
        """Make ingest tell something else about itself."""
        self._ingest[0] = msgspec.structs.replace(self._ingest[0], **fields)

    def log_messages(self, messages: int, *, shard: int = 0, epoch: int = EPOCH) -> None:
        """Put a frame on the log whose gateway has counted so many messages more."""
        self._logged[shard] = self._logged.get(shard, 0) + messages
        headers = {COUNT_HEADER: str(self._logged[shard])}
        self.publish(frame_subject(shard, GATEWAY, epoch), b"frame", headers)

    def apply(self, batch: Batch = IDLE, *, messages: int = 0, shard: int = 0) -> None:
        """Write a batch as ingest does, its marks and received counts added."""
        before = self._marks.get(shard, 0)
        self._marks[shard] = before + 1
        applied = sum(each.count for each in self.store.counts() if each.shard == shard) + messages
        minute_us = batch.ledger[0].minute_us if batch.ledger else 0
        received = [ReceivedRow(shard, minute_us, messages)] if messages else []
        self.store.write(
            msgspec.structs.replace(
                batch,
                marks=[Mark(shard, before, before + 1)],
                counts=[GatewayCount(GATEWAY, EPOCH, shard, applied)],
                received=received,
            )
        )

    def gateway_tells(self, **fields: object) -> None:
        """Tell the state of a gateway, as its process does once a second."""
        state = GatewayState(GATEWAY, EPOCH, 0, log=LogState.READY)
        state = msgspec.structs.replace(state, **fields)
        self.publish(state_subject(state.name), encode_state(state))

    def ingest_tells(self, *observations: LiveObservation) -> None:
        """Tell what was stored just now."""
        self.publish(LIVE_SUBJECT, encode_live(list(observations)))

    def publish(self, subject: str, data: bytes, headers: dict[str, str] | None = None) -> None:
        """Publish on NATS; for the log, wait until it has it."""
        asyncio.run(_publish(self.parts.nats_url, [subject], data, headers))

    def publish_many(self, subjects: list[str], headers: dict[str, str]) -> None:
        """Put an empty frame on each of some subjects of the log."""
        asyncio.run(_publish(self.parts.nats_url, subjects, b"frame", headers))

    def subjects(self) -> int:
        """Return on how many subjects of the log something is."""
        return asyncio.run(_count_subjects(self.parts.nats_url))

    def close(self) -> None:
        self.api.close()
        self.admin.close()


async def _publish(
    url: str, subjects: list[str], data: bytes, headers: dict[str, str] | None
) -> None:
    client = Client()
    await client.connect(url)
    for subject in subjects:
        if headers is None:
            await client.publish(subject, data)
        else:
            await client.request(subject, data, headers=headers, timeout=ANSWER_S)
    await client.flush()
    await client.close()


async def _count_subjects(url: str) -> int:
    client = Client()
    await client.connect(url)
    answer = await client.request(f"$JS.API.STREAM.INFO.{STREAM}", b"")
    await client.close()
    return int(msgspec.json.decode(answer.data)["state"].get("num_subjects", 0))


async def _make_stream(url: str) -> None:
    """Make the stream as a gateway does, as far as services see it."""
    wanted = {
        "name": STREAM,
        "subjects": [STREAM_SUBJECTS],
        "allow_direct": True,
        "discard": "new",
        "max_bytes": 64 << 20,
    }
    client = Client()
    await client.connect(url)
    await client.request(f"$JS.API.STREAM.CREATE.{STREAM}", msgspec.json.encode(wanted))
    await client.close()


@pytest.fixture
def make_stream() -> Callable[[str], None]:
    """Return a function that makes the stream of a log, as a gateway does."""
    return lambda url: asyncio.run(_make_stream(url))


@pytest.fixture
def http_ingest_rate() -> float:
    """Requests a second that one sender may make."""
    return 50.0


@pytest.fixture
def clock() -> Clock:
    """Return what tells the services the time."""
    return MachineClock()


@pytest.fixture
def parts(tmp_path: Path, nats_url: str, http_ingest_rate: float, clock: Clock) -> Iterator[Parts]:
    """Return parts on fresh files and a fresh log, and what ingest tells."""
    registry = Registry.open(f"sqlite:///{tmp_path}/registry.sqlite", clock)
    store = DuckDBStore(tmp_path / "store.duckdb")
    told = [IngestState(started=True, owned=SHARDS)]
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "index.html").write_text("<!doctype html><title>a page</title>")
    yield (
        ServicesParts(
            registry=registry,
            store=store,
            ingest=lambda: told[0],
            nats_url=nats_url,
            shards=SHARDS,
            clock=clock,
            admin_key=ADMIN_KEY,
            city="Testville",
            timezone="Europe/Madrid",
            version="0.0.1",
            samples=SampleReader(find_codecs(), "Europe/Madrid"),
            inspects=LogInspector(nats_url, SHARDS, "Europe/Madrid", clock),
            uplink=UplinkSettings(None, shards=SHARDS, max_message_bytes=200_000),
            uplink_name="http-test",
            array_codecs=frozenset({"senml-json"}),
            http_ingest_rate=http_ingest_rate,
            pages=pages,
        ),
        told,
    )
    store.close()
    registry.close()


@pytest.fixture
def serve(
    free_port: Callable[[], int], eventually: Callable[[Callable[[], bool]], None]
) -> Iterator[Callable[[Parts], City]]:
    """Return a function that serves an application on a free port."""
    with contextlib.ExitStack() as stack:

        def start(parts: Parts) -> City:
            port = free_port()
            config = uvicorn.Config(
                create_app(parts[0]), port=port, log_config=None, timeout_graceful_shutdown=1
            )
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run)
            thread.start()
            served = City(parts[0], f"http://127.0.0.1:{port}", parts[1])

            def stop() -> None:
                served.close()
                server.should_exit = True
                thread.join(ANSWER_S)

            stack.callback(stop)
            eventually(lambda: server.started)
            return served

        yield start


@pytest.fixture
def city(
    parts: Parts,
    serve: Callable[[Parts], City],
    eventually: Callable[[Callable[[], bool]], None],
) -> City:
    """Return a served application whose log a gateway has made."""
    asyncio.run(_make_stream(parts[0].nats_url))
    served = serve(parts)
    eventually(lambda: served.api.get("/v1/ledger").status_code == 200)
    return served


@pytest.fixture
def idle() -> Batch:
    """Return a batch that changes nothing."""
    return IDLE


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Return a wait for something that the running parts will make true."""

    def wait(happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + ANSWER_S
        while not happened():
            assert time.monotonic() < deadline, "did not happen in time"
            time.sleep(0.02)

    return wait


@pytest.fixture
def rows() -> Callable[..., pa.Table]:
    """Return a function that makes observations of one series from times and values."""

    def make(
        *values: tuple[int, float | None], series: int = 0, other: str | None = None
    ) -> pa.Table:
        return pa.Table.from_pylist(
            [
                {
                    "series": series,
                    "time_us": time_us,
                    "value": value,
                    "other": other,
                    "flag": 2,
                    "received_us": time_us + 1_000,
                }
                for time_us, value in values
            ],
            schema=OBSERVATION_SCHEMA,
        )

    return make
