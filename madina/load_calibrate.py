"""`madina load calibrate`: a platform of its own, short runs on it, and what each part used.

It runs in a folder beside the data folder, with settings as they come, so that a city's data are
never touched and its store's disk is the one that is measured.
"""

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec
import numpy as np

from city.clock import MachineClock
from city.instants import to_text
from loadtest.capacity.batches import (
    Batch,
    Look,
    batches_alone,
    checkpoint_of,
    look_of,
    spread_of,
    typical,
)
from loadtest.capacity.calibration import (
    BrokerCost,
    Calibration,
    CodecCost,
    Commits,
    Line,
    PartRates,
    above_fixed_us,
    fitted,
    steps_of,
)
from loadtest.capacity.trials import Trial, steady_rates, trials, wire_bytes
from loadtest.outcome.run import LoadRun
from loadtest.rig.fleet_load import fleet_format
from loadtest.rig.machine import revision, rss_bytes, this_machine
from loadtest.rig.sampling import ApiAddress
from loadtest.stream.content import FleetContent
from loadtest.stream.packets import messages
from madina.api import Api, api
from madina.data_folder import DataFolder, RunFile
from madina.errors import CommandError
from madina.load import balance
from madina.load_broker import measured_broker
from madina.load_scenario import Platform, Shard, carry_out
from madina.load_stored import measured_stored_bytes
from madina.load_watch import LoadTarget
from madina.settings import Settings
from madina.supervisor.death import die_with_parent

__all__ = ["calibrate"]

START_S: Final = 60.0
STOP_S: Final = 90.0
LOOK_S: Final = 0.2
# Twice as often as batches come, and not in step with them.
BATCH_LOOK_S: Final = 0.047
BATCHES_LEAST: Final = 3
SAMPLED: Final = 2_000
GATEWAY, LOG, NODE, GENERATOR = "gateway-", "nats", "node", "generator"


class _Trialled(msgspec.Struct, frozen=True):
    """One run and what belongs to it.

    Attributes:
        batches: Of ingest, those that were seen alone.
        connection_bytes: What the gateway grew by for each connection.
        observations: Stored a message.
    """

    trial: Trial
    rates: PartRates
    batches: list[Batch]
    connection_bytes: int
    observations: float


def calibrate(
    beside: Path, rate_per_s: float, seconds: float, tell: Callable[[str], None]
) -> Calibration:
    """Measure what messages cost on this machine.

    Args:
        beside: Folder on the disk that is to be measured.
        rate_per_s: Of the quick runs.
        seconds: Of each run.
        tell: Called with what is being done.

    Raises:
        CommandError: The platform did not start or did not keep up, a message was lost, or the
            generator was the bottleneck: such figures say nothing about the platform.
    """
    began_s = time.monotonic()
    beside.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="calibration-", dir=beside) as name:
        folder = DataFolder(Path(name) / "data")
        tell("starting a platform of its own")
        with _running(folder) as run, api(folder.path) as calls:
            planned = trials(rate_per_s, seconds)
            done = [
                _tried(each, calls, folder, run, tell, f"{at}/{len(planned)}")
                for at, each in enumerate(planned, 1)
            ]
        tell("bytes of what is stored")
        stored_bytes = measured_stored_bytes(Path(name))
        tell("a broker, where one is installed")
        broker = measured_broker(Path(name), rate_per_s, seconds)
    return _calibration(done, stored_bytes, broker, time.monotonic() - began_s)


def _tried(
    trial: Trial, calls: Api, folder: DataFolder, run: RunFile, tell: Callable[[str], None], at: str
) -> _Trialled:
    tell(f"{at}: {trial.scenario.fleets[0].name}")
    # As the private platform has them: the defaults, whatever the environment says.
    settings = Settings.model_validate({"data_dir": folder.path})
    where = urlsplit(run.mqtt)
    target = LoadTarget(
        host=where.hostname or "127.0.0.1",
        port=where.port or 1883,
        address=ApiAddress(run.http, folder.admin_key()),
        pids=lambda: (folder.running() or run).children,
    )
    before = balance(calls, None)
    memory = _gateway_bytes(run)
    with _looks_of(run.http) as looks:
        load = carry_out(trial.scenario, target, Platform(calls, settings), Shard(), exact=False)
    rates = _steady(trial, load)
    rates.cores[GENERATOR] = load.cpu_s / load.seconds
    after = balance(calls, None)
    accepted = after.messages.accepted - before.messages.accepted
    ticks = [each[0].rss_bytes for name, each in load.parts.items() if name.startswith(GATEWAY)]
    return _Trialled(
        trial,
        rates,
        _batches(trial, looks),
        max(0, sum(ticks) - memory) // max(1, load.connections),
        (after.observations.stored - before.observations.stored) / max(1, accepted),
    )


def _batches(trial: Trial, looks: list[Look]) -> list[Batch]:
    """Return batches that were seen alone.

    Raises:
        CommandError: There are too few to say anything.
    """
    found = [each for each in batches_alone(looks) if each.messages]
    if len(found) < BATCHES_LEAST:
        raise CommandError(
            f"{trial.scenario.fleets[0].name}: only {len(found)} batches were seen. Nothing was"
            " calibrated: wait until the machine is less busy, or give more --seconds"
        )
    return found


def _steady(trial: Trial, load: LoadRun) -> PartRates:
    """Return what a run used.

    Raises:
        CommandError: It says nothing about the platform.
    """
    found = steady_rates(trial, load)
    if isinstance(found, str):
        raise CommandError(f"{trial.scenario.fleets[0].name}: {found}. Nothing was calibrated")
    return found


def _calibration(
    done: list[_Trialled],
    stored_bytes: float,
    broker: BrokerCost | None,
    seconds: float,
) -> Calibration:
    by_role = {each.trial.role: each.rates for each in done if each.trial.role != "format"}
    pair = by_role["carried-slow"], by_role["carried"]
    lines = {part: fitted(*pair, part) for part in (GATEWAY, LOG, NODE, GENERATOR)}
    carried = [each for each in done if each.trial.role in {"carried", "format"}]
    shares = [_parted(each.batches) for each in carried]
    share = statistics.median(each.commit_share for each in shares) if shares else 0.0
    slow, quick = (
        next(each for each in done if each.trial.role == role)
        for role in ("carried-slow", "carried")
    )
    return Calibration(
        made_at=to_text(MachineClock().now_us()),
        revision=revision(),
        machine=this_machine(),
        seconds=seconds,
        gateway=lines[GATEWAY],
        own_connection=fitted(by_role["own-slow"], by_role["own"], GATEWAY),
        log=lines[LOG],
        node=lines[NODE],
        generator=lines[GENERATOR],
        batches=steps_of(typical(slow.batches), typical(quick.batches)),
        spread=spread_of(quick.batches),
        checkpoint=checkpoint_of(quick.batches),
        codecs={each.trial.format: _codec(each, lines) for each in carried},
        commits=Commits(share, sum(each.looks for each in shares)),
        stored_bytes=stored_bytes,
        connection_bytes=next(
            each for each in done if each.trial.role == "own-slow"
        ).connection_bytes,
        resident_bytes=by_role["carried"].rss_bytes,
        broker=broker,
    )


def _codec(done: _Trialled, lines: dict[str, Line]) -> CodecCost:
    node_us = above_fixed_us(done.rates, NODE, lines[NODE])
    share = _parted(done.batches).commit_share
    return CodecCost(
        gateway_us=above_fixed_us(done.rates, GATEWAY, lines[GATEWAY]),
        log_us=above_fixed_us(done.rates, LOG, lines[LOG]),
        ingest_us=node_us * (1 - share),
        store_us=node_us * share,
        wire_bytes=_wire_bytes(done.trial),
        observations=done.observations,
    )


def _wire_bytes(trial: Trial) -> float:
    rule = trial.scenario.fleets[0]
    content = FleetContent(rule, trial.scenario, MachineClock().now_us() // 1_000)
    form = fleet_format(rule, content, rule.name)
    return wire_bytes(messages(content, form, np.arange(SAMPLED, dtype=np.int64)))


def _gateway_bytes(run: RunFile) -> int:
    return sum(rss_bytes(pid) for name, pid in run.children.items() if name.startswith(GATEWAY))


@contextlib.contextmanager
def _looks_of(http: str) -> Generator[list[Look]]:
    """Look at ingest's counters while the block runs; what it yields is filled meanwhile."""
    found: list[Look] = []
    over = threading.Event()

    def look() -> None:
        with httpx.Client(trust_env=False) as client:
            while not over.wait(BATCH_LOOK_S):
                with contextlib.suppress(httpx.HTTPError, KeyError):
                    text = client.get(f"{http}/metrics").text
                    found.append(look_of(text, time.monotonic()))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def _parted(batches: list[Batch]) -> Commits:
    work = sum(each.work_cpu_s for each in batches)
    commit = sum(each.commit_s for each in batches)
    return Commits(commit / (work + commit) if work + commit else 0.0, len(batches))


@contextlib.contextmanager
def _running(folder: DataFolder) -> Generator[RunFile]:
    """Run `madina up` with nothing of the environment's settings, and end it with the block."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MADINA_")}
    ports = dict.fromkeys(("MADINA_HTTP_PORT", "MADINA_MQTT_PORT", "MADINA_NATS_PORT"), "0")
    said = folder.path.with_name("said")
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "madina", "up"],
            env={
                **kept,
                **ports,
                "MADINA_DATA_DIR": str(folder.path),
                "MADINA_MQTT_CONNECT_RATE": "100000",
            },
            cwd=folder.path.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent(),  # noqa: PLW1509 - no thread runs yet
        )
    try:
        yield _up(folder, process, said)
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _up(folder: DataFolder, process: subprocess.Popen[bytes], said: Path) -> RunFile:
    give_up_s = time.monotonic() + START_S
    while True:
        run = folder.running()
        if run is not None and b"Ctrl-C stops" in said.read_bytes():
            return run
        if process.poll() is not None or time.monotonic() > give_up_s:
            last = said.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            raise CommandError(f"no platform to measure: {''.join(last) or 'it says nothing'}")
        time.sleep(LOOK_S)
