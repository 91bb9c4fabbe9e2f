"""What a Mosquitto costs, where one is installed: QoS 1 in, and out to one subscriber."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from pathlib import Path
from typing import Final

from loadtest.capacity.calibration import MICROS, BrokerCost, part_rates
from loadtest.capacity.trials import trials
from loadtest.scenario.model import seconds_of
from madina.load_scenario import Shard, carry_out
from madina.load_watch import LoadTarget
from madina.supervisor.death import die_with_parent

__all__ = ["measured_broker"]

LOOPBACK: Final = "127.0.0.1"
START_S: Final = 10.0
LOOK_S: Final = 0.05
# Debian puts servers where users' paths do not look.
SERVERS: Final = "/usr/sbin:/usr/local/sbin"
# Nothing is dropped for a full queue: a broker that loses half of it is not half as dear.
CONFIGURATION: Final = """listener {port} 127.0.0.1
allow_anonymous true
persistence false
log_dest none
max_queued_messages 0
max_inflight_messages 1000
"""


def measured_broker(folder: Path, rate_per_s: float, seconds: float) -> BrokerCost | None:
    """Measure Mosquitto with one subscriber to everything; None where it is not installed.

    Raises:
        CommandError: No connection opened.
    """
    server = shutil.which("mosquitto") or shutil.which("mosquitto", path=SERVERS)
    subscriber = shutil.which("mosquitto_sub")
    if server is None or subscriber is None:
        return None
    trial = next(each for each in trials(rate_per_s, seconds) if each.role == "carried")
    with _broker(server, subscriber, folder) as (port, pid):
        target = LoadTarget(host=LOOPBACK, port=port, pids=lambda: {"broker": pid})
        run = carry_out(trial.scenario, target, None, Shard(), exact=False)
    acked = {each.elapsed_s: each.acked for each in run.history}
    until_s = seconds_of(trial.scenario.phases[0].seconds) + 1
    rates = None if run.bottleneck else part_rates(run.parts, acked, until_s)
    if rates is None or not rates.cores.get("broker"):
        return None
    cost_us = rates.cores["broker"] / rates.messages_per_s * MICROS
    return BrokerCost("mosquitto", cost_us, MICROS / cost_us)


@contextlib.contextmanager
def _broker(server: str, subscriber: str, folder: Path) -> Generator[tuple[int, int]]:
    """Run a broker and a subscriber; yield the broker's port and process id."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    configuration = folder / "mosquitto.conf"
    configuration.write_text(CONFIGURATION.format(port=port), encoding="utf-8")
    with contextlib.ExitStack() as running:
        broker = _started([server, "-c", str(configuration)], running)
        give_up_s = time.monotonic() + START_S
        while not _answers(port) and time.monotonic() < give_up_s:
            time.sleep(LOOK_S)
        _started([subscriber, "-h", LOOPBACK, "-p", str(port), "-q", "1", "-t", "#"], running)
        yield port, broker.pid


def _started(command: list[str], running: contextlib.ExitStack) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(  # noqa: S603 - programs that were found by name
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent(),  # noqa: PLW1509 - the watching thread has ended
    )
    running.callback(process.wait)
    running.callback(process.kill)
    return process


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), 1):
        return True
    return False
