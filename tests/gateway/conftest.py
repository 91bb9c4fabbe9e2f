"""Small working parts that gateway tests share: publishers, servers and gateways to be killed."""

import asyncio
import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from city.frame import Frame

ReadFrames = Callable[[str], Awaitable[list[Frame]]]
Connect = Callable[..., Awaitable["RawDevice"]]

NATS_SERVER = Path(sys.executable).parent / "nats-server"
ANSWER_S = 20


class RawDevice:
    """A device that speaks MQTT by hand, so that tests see each byte.

    Attributes:
        acknowledged: Packet identifiers of PUBACKs, in order.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.acknowledged: list[int] = []

    @classmethod
    async def connect(
        cls, port: int, client: bytes = b"meter", level: int = 4, first: bytes = b""
    ) -> "RawDevice":
        """Connect and wait for a CONNACK that lets it in; `first` goes before MQTT."""
        device = cls(*await asyncio.open_connection("127.0.0.1", port))
        properties = b"\0" if level == 5 else b""
        body = b"\0\4MQTT" + bytes([level, 2, 0, 60]) + properties
        body += len(client).to_bytes(2) + client
        device.writer.write(first + b"\x10" + bytes([len(body)]) + body)
        try:
            answer = await asyncio.wait_for(device.reader.readexactly(2), ANSWER_S)
            rest = await asyncio.wait_for(device.reader.readexactly(answer[1]), ANSWER_S)
            assert (answer[0], rest[1]) == (0x20, 0), (answer + rest).hex()
        except BaseException:
            await device.close()
            raise
        return device

    def publish(self, identifier: int, payload: bytes, topic: bytes = b"a/b") -> None:
        """Send a PUBLISH of QoS 1 (3.1.1)."""
        body = len(topic).to_bytes(2) + topic + identifier.to_bytes(2) + payload
        size, length = len(body), b""
        while size > 127:
            length, size = length + bytes([size & 127 | 128]), size >> 7
        self.writer.write(b"\x32" + length + bytes([size]) + body)

    async def read_acknowledgements(self, count: int) -> None:
        """Wait until so many PUBACKs have come in all."""
        async with asyncio.timeout(ANSWER_S):
            while len(self.acknowledged) < count:
                packet = await self.reader.readexactly(4)
                assert packet[:2] == b"\x40\x02", packet.hex()
                self.acknowledged.append(int.from_bytes(packet[2:]))

    async def hears_nothing(self, for_s: float) -> bool:
        """Say whether nothing comes for so long."""
        try:
            heard = await asyncio.wait_for(self.reader.read(1), for_s)
        except TimeoutError:
            return True
        return not heard

    async def rest(self) -> bytes:
        """Return everything that comes until the gateway closes the connection."""
        return await asyncio.wait_for(self.reader.read(), ANSWER_S)

    async def close(self) -> None:
        """Close the connection without a word."""
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


class Gateway:
    """A `madina gateway` of a test.

    Attributes:
        port, tls_port: Where devices connect.
        said: What it wrote to standard error, as JSON lines.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], ports: tuple[int, int], said: Path
    ) -> None:
        self.process = process
        self.port, self.tls_port = ports
        self.said = said

    def stop(self) -> int:
        """End it in order; return its exit status."""
        self.process.terminate()
        return self.process.wait(ANSWER_S)

    def rss_bytes(self) -> int:
        """Return the memory that it has."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def cpu_s(self) -> float:
        """Return the processor time that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class StartGateway:
    """Starts gateways and ends them with the test."""

    def __init__(self, folder: Path, free_port: Callable[[], int]) -> None:
        self._folder = folder
        self._free_port = free_port
        self._started: list[Gateway] = []

    def __call__(self, nats_url: str, **settings: object) -> Gateway:
        """Start one with settings by their field names; it serves when this returns."""
        ports = (self._free_port(), self._free_port())
        name = str(settings.pop("name", f"gw-{len(self._started)}"))
        chosen = {"mqtt_port": ports[0], "nats_url": nats_url, "data_dir": self._folder} | settings
        if "mqtts_certificate" in chosen:
            chosen["mqtts_port"] = ports[1]
        given = {f"MADINA_{field.upper()}": str(value) for field, value in chosen.items()}
        reading, writing = os.pipe()
        said = self._folder / f"{name}.log"
        with said.open("wb") as standard_error:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "madina",
                    "gateway",
                    "--name",
                    name,
                    "--ready-fd",
                    str(writing),
                ],
                env=os.environ | given,
                pass_fds=(writing,),
                stderr=standard_error,
            )
        os.close(writing)
        port = int(str(chosen["mqtt_port"]))
        gateway = Gateway(process, (port, ports[1]), said)
        self._started.append(gateway)
        ready, _, _ = select.select([reading], [], [], ANSWER_S)
        assert ready, said.read_text()
        assert os.read(reading, 9) == b"ready\n", said.read_text()
        os.close(reading)
        return gateway

    def end(self) -> None:
        """Kill what still runs."""
        for gateway in self._started:
            gateway.process.kill()
            gateway.process.wait()


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
def start_gateway(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[StartGateway]:
    """Return a function that starts `madina gateway`."""
    start = StartGateway(tmp_path, free_port)
    yield start
    start.end()


@pytest.fixture
async def connect() -> AsyncGenerator[Connect]:
    """Return a function that connects a device; it is closed with the test."""
    devices: list[RawDevice] = []

    async def make(
        port: int, client: bytes = b"meter", level: int = 4, first: bytes = b""
    ) -> RawDevice:
        device = await RawDevice.connect(port, client, level, first)
        devices.append(device)
        return device

    yield make
    for device in devices:
        await device.close()
