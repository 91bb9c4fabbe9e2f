"""A server that is stopped for a second is reported as the schedule says, not as it was lived."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Platform

pytestmark = [
    pytest.mark.live, pytest.mark.journey, pytest.mark.alone, pytest.mark.timeout(240),
]  # fmt: skip

RUN_S = 20.0
STOP_AT_S = 8.0
STOP_S = 1.0
EVERY_S = 0.01
IN_FLIGHT = 12
DEVICES = 20
# The windows together hold 240 of 40,000 messages: below 1 %, so that a closed loop overlooks them.
SCENARIO = f"""
name: honesty
fleets:
 - {{name: own, devices: {DEVICES}, every: {EVERY_S}s, in_flight: {IN_FLIGHT}}}
phases:
 - {{kind: hold, seconds: {RUN_S}s}}
reading: {{devices: 0}}
budgets: {{lag_p99: 5s}}
checked: 4
"""
CONNECT = b"\x10\x13\x00\x04MQTT\x04\x02\x00\x00\x00\x07witness"
CONNACK = b"\x20\x02\x00\x00"
PINGREQ, PINGRESP = b"\xc0\x00", b"\xd0\x00"


class Stop(threading.Thread):
    """Stops a server for a second in the middle of a run.

    Attributes:
        stop_s: From the stop until the server answered again, as a device of its own saw it.
    """

    def __init__(self, port: int, pid: Callable[[], int]) -> None:
        super().__init__()
        self.stop_s = 0.0
        self._port = port
        self._pid = pid
        self.begun = threading.Event()

    def run(self) -> None:
        self.begun.wait(60)
        time.sleep(STOP_AT_S)
        pid = self._pid()
        with socket.create_connection(("127.0.0.1", self._port), timeout=30) as witness:
            witness.sendall(CONNECT)
            assert witness.recv(4, socket.MSG_WAITALL) == CONNACK
            os.kill(pid, signal.SIGSTOP)
            stopped_s = time.perf_counter()
            try:
                witness.sendall(PINGREQ)
                time.sleep(STOP_S)
            finally:
                os.kill(pid, signal.SIGCONT)
            assert witness.recv(2, socket.MSG_WAITALL) == PINGRESP
            self.stop_s = time.perf_counter() - stopped_s


@pytest.fixture
def mosquitto(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[tuple[int, int]]:
    """Start a broker; return its port and process id."""
    port = free_port()
    configuration = tmp_path / "mosquitto.conf"
    user = "user root\n" if os.geteuid() == 0 else ""
    configuration.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n{user}")
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    with subprocess.Popen([program, "-c", configuration], stderr=subprocess.DEVNULL) as server:
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        yield port, server.pid
        server.kill()


# The JSON of our own command: tests look at its members, so its type is left open.
def told_of(stop: Stop, command: list[str], environment: dict[str, str], folder: Path) -> Any:  # noqa: ANN401
    """Run the scenario with a stop in it; return what the report says."""
    scenario = folder / "honesty.yaml"
    scenario.write_text(SCENARIO)
    stop.start()
    with subprocess.Popen(
        [*command, scenario, "--out", folder, "--json"],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as run:  # fmt: skip
        assert run.stderr is not None
        assert run.stdout is not None
        # Its first line of progress comes with the first messages.
        first = run.stderr.readline()
        stop.begun.set()
        threading.Thread(target=run.stderr.read, daemon=True).start()
        answer = run.stdout.read()
    stop.join()
    assert answer, first
    return msgspec.json.decode(answer)


def assert_honest(told: Any, stop_s: float) -> None:  # noqa: ANN401
    """Compare a report with what the schedule says of a stop (goal G8).

    A message due t after the stop began waits stop_s - t for its end, and then for the messages
    before it: with windows that are used to a share u when nothing is wrong, u t longer. So of
    all messages, one in RUN_S / x waited longer than stop_s - (1 - u) x.
    """
    assert told["complaints"] == []
    found = told["latency"]
    assert found["count"] == told["scheduled"] == RUN_S / EVERY_S * DEVICES
    used = min(1.0, told["service"]["p50_ms"] / 1_000 / (IN_FLIGHT * EVERY_S))
    for name, share in (("p99_ms", 0.01), ("p99_9_ms", 0.001), ("max_ms", 0.0)):
        wanted_ms = 1_000 * (stop_s - (1.0 - used) * share * RUN_S)
        assert found[name] == pytest.approx(wanted_ms, rel=0.1), (name, used, told)
    # The control: a closed loop would have said that hardly anybody waited.
    assert told["service"]["p99_ms"] < found["p99_ms"] / 2


def test_a_stopped_gateway_is_seen_as_the_schedule_says(
    start: Callable[..., Platform], tmp_path: Path
) -> None:
    platform = start()
    stop = Stop(platform.mqtt_port, lambda: platform.run.children["gateway-0"])
    told = told_of(stop, [*platform.program, "load", "run"], platform.environment, tmp_path)
    assert told["account"]["accepted"] == told["scheduled"]
    assert_honest(told, stop.stop_s)


def test_a_stopped_broker_of_others_is_seen_as_the_schedule_says(
    mosquitto: tuple[int, int], tmp_path: Path
) -> None:
    port, pid = mosquitto
    stop = Stop(port, lambda: pid)
    command = [sys.executable, "-m", "madina", "load", "run"]
    options = ["--host", "127.0.0.1", "--port", str(port)]
    told = told_of(stop, [*command, *options], {**os.environ}, tmp_path)
    assert_honest(told, stop.stop_s)
