"""Small working parts that gateway tests share: publishers, a nats-server that can be killed."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from nats.aio.client import Client

from city.frame import Frame, decode_frame
from city.subjects import STREAM

NATS_SERVER = Path(sys.executable).parent / "nats-server"
ANSWER_S = 20


class RecordingPublisher:
    """A connection that remembers what was confirmed."""

    def __init__(self) -> None:
        self.acknowledgements: list[bytes] = []
        self.size_bytes = 0

    def confirmed(self, acknowledgements: bytes, size_bytes: int) -> None:
        self.acknowledgements.append(acknowledgements)
        self.size_bytes += size_bytes


class LogServer:
    """A nats-server that tests kill, stop and start again on the same folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"nats://127.0.0.1:{port}"

    def start(self) -> None:
        configuration = self._folder / "nats.conf"
        configuration.write_text(
            f"host: 127.0.0.1\nport: {self._port}\nmax_payload: 2MB\n"
            f'jetstream {{ store_dir: "{self._folder}/nats", sync_interval: 100ms }}\n'
        )
        self._process = subprocess.Popen(
            [NATS_SERVER, "-c", configuration], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None


@pytest.fixture
def log_server(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[LogServer]:
    server = LogServer(tmp_path, free_port())
    server.start()
    yield server
    server.kill()


@pytest.fixture
def publisher() -> RecordingPublisher:
    return RecordingPublisher()


@pytest.fixture
def new_publisher() -> type[RecordingPublisher]:
    return RecordingPublisher


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Return a wait for something that a real server will make true."""

    async def wait(happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + ANSWER_S
        while not happened():
            assert time.monotonic() < deadline, "did not happen in time"
            await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def frames_on_log() -> Callable[[str], Awaitable[list[Frame]]]:
    """Return a function that reads every frame of the log in log order."""

    async def read(url: str) -> list[Frame]:
        client = Client()
        await client.connect(url)
        try:
            jetstream = client.jetstream()  # pyright: ignore[reportUnknownMemberType] - nats-py
            state = (await jetstream.stream_info(STREAM)).state
            frames: list[Frame] = []
            for sequence in range(state.first_seq, state.last_seq + 1):
                message = await jetstream.get_msg(STREAM, sequence, direct=True)
                frames.append(decode_frame(message.data or b""))
            return frames
        finally:
            await client.close()

    return read


@contextlib.asynccontextmanager
async def running(work: Awaitable[None]) -> AsyncGenerator[None]:
    """Run something beside a test and end it with the test."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def beside() -> Callable[[Awaitable[None]], contextlib.AbstractAsyncContextManager[None]]:
    return running
