"""Programs that a bench starts beside each other, each with the processor time it has used.

They live in a folder of the run's own, on ports nobody has, and are gone when the block ends.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cpu import cpu_s, rss_bytes
from bench.result import ROOT, BenchFailed
from madina.supervisor.death import die_with_parent
from madina.supervisor.nats_server import nats_server_path

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

__all__ = [
    "LogServer",
    "Program",
    "free_port",
    "gateway",
    "log_server",
    "mosquitto",
    "mosquitto_path",
    "program",
    "until",
]

START_S = 30.0
STOP_S = 20.0
LOOK_S = 0.01


class Program:
    """A process that runs.

    Attributes:
        name: For people; its output is in `NAME.log` of the run's folder.
        port: Where it listens; 0 where it does not.
    """

    def __init__(self, name: str, process: subprocess.Popen[bytes], said: Path, port: int) -> None:
        self.name = name
        self.process = process
        self.port = port
        self._said = said

    def cpu_s(self) -> float:
        """Return the processor seconds it has used."""
        self.check()
        return cpu_s(self.process.pid)

    def rss_bytes(self) -> int:
        """Return the memory it has now."""
        self.check()
        return rss_bytes(self.process.pid)

    def check(self) -> None:
        """Make sure that it runs.

        Raises:
            BenchFailed: With its last words.
        """
        if self.process.poll() is not None:
            words = self._said.read_text(encoding="utf-8", errors="replace").splitlines()
            last = "\n".join(words[-12:])
            raise BenchFailed(f"{self.name} ended with {self.process.returncode}: {last}")

    def ask(self, word: str) -> bytes:
        """Write a line to its standard input and return the line that it answers."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.check()
        self.process.stdin.write(word.encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            self.process.wait(STOP_S)
            self.check()
        return answer


class LogServer(Program):
    """A nats-server with JetStream.

    Attributes:
        url: Its address.
        mqtt_port: Of its own MQTT listener; 0 where there is none.
    """

    url = ""
    mqtt_port = 0


@contextlib.contextmanager
def program(  # noqa: PLR0913 - each of them is optional
    name: str,
    command: Sequence[str | Path],
    folder: Path,
    *,
    port: int = 0,
    environment: Mapping[str, str] | None = None,
    says_ready: bool = False,
    talks: bool = False,
) -> Generator[Program]:
    """Run a program for the length of a block.

    Args:
        name: For people.
        command: What to run.
        folder: For its output.
        port: Wait until something answers there.
        environment: On top of ours, from which every setting of madina is taken out.
        says_ready: Adds `--ready-fd N` and waits for the word.
        talks: Standard input and output are for `Program.ask`.
    """
    said = folder / f"{name}.log"
    ours = {key: value for key, value in os.environ.items() if not key.startswith("MADINA_")}
    reading, writing = os.pipe()
    pipe = subprocess.PIPE if talks else None
    with said.open("wb") as output:
        process = subprocess.Popen(
            [*command, *(["--ready-fd", str(writing)] if says_ready else [])],
            cwd=ROOT,
            env=ours | dict(environment or {}),
            stdin=pipe or subprocess.DEVNULL,
            stdout=pipe or output,
            stderr=output,
            pass_fds=(writing,) if says_ready else (),
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - no thread runs here
        )
    os.close(writing)
    running = Program(name, process, said, port)
    try:
        if says_ready:
            _wait_for_word(running, reading)
        if port:
            until(lambda: _answers(port), f"{name} to answer", running)
        yield running
    finally:
        os.close(reading)
        _stop(process)


@contextlib.contextmanager
def log_server(folder: Path, *, mqtt: bool = False) -> Generator[LogServer]:
    """Run the project's own nats-server, as `madina up` configures it; with its MQTT if wanted."""
    port, mqtt_port = free_port(), free_port() if mqtt else 0
    lines = [
        "server_name: bench",
        "host: 127.0.0.1",
        f"port: {port}",
        "max_payload: 2MB",
        f'jetstream {{ store_dir: "{folder}/nats", sync_interval: "100ms" }}',
    ]
    if mqtt:
        lines.append(f"mqtt {{ host: 127.0.0.1, port: {mqtt_port}, max_ack_pending: 65535 }}")
    configuration = folder / "nats.conf"
    configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [nats_server_path(), "-c", configuration]
    with program("nats-server", command, folder, port=port) as running:
        server = LogServer(running.name, running.process, folder / "nats-server.log", port)
        server.url = f"nats://127.0.0.1:{port}"
        server.mqtt_port = mqtt_port
        if mqtt:
            until(lambda: _answers(mqtt_port), "its MQTT to answer", server)
        yield server


@contextlib.contextmanager
def gateway(
    folder: Path, log: LogServer, name: str = "gateway-0", **settings: object
) -> Generator[Program]:
    """Run `madina gateway` with settings by their field names."""
    port = free_port()
    chosen = {
        "mqtt_port": port,
        "nats_url": log.url,
        "data_dir": folder / "data",
        "disk_reserve": 0,
        "mqtt_connect_rate": 100_000,
    }
    given = {f"MADINA_{key.upper()}": str(value) for key, value in (chosen | settings).items()}
    command = [sys.executable, "-m", "madina", "gateway", "--name", name]
    with program(name, command, folder, port=port, environment=given, says_ready=True) as running:
        yield running


@contextlib.contextmanager
def bridge(folder: Path, log: LogServer, *urls: str) -> Generator[Program]:
    """Run `madina bridge` to some brokers."""
    given = {
        "MADINA_NATS_URL": log.url,
        "MADINA_DATA_DIR": str(folder / "data"),
        "MADINA_DISK_RESERVE": "0",
        "MADINA_BRIDGE_URLS": " ".join(urls),
    }
    command = [sys.executable, "-m", "madina", "bridge"]
    with program("bridge", command, folder, environment=given, says_ready=True) as running:
        # It says ready before the broker has granted its filters.
        said = folder / "bridge.log"
        until(lambda: b"broker.subscribed" in said.read_bytes(), "the broker", running)
        yield running


def mosquitto_path() -> str:
    """Return where Mosquitto is; Debian keeps it out of the path of users.

    Raises:
        BenchFailed: There is none.
    """
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if found is None:
        raise BenchFailed("there is no mosquitto: scripts/debian-packages mosquitto")
    return found


@contextlib.contextmanager
def mosquitto(folder: Path) -> Generator[Program]:
    """Run Mosquitto as a broker for a test city: anonymous, nothing kept on disk."""
    found = mosquitto_path()
    port = free_port()
    configuration = folder / "mosquitto.conf"
    configuration.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest none\n"
        # Its default of 1,000 queued messages would drop the rest of a burst: the fair setting.
        "max_queued_messages 0\nmax_inflight_messages 1000\n",
        encoding="utf-8",
    )
    with program("mosquitto", [found, "-c", configuration], folder, port=port) as running:
        yield running


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(
    happened: Callable[[], bool], what: str, *running: Program, patience_s: float = START_S
) -> None:
    """Wait for something.

    Args:
        happened: A function without arguments that says so.
        what: For the words of a failure.
        running: Programs that must not end meanwhile.
        patience_s: How long.

    Raises:
        BenchFailed: If it did not happen, or a program ended.
    """
    give_up_s = time.monotonic() + patience_s
    while not happened():
        for each in running:
            each.check()
        if time.monotonic() > give_up_s:
            raise BenchFailed(f"waited {patience_s:g} s for {what}")
        time.sleep(LOOK_S)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _wait_for_word(running: Program, reading: int) -> None:
    give_up_s = time.monotonic() + START_S
    while not select.select([reading], [], [], LOOK_S)[0]:
        running.check()
        if time.monotonic() > give_up_s:
            raise BenchFailed(f"{running.name} did not say that it serves")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
