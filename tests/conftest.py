"""What every test may ask for: hypothesis profiles and real servers on free ports."""

import asyncio
import contextlib
import fcntl
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from nats.aio.client import Client
from psycopg import sql

from city.frame import Frame, decode_frame
from city.subjects import STREAM
from store.influx import InfluxAddress
from store.influx.connection import Connection
from store.influx.provision import provision

settings.register_profile("quick", max_examples=50, deadline=None)
settings.register_profile(
    "gate", max_examples=200, derandomize=True, print_blob=True, deadline=None
)
settings.register_profile("search", max_examples=20_000, deadline=None)
settings.load_profile("quick")

NATS_SERVER = Path(sys.executable).parent / "nats-server"
# Of the ports from 10,000 to 32,000, for processes that run tests side by side.
PORT_RANGES, PORTS = 11, 2_000
TOGETHER = "TESTS_TOGETHER"
START_S = 20
ANSWER_S = 20
ReadFrames = Callable[[str], Awaitable[list[Frame]]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--data", type=Path, help="folder with real data, for tests/acceptance")
    parser.addoption("--stores", default="duckdb", help="for tests/acceptance: duckdb,influxdb")


def pytest_configure(config: pytest.Config) -> None:
    """Make a folder that all processes of this run have together, and let signals be heard.

    What a shell runs in the background has SIGINT ignored, and below `nohup` SIGHUP is: so would
    all servers that tests start, and send these signals to. A handler is not passed on to them.
    """
    for each in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(each) is signal.SIG_IGN:
            signal.signal(each, _heard)
    if TOGETHER not in os.environ:
        os.environ[TOGETHER] = tempfile.mkdtemp(prefix="madina-tests-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop(TOGETHER)))


def _heard(_number: int, _frame: object) -> None:
    """Go on."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let a test that measures time run while no other process runs one.

    Who waits for that stands in the door, so that no new test begins before it. Outside of the
    time that a test may take.
    """
    folder = Path(os.environ[TOGETHER])
    alone = item.get_closest_marker("alone") is not None
    with (folder / "door").open("w") as door, (folder / "running").open("w") as running:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(running, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        return (yield)


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"{process.args!r} ended with status {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    pytest.fail(f"{process.args!r} does not answer on port {port}")


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Return a function that finds a port nobody listens on.

    Below those that the system gives to outgoing connections: one of these could take it between
    now and the start of the server it is for. Each process that runs tests has a range of its own.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    lowest = 10_000 + worker % PORT_RANGES * PORTS

    def find() -> int:
        while True:
            port = lowest + random.randrange(PORTS)
            with contextlib.suppress(OSError), socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
                return port

    return find


INFLUXD_CONFIGURATION = """reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  index-version = "tsi1"
  max-values-per-tag = 0
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
[monitor]
  store-enabled = false
[continuous_queries]
  run-interval = "1s"
"""


class Influxd:
    """An InfluxDB server that can be killed and started again.

    Attributes:
        port: Of its HTTP.
    """

    def __init__(self, folder: Path, port: int, rpc: int) -> None:
        self.port = port
        self._configuration = folder / "influxdb.conf"
        self._configuration.write_text(
            INFLUXD_CONFIGURATION.format(folder=folder, port=port, rpc=rpc)
        )
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["influxd", "-config", self._configuration],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_port(self.port, self.process)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


@pytest.fixture(scope="session")
def influxd(
    tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]
) -> Iterator[Influxd]:
    """Start one InfluxDB for the whole run; each test takes a database of its own."""
    server = Influxd(tmp_path_factory.mktemp("influxd"), free_port(), free_port())
    yield server
    server.kill()


@pytest.fixture
def lone_influxd(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Influxd]:
    """Start an InfluxDB of this test's own, that may be killed."""
    folder = tmp_path / "influxd"
    folder.mkdir()
    server = Influxd(folder, free_port(), free_port())
    yield server
    server.kill()


@pytest.fixture(scope="session")
def new_database(influxd: Influxd) -> Callable[[], InfluxAddress]:
    """Return a function that makes a database."""

    def make() -> InfluxAddress:
        address = InfluxAddress(influxd.url, f"test_{secrets.token_hex(6)}")
        with contextlib.closing(Connection(address)) as connection:
            provision(connection)
        return address

    return make


@pytest.fixture
def nats_url(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[str]:
    """Start a nats-server with JetStream of this test's own; return its address."""
    port = free_port()
    configuration = tmp_path / "nats.conf"
    configuration.write_text(
        f"host: 127.0.0.1\nport: {port}\nmax_payload: 2MB\n"
        f'jetstream {{ store_dir: "{tmp_path}/nats", sync_interval: 100ms }}\n'
    )
    with subprocess.Popen(
        [NATS_SERVER, "-c", configuration], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        wait_for_port(port, server)
        yield f"nats://127.0.0.1:{port}"
        server.kill()


# Where Debian keeps the programs of each version.
POSTGRESQL = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
PASSWORD = "only-for-tests"  # noqa: S105


@pytest.fixture(scope="session")
def postgresql(free_port: Callable[[], int]) -> Iterator[str]:
    """Start a PostgreSQL server of this run's own; return its address, without a database.

    It sorts by language, as most clusters do, and asks for passwords.
    """
    assert POSTGRESQL, "install it: scripts/debian-packages postgresql"
    programs, port = POSTGRESQL[-1], free_port()
    # It refuses to run as root, and then needs a folder that its user can reach.
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="madina-postgresql-"))
    password = folder / "password"
    password.write_text(PASSWORD)
    if user:
        shutil.chown(folder, user)
    cluster = folder / "cluster"
    made = (
        f"--pgdata={cluster} --username=madina --auth=scram-sha-256 --pwfile={password} --no-sync"
    )
    sorts = "--encoding=UTF8 --locale=C --locale-provider=icu --icu-locale=es"
    subprocess.run(
        [programs / "initdb", *made.split(), *sorts.split()],
        user=user,
        cwd=folder,
        check=True,
        capture_output=True,
    )
    options = {"port": port, "listen_addresses": "127.0.0.1", "fsync": "off"}
    options |= {"unix_socket_directories": folder}
    given = [f"--{name}={value}" for name, value in options.items()]
    try:
        with subprocess.Popen(
            [programs / "postgres", "-D", cluster, *given],
            user=user,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as server:
            url = f"postgresql://madina:{PASSWORD}@127.0.0.1:{port}"
            _wait_for_postgresql(f"{url}/postgres", server)
            yield url
            server.send_signal(signal.SIGINT)
    finally:
        shutil.rmtree(folder)


def _wait_for_postgresql(url: str, server: subprocess.Popen[bytes]) -> None:
    """Wait until it answers: it listens before it does."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(url, connect_timeout=START_S).close()
            return
        time.sleep(0.02)
    pytest.fail(f"PostgreSQL does not answer at {url} (status {server.poll()})")


@pytest.fixture
def postgresql_url(postgresql: str) -> Callable[[], str]:
    """Return a function that makes an empty database and returns its address."""

    def make() -> str:
        name = f"city_{uuid.uuid4().hex}"
        with psycopg.connect(f"{postgresql}/postgres", autocommit=True) as connection:
            made = sql.SQL("create database {}").format(sql.Identifier(name))
            connection.execute(made)
        return f"{postgresql.replace('://', '+psycopg://')}/{name}"

    return make


class RecordingPublisher:
    """A connection that remembers what was confirmed."""

    def __init__(self) -> None:
        self.acknowledgements: list[bytes] = []
        self.size_bytes = 0

    def confirmed(self, acknowledgements: bytes, size_bytes: int) -> None:
        self.acknowledgements.append(acknowledgements)
        self.size_bytes += size_bytes


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
def frames_on_log() -> ReadFrames:
    """Return a function that reads every frame of the log in log order."""

    async def read(url: str) -> list[Frame]:
        client = Client()
        await client.connect(url)
        try:
            jetstream = client.jetstream()  # pyright: ignore[reportUnknownMemberType] - nats-py
            state = (await jetstream.stream_info(STREAM)).state
            frames: list[Frame] = []
            for sequence in range(max(state.first_seq, 1), state.last_seq + 1):
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
