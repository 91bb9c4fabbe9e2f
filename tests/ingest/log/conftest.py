"""A log with frames on it, and an `Applying` that remembers: what ingest's log tests share."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from typing import TYPE_CHECKING

import msgspec
import pytest
from nats.aio.client import Client

from city.frame import (
    COUNT_HEADER,
    Control,
    ControlKind,
    Door,
    Frame,
    Run,
    decode_frame,
    encode_frame,
)
from city.subjects import STREAM, STREAM_SUBJECTS, consumer_name, frame_subject
from ingest.log.api import StreamReply, ask
from ingest.log.session import LogTimes
from ingest.run import IngestSettings, run_ingest
from ingest.seams import Applied, LoggedFrame
from ingest.status import StatusBoard
from store.interface import FencedError, StoreBusyError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator

    from city.live import LiveObservation
    from city.requests import Request

SHARDS = 4
EPOCH = 1_772_600_000_000_000
ANSWER_S = 20.0
TIMES = LogTimes(owner_timeout_s=1.0, signal_again_s=1.0, purge_every_s=0.1)


class SharedStore:
    """Marks and decided messages, as a store keeps them: every write is all or nothing."""

    def __init__(self) -> None:
        self.marks: dict[int, int] = {}
        self.counts: dict[tuple[str, int, int], int] = {}
        self.payloads: dict[int, list[bytes]] = {shard: [] for shard in range(SHARDS)}
        self.lock = threading.Lock()

    @property
    def count(self) -> int:
        return sum(map(len, self.payloads.values()))


class RecordingApplying:
    """Applies frames to a shared store; can be told to find it busy, or to stand still."""

    def __init__(self, store: SharedStore) -> None:
        self.store = store
        self.known: dict[int, int] = {}
        self.busy = 0
        self.loads = 0
        self.batches: list[int] = []
        self.fenced = 0
        self.requests: list[Request] = []
        self.live: list[LiveObservation] = []
        self.go = threading.Event()
        self.go.set()
        self.standing = threading.Event()

    def load(self) -> dict[int, int]:
        self.loads += 1
        with self.store.lock:
            self.known = dict(self.store.marks)
        return dict(self.known)

    def counted(self, data: bytes) -> bool | None:
        frame = decode_frame(data)
        if not frame.topics:
            return None
        with self.store.lock:
            return frame.count_after <= self.store.counts.get(frame.key, 0)

    def apply(self, frames: list[LoggedFrame]) -> Applied:
        payloads: dict[int, list[bytes]] = {}
        sequences: dict[int, int] = {}
        counts: dict[tuple[str, int, int], int] = {}
        for frame in frames:
            assert frame.sequence > sequences.get(frame.shard, self.known.get(frame.shard, 0))
            sequences[frame.shard] = frame.sequence
            decoded = decode_frame(frame.data)
            # As the applier does: what is counted is not counted again.
            if decoded.count_after > max(
                counts.get(decoded.key, 0), self.store.counts.get(decoded.key, 0)
            ):
                payloads.setdefault(frame.shard, []).extend(decoded.payloads)
                counts[decoded.key] = decoded.count_after
        if not self.go.is_set():
            self.standing.set()
            assert self.go.wait(ANSWER_S), "nobody let this batch go on"
        if self.busy:
            self.busy -= 1
            raise StoreBusyError(store="memory", cause="told so", retry_after_s=0.01)
        self._write(payloads, sequences, counts)
        self.batches.append(len(frames))
        count = sum(map(len, payloads.values()))
        return Applied(sequences, count, count, 0, 0.0, 0.0, self.live, self.requests)

    def _write(
        self,
        payloads: dict[int, list[bytes]],
        sequences: dict[int, int],
        counts: dict[tuple[str, int, int], int],
    ) -> None:
        with self.store.lock:
            for shard in sequences:
                found, expected = self.store.marks.get(shard, 0), self.known.get(shard, 0)
                if found != expected:
                    self.fenced += 1
                    raise FencedError(shard=shard, expected=expected, found=found)
            self.store.marks |= sequences
            self.store.counts |= counts
            self.known |= sequences
            for shard, more in payloads.items():
                self.store.payloads[shard].extend(more)


class LogWriter:
    """Puts frames on the log as a gateway does."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.epoch = EPOCH
        self.counts = [0] * SHARDS
        self.earlier = [0] * SHARDS
        self.log: list[tuple[str, bytes, int]] = []
        self.sent = [0] * SHARDS

    async def make_stream(self, max_bytes: int = 1 << 30, *, allow_direct: bool = True) -> None:
        config = {
            "name": STREAM,
            "subjects": [STREAM_SUBJECTS],
            "storage": "file",
            "discard": "new",
            "max_bytes": max_bytes,
            "allow_direct": allow_direct,
        }
        await self.client.request(
            f"$JS.API.STREAM.CREATE.{STREAM}", msgspec.json.encode(config), timeout=5
        )

    async def lose_end(self, kept: int) -> None:
        """Have a log of the first frames alone, numbered as before, and a gateway that restarts."""
        await self.client.request(f"$JS.API.STREAM.DELETE.{STREAM}", timeout=5)
        await self.make_stream()
        self.log = self.log[:kept]
        for each in self.log:
            await self._publish(*each)
        self.epoch += 1
        self.earlier = list(self.counts)

    async def write(self, frames: int, *, messages: int = 3, size: int = 20) -> None:
        """Put frames on the log, shard after shard; payloads are numbered within a shard."""
        pending: list[asyncio.Future[object]] = []
        for _ in range(frames):
            shard = self.sent.index(min(self.sent))
            self.sent[shard] += 1
            pending.append(asyncio.ensure_future(self._write_one(shard, messages, size)))
            if len(pending) >= 100:
                await asyncio.gather(*pending)
                pending.clear()
        await asyncio.gather(*pending)

    async def _write_one(self, shard: int, messages: int, size: int) -> object:
        before = self.counts[shard]
        self.counts[shard] += messages
        frame = Frame(
            door=Door.ENDPOINT,
            shard=shard,
            gateway="gw",
            epoch=self.epoch,
            count_before=before - self.earlier[shard],
            received_us=EPOCH,
            topics=[b"madina/v1/acme/m-1/up"] * messages,
            payloads=[
                str(number).encode().ljust(size) for number in range(before, before + messages)
            ],
            flags=bytes(messages),
            runs=[Run(b"client", EPOCH, messages)],
        )
        subject = frame_subject(shard, "gw", self.epoch)
        self.log.append((subject, encode_frame(frame), frame.count_after))
        return await self._publish(*self.log[-1])

    async def write_records(self, shard: int) -> None:
        """Put a frame on the log that has no messages."""
        control = Control(ControlKind.CONNECT, "client", EPOCH)
        before = self.counts[shard] - self.earlier[shard]
        frame = Frame(
            Door.ENDPOINT, shard, "gw", self.epoch, before, EPOCH, [], [], b"", [], (), (control,)
        )
        await self._publish(frame_subject(shard, "gw", self.epoch), encode_frame(frame), before)

    async def _publish(self, subject: str, data: bytes, count: int) -> object:
        headers = {COUNT_HEADER: str(count)}
        return await self.client.request(subject, data, headers=headers, timeout=10)

    async def unpin(self, shard: int) -> None:
        """Let the next worker that asks have a shard."""
        subject = f"$JS.API.CONSUMER.UNPIN.{STREAM}.{consumer_name(shard)}"
        await self.client.request(subject, b'{"group":"owner"}', timeout=5)

    async def stream_bytes(self) -> int:
        return (await ask(self.client, f"STREAM.INFO.{STREAM}", None, StreamReply)).state.bytes

    @property
    def count(self) -> int:
        return sum(self.counts)


class Running:
    """One worker that runs beside a test."""

    def __init__(self, url: str, applying: RecordingApplying, name: str) -> None:
        self.settings = IngestSettings(url, name, SHARDS, times=TIMES)
        self.applying = applying
        self.board = StatusBoard()
        self.stop = asyncio.Event()
        self.ready = asyncio.Event()

    async def run(self) -> None:
        await run_ingest(
            self.settings, self.applying, self.stop, ready=self.ready.set, board=self.board
        )


@contextlib.asynccontextmanager
async def beside(running: Running) -> AsyncGenerator[Running]:
    """Run a worker beside a test; it ends cleanly with the block."""
    task = asyncio.ensure_future(running.run())
    try:
        yield running
    finally:
        running.applying.go.set()
        running.stop.set()
        await asyncio.wait_for(task, ANSWER_S)


@contextlib.asynccontextmanager
async def killed(running: Running) -> AsyncGenerator[Running]:
    """Run a worker that ends without saying anything to the log."""
    task = asyncio.ensure_future(running.run())
    try:
        yield running
    finally:
        running.applying.go.set()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def eventually(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + ANSWER_S
    while not happened():
        assert time.monotonic() < deadline, "did not happen in time"
        await asyncio.sleep(0.01)


def assert_whole(store: SharedStore, writer: LogWriter) -> None:
    """Every message once, in log order, in every shard."""
    for shard, payloads in store.payloads.items():
        assert [int(payload) for payload in payloads] == list(range(writer.counts[shard]))


@pytest.fixture
async def writer(nats_url: str) -> AsyncIterator[LogWriter]:
    client = Client()
    await client.connect(nats_url)
    yield LogWriter(client)
    await client.close()


@pytest.fixture
def store() -> SharedStore:
    return SharedStore()


@pytest.fixture
def run_worker(
    nats_url: str,
) -> Callable[[RecordingApplying], contextlib.AbstractAsyncContextManager[Running]]:
    """Return a worker beside a test; it ends cleanly with the block."""
    return lambda applying: beside(Running(nats_url, applying, "worker"))


@pytest.fixture
def run_and_kill_worker(
    nats_url: str,
) -> Callable[[RecordingApplying], contextlib.AbstractAsyncContextManager[Running]]:
    """Return a worker beside a test that says no word to the log when the block ends."""
    return lambda applying: killed(Running(nats_url, applying, "killed"))


@pytest.fixture
def new_applying(store: SharedStore) -> Callable[[], RecordingApplying]:
    """Return a maker of appliers that write to the test's one store."""
    return lambda: RecordingApplying(store)


@pytest.fixture(name="eventually")
def _eventually() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Return a wait for something that real servers will make true."""
    return eventually


@pytest.fixture(name="assert_whole")
def _assert_whole() -> Callable[[SharedStore, LogWriter], None]:
    """Return a check that every message was applied once and in order."""
    return assert_whole


@pytest.fixture
def new_worker(nats_url: str) -> Callable[[RecordingApplying], Running]:
    return lambda applying: Running(nats_url, applying, "worker")


@pytest.fixture
def run_in_thread(
    nats_url: str,
) -> Callable[
    [RecordingApplying],
    contextlib.AbstractContextManager[Callable[[], contextlib.AbstractContextManager[None]]],
]:
    """Return a worker with a thread and a loop of its own, which can be made to stand still."""

    @contextlib.contextmanager
    def run(
        applying: RecordingApplying,
    ) -> Generator[Callable[[], contextlib.AbstractContextManager[None]]]:
        running = Running(nats_url, applying, "in-a-thread")
        loops: Queue[asyncio.AbstractEventLoop] = Queue()

        async def main() -> None:
            loops.put(asyncio.get_running_loop())
            await running.run()

        with ThreadPoolExecutor(1) as thread:
            ended = thread.submit(lambda: asyncio.run(main()))
            loop = loops.get(timeout=ANSWER_S)
            try:
                yield lambda: _standing_still(loop)
            finally:
                applying.go.set()
                loop.call_soon_threadsafe(running.stop.set)
                ended.result(ANSWER_S)

    return run


@contextlib.contextmanager
def _standing_still(loop: asyncio.AbstractEventLoop) -> Generator[None]:
    """Stop a loop in another thread, as SIGSTOP would."""
    go = threading.Event()
    loop.call_soon_threadsafe(go.wait, ANSWER_S)
    try:
        yield
    finally:
        go.set()
