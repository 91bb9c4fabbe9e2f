"""The whole platform as its users start it: `madina up`, in a process and a folder of its own."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
import paho.mqtt.client as paho
import psutil
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from madina.data_folder import DataFolder, RunFile

START_S = 90
STOP_S = 60
ACKNOWLEDGE_S = 60
EPOCH_S = 1_790_000_000
BLOCK = re.compile(r"^```console\n\$ (.*?)^```$", re.MULTILINE | re.DOTALL)
# What a step brings about is there a moment later; nobody types faster.
STEP_S = 30.0
LOOKS = re.compile(r"madina (quarantine list|ledger|devices unknown)|curl")
OURS = (sys.executable, "-m", "madina")
PORTS = {"MADINA_HTTP_PORT": "0", "MADINA_MQTT_PORT": "0", "MADINA_NATS_PORT": "0"}


class _Observation(msgspec.Struct):
    time: str
    value: float
    unit: str


class _Page(msgspec.Struct):
    items: list[_Observation]


class Platform:
    """A running `madina up`.

    Attributes:
        folder: Its data folder.
        process: The supervisor.
    """

    def __init__(
        self,
        folder: Path,
        environment: dict[str, str],
        program: Sequence[str],
        options: Sequence[str],
    ) -> None:
        self.folder = folder
        self.program = program
        # What pages name, and what it is here.
        self.places: dict[str, str] = {}
        self.environment = {**os.environ, **PORTS, **environment, "MADINA_DATA_DIR": str(folder)}
        self._output = folder.with_name(folder.name + ".out")
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [*program, "up", *options],
                cwd=folder.parent,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        """What it has printed."""
        return self._output.read_text(encoding="utf-8")

    @property
    def run(self) -> RunFile:
        """Its addresses and process ids."""
        run = DataFolder(self.folder).running()
        assert run is not None, f"it does not run: {self.said}"
        return run

    @property
    def mqtt_port(self) -> int:
        return int(self.run.mqtt.rpartition(":")[2])

    def wait_until_up(self) -> None:
        self.until(lambda: "Ctrl-C stops" in self.said, "madina up is up", START_S)

    def until(self, holds: Callable[[], bool], what: str, deadline_s: float = 60) -> None:
        end_s = time.monotonic() + deadline_s
        while not holds():
            assert self.process.poll() is None, f"{what}: it ended: {self.said}{self.logs()}"
            assert time.monotonic() < end_s, f"not after {deadline_s} s: {what}\n{self.logs()}"
            time.sleep(0.05)

    def publish(self, messages: int, first: int = 0) -> None:
        """Publish as a device would, QoS 1; return when the last one is acknowledged."""
        device = paho.Client(CallbackAPIVersion.VERSION2, client_id="meter-7")
        device.max_inflight_messages_set(100)
        device.connect("127.0.0.1", self.mqtt_port)
        device.loop_start()
        sent = [
            device.publish(
                "madina/v1/acme/meter-7/up",
                msgspec.json.encode(
                    {
                        "t": (EPOCH_S + n) * 1_000,
                        "obs": [{"q": "temperature", "v": n / 10, "u": "Cel"}],
                    }
                ),
                qos=1,
            )
            for n in range(first, first + messages)
        ]
        for each in sent:
            each.wait_for_publish(ACKNOWLEDGE_S)
        device.disconnect()
        device.loop_stop()
        assert all(each.is_published() for each in sent), self.logs()

    def ledger(self) -> dict[str, int]:
        """Return the messages of the ledger."""
        return self.madina("ledger")["messages"]

    def difference(self) -> dict[str, int]:
        """Return what does not add up."""
        return self.madina("ledger")["difference"]

    def observations(self, limit: int = 1_000) -> list[tuple[str, float]]:
        """Return the times and values of the device, as the API has them."""
        answer = httpx.get(
            self.run.http + "/v1/observations",
            params={"device": "acme/meter-7", "quantity": "temperature", "limit": limit},
        )
        assert answer.status_code == 200, answer.text
        items = msgspec.json.decode(answer.content, type=_Page).items
        assert {each.unit for each in items} <= {"Cel"}
        return [(each.time, each.value) for each in items]

    # JSON of our own commands: tests look at its members, so its type is left open.
    def madina(self, *arguments: str) -> Any:  # noqa: ANN401
        """Run a command beside it and return its JSON."""
        done = subprocess.run(
            [*self.program, *arguments, "--json"],
            cwd=self.folder.parent,
            env=self.environment,
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, f"{arguments}: {done.stderr.decode()}"
        return msgspec.json.decode(done.stdout)

    def until_dead(self, *pids: int) -> None:
        """Wait until processes are gone."""
        end_s = time.monotonic() + STOP_S
        while alive := [pid for pid in pids if _lives(pid)]:
            assert time.monotonic() < end_s, f"still there: {alive}"
            time.sleep(0.02)

    def interrupt(self) -> int:
        """Press Ctrl-C; return the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_S)

    def logs(self) -> str:
        """Return the end of every log file, for a failing test."""
        parts = (
            f"--- {path.name}\n{path.read_text(encoding='utf-8', errors='replace')[-3_000:]}"
            for path in sorted((self.folder / "logs").glob("*.log"))
        )
        return "\n".join(parts)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Platform]]:
    """Return a function that starts a platform and waits until it is up."""
    with contextlib.ExitStack() as started:

        def begin(
            folder: str = "data",
            program: Sequence[str] = OURS,
            options: Sequence[str] = (),
            **environment: str,
        ) -> Platform:
            platform = Platform(tmp_path / folder, environment, program, options)
            started.callback(_end, platform.process)
            platform.wait_until_up()
            return platform

        yield begin


def _lives(pid: int) -> bool:
    """Say whether a process exists; one that nobody has waited for yet is dead."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()


@pytest.fixture
def mosquitto(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[int]:
    """Start a broker that devices use already; return its port."""
    port = free_port()
    configuration = tmp_path / "mosquitto.conf"
    user = "user root\n" if os.geteuid() == 0 else ""
    configuration.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n{user}")
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    with subprocess.Popen([program, "-c", configuration], stderr=subprocess.DEVNULL) as server:
        yield port
        server.kill()


class Step(msgspec.Struct, frozen=True):
    """One block: a command, and the pieces of what it prints, in order."""

    command: str
    pieces: list[str]


def steps(page: Path) -> list[Step]:
    return [_step(block) for block in BLOCK.findall(page.read_text(encoding="utf-8"))]


def _step(block: str) -> Step:
    command, _, printed = block.partition("\n")
    if "<<'END'" in command:
        document, _, printed = printed.partition("END\n")
        command = f"{command}\n{document}END"
    pieces = [
        " ".join(piece.split()) for line in printed.splitlines() for piece in line.split("...")
    ]
    return Step(command, [piece for piece in pieces if piece])


def here(command: str, platform: Platform) -> str:
    """Return a command for the ports and programs of this test."""
    program = " ".join(platform.program)
    for written, meant in platform.places.items():
        command = command.replace(written, meant)
    return (
        command.replace(".venv/bin/madina", program)
        .replace("mosquitto_pub -q", f"mosquitto_pub -p {platform.mqtt_port} -q")
        .replace("http://127.0.0.1:8080", platform.run.http)
    )


def missing(said: str, pieces: list[str]) -> str:
    """Return the first piece that was not printed in its turn; empty where all were."""
    left = " ".join(said.split())
    for piece in pieces:
        _, found, left = left.partition(piece)
        if not found:
            return piece
    return ""


def told(step: Step, platform: Platform, folder: Path) -> str:
    """Carry out a step; return what it said where that is not what is written."""
    done = subprocess.run(
        ["/bin/bash", "-c", here(step.command, platform)],
        cwd=folder,
        env=platform.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    lacking = missing(done.stdout, step.pieces)
    if done.returncode == 0 and not lacking:
        return ""
    return f"{done.stdout}{done.stderr}lacks {lacking!r}, status {done.returncode}"


def carry_out(page: Path, platform: Platform, folder: Path) -> None:
    """Carry out every step of a page, and compare what it prints with what is written."""
    found = steps(page)
    assert len(found) > 10, "the blocks are not found"
    for step in found:
        lacking = told(step, platform, folder)
        end_s = time.monotonic() + (STEP_S if LOOKS.search(step.command) else 0)
        while lacking and time.monotonic() < end_s:
            time.sleep(0.2)
            lacking = told(step, platform, folder)
        assert not lacking, f"$ {step.command}\n{lacking}"


@pytest.fixture
def executed(tmp_path: Path) -> Callable[[Path, Platform], None]:
    """Return a function that carries out the commands of a page on a platform."""
    return lambda page, platform: carry_out(page, platform, tmp_path)
