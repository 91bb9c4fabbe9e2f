"""Real brokers to bridge, and bridges to be killed."""

import asyncio
import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from nats.aio.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from city.frame import Frame
from city.gateway_state import BrokerState, GatewayState, decode_state, state_subject

NATS_SERVER = Path(sys.executable).parent / "nats-server"
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
ANSWER_S = 30

ReadFrames = Callable[[str], Awaitable[list[Frame]]]


def wait_until(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + ANSWER_S
    while not happened():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


class BrokerServer:
    """A broker that tests kill and start again on the same folder."""

    def __init__(self, folder: Path, port: int, command: list[str]) -> None:
        self.folder = folder
        self.port = port
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "broker.log").open("ab") as said:
            self._process = subprocess.Popen(self._command, stdout=said, stderr=said)
        wait_until(self._answers, f"{self._command[0]} on port {self.port}")

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    @property
    def nats_url(self) -> str:
        """Address of a nats-server."""
        return f"nats://127.0.0.1:{self.port}"

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "broker.log").read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


class StartBroker:
    """Starts brokers and ends them with the test."""

    def __init__(self, folder: Path, free_port: Callable[[], int]) -> None:
        self._folder = folder
        self._free_port = free_port
        self._started: list[BrokerServer] = []

    def mosquitto(self, *lines: str, listener: str = "") -> BrokerServer:
        """Start Mosquitto: anonymous, with persistence; `lines` of its configuration on top."""
        folder, port = self._room()
        store = folder / "store"
        store.mkdir()
        text = [
            f"listener {port} 127.0.0.1",
            *(listener.splitlines() or ["allow_anonymous true"]),
            "persistence true",
            f"persistence_location {store}/",
            "set_tcp_nodelay true",
            "max_queued_messages 0",
            "max_inflight_messages 1000",
            *lines,
        ]
        if os.geteuid() == 0:
            text.append("user root")
        configuration = folder / "mosquitto.conf"
        configuration.write_text("\n".join(text) + "\n")
        return self._start(folder, port, [MOSQUITTO, "-c", str(configuration)])

    def nats(self, mqtt: str = "", server: str = "") -> BrokerServer:
        """Start nats-server with its MQTT; `mqtt` and `server` are more of its configuration."""
        folder, port = self._room()
        configuration = folder / "nats.conf"
        configuration.write_text(
            f"server_name: broker\nhost: 127.0.0.1\nport: {self._free_port()}\n"
            f'jetstream {{ store_dir: "{folder}/js", sync_interval: always }}\n'
            f"mqtt {{ host: 127.0.0.1, port: {port}, max_ack_pending: 1000\n{mqtt} }}\n{server}"
        )
        return self._start(folder, port, [str(NATS_SERVER), "-c", str(configuration)])

    def documented(self, kind: str, text: str) -> BrokerServer:
        """Start a broker with a text of docs/bridges.md, in another place than that says."""
        folder, port = self._room()
        if kind == "nats-server":
            text = text.replace("/var/lib/nats", str(folder)).replace("1883", str(port))
            text += f"host: 127.0.0.1\nport: {self._free_port()}\n"
            command = str(NATS_SERVER)
        else:
            text = text.replace("/var/lib/mosquitto/", f"{folder}/")
            text += f"listener {port} 127.0.0.1\nallow_anonymous true\n"
            text += "user root\n" if os.geteuid() == 0 else ""
            command = MOSQUITTO
        configuration = folder / "broker.conf"
        configuration.write_text(text)
        return self._start(folder, port, [command, "-c", str(configuration)])

    def log(self) -> BrokerServer:
        """Start the log of a test that stops it for a while."""
        folder, port = self._room()
        configuration = folder / "nats.conf"
        configuration.write_text(
            f"host: 127.0.0.1\nport: {port}\nmax_payload: 2MB\n"
            f'jetstream {{ store_dir: "{folder}/js", sync_interval: 100ms }}\n'
        )
        return self._start(folder, port, [str(NATS_SERVER), "-c", str(configuration)])

    def _room(self) -> tuple[Path, int]:
        folder = self._folder / f"broker-{len(self._started)}"
        folder.mkdir()
        return folder, self._free_port()

    def _start(self, folder: Path, port: int, command: list[str]) -> BrokerServer:
        server = BrokerServer(folder, port, command)
        self._started.append(server)
        server.start()
        return server

    def end(self) -> None:
        for server in self._started:
            server.kill()


class Bridge:
    """A `madina bridge` of a test."""

    def __init__(self, process: subprocess.Popen[bytes], said: Path) -> None:
        self.process = process
        self.said = said

    def stop(self) -> int:
        """End it in order; return its exit status."""
        self.process.terminate()
        return self.process.wait(ANSWER_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def rss_bytes(self) -> int:
        """Return the memory that it has."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


class StartBridge:
    """Starts bridges to the log of the test and ends them with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[Bridge] = []

    def __call__(self, nats_url: str, *urls: str, **settings: object) -> Bridge:
        """Start one with settings by their field names; it dials when this returns."""
        chosen = {"nats_url": nats_url, "data_dir": self._folder / "data", "disk_reserve": 0}
        chosen |= {"bridge_urls": " ".join(urls)} | settings
        given = {f"MADINA_{field.upper()}": str(value) for field, value in chosen.items()}
        reading, writing = os.pipe()
        said = self._folder / f"bridge-{len(self._started)}.log"
        with said.open("wb") as standard_error:
            process = subprocess.Popen(
                [sys.executable, "-m", "madina", "bridge", "--ready-fd", str(writing)],
                env=os.environ | given,
                pass_fds=(writing,),
                stderr=standard_error,
            )
        os.close(writing)
        bridge = Bridge(process, said)
        self._started.append(bridge)
        ready, _, _ = select.select([reading], [], [], ANSWER_S)
        assert ready, said.read_text()
        assert os.read(reading, 9) == b"ready\n", said.read_text()
        os.close(reading)
        return bridge

    def end(self) -> None:
        for bridge in self._started:
            bridge.kill()


@pytest.fixture
def broker(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[StartBroker]:
    """Return what starts brokers."""
    start = StartBroker(tmp_path, free_port)
    yield start
    start.end()


@pytest.fixture
def start_bridge(tmp_path: Path) -> Iterator[StartBridge]:
    """Return a function that starts `madina bridge`."""
    start = StartBridge(tmp_path)
    yield start
    start.end()


@contextlib.asynccontextmanager
async def states(url: str) -> AsyncGenerator[Callable[[], Awaitable[GatewayState]]]:
    client = Client()
    await client.connect(url)
    try:
        heard = await client.subscribe(state_subject("bridge-0"))  # pyright: ignore[reportUnknownMemberType] - nats-py

        async def following() -> GatewayState:
            return decode_state((await heard.next_msg(ANSWER_S)).data)

        yield following
    finally:
        await client.close()


class Watch:
    """Waits for what the bridge tells and for what is on the log."""

    def __init__(self, frames_on_log: ReadFrames) -> None:
        self._frames_on_log = frames_on_log

    async def state(
        self, nats_url: str, wanted: Callable[[BrokerState], bool], index: int = 0
    ) -> BrokerState:
        """Wait until a broker's state is as wanted."""
        deadline = time.monotonic() + ANSWER_S
        async with states(nats_url) as following:
            while True:
                state = ((await following()).brokers or ())[index]
                if wanted(state):
                    return state
                assert time.monotonic() < deadline, state

    async def arrives(self, nats_url: str, wanted: set[bytes]) -> Counter[bytes]:
        """Wait until payloads are on the log; return how often each is."""
        deadline = time.monotonic() + ANSWER_S
        while True:
            frames = await self._frames_on_log(nats_url)
            found = Counter(payload for frame in frames for payload in frame.payloads)
            missing = wanted - found.keys()
            if not missing:
                return found
            assert time.monotonic() < deadline, f"{len(missing)} of {len(wanted)} are missing"
            await asyncio.sleep(0.2)


@pytest.fixture
def watch(frames_on_log: ReadFrames) -> Watch:
    return Watch(frames_on_log)


class Sender:
    """A device at a broker, which sends again what was not acknowledged."""

    def __init__(self, port: int) -> None:
        self._payloads: dict[int, bytes] = {}
        # Written by the client's thread.
        self._done: set[int] = set()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id="sender", clean_session=False
        )
        self._client.max_inflight_messages_set(100)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_publish = self._published
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    @property
    def acknowledged(self) -> set[bytes]:
        """Payloads that the broker has acknowledged."""
        return {self._payloads[mid] for mid in list(self._done) if mid in self._payloads}

    def send(self, count: int, *, size: int = 0, topic: str = "plant/meter") -> None:
        """Queue messages of QoS 1; payloads begin with their numbers."""
        for _ in range(count):
            payload = b"%d" % len(self._payloads) + b" " * size
            self._payloads[self._client.publish(topic, payload, qos=1).mid] = payload

    async def settle(self) -> None:
        """Wait until everything is acknowledged."""
        async with asyncio.timeout(2 * ANSWER_S):
            while len(self._done) < len(self._payloads):
                await asyncio.sleep(0.02)

    def _published(self, _: object, __: object, mid: int, *___: object) -> None:
        self._done.add(mid)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


MakeSender = Callable[[BrokerServer], Sender]


@pytest.fixture
def sender() -> Iterator[MakeSender]:
    senders: list[Sender] = []

    def make(server: BrokerServer) -> Sender:
        senders.append(Sender(server.port))
        return senders[-1]

    yield make
    for each in senders:
        each.close()
