"""Every ready fault scenario on both set-ups: on DuckDB, and behind a broker on InfluxDB.

As a person runs them: `madina load run NAME` beside a running platform. Faults that need a machine
prepared for them (a small disk, a link, a proxy) are in tests/journeys/test_outages.py.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from bench.influxd import DATABASE, configured, prepared
from bench.mortal import Part
from bench.processes import free_port, mosquitto_path, until
from bench.progress import say
from bench.result import ROOT, BenchFailed, BenchResult, Goal
from madina.data_folder import DataFolder

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

__all__ = ["Account", "Fault", "Latency", "Told", "judged", "measure", "table"]

ON_DUCKDB: Final = (
    "gateway-killed", "gateway-frozen", "log-killed", "log-frozen", "ingest-killed",
    "store-stalled",
)  # fmt: skip
# Devices are at the broker: a gateway has nobody.
BEHIND_A_BROKER: Final = (
    "broker-frozen", "bridge-killed", "log-killed", "log-frozen", "ingest-killed",
    "store-stalled", "store-frozen", "store-killed",
)  # fmt: skip
START_S: Final = 90.0
RUN_S: Final = 300.0
RESTART_S: Final = 1.0
PORTS: Final = {f"MADINA_{name}_PORT": "0" for name in ("HTTP", "MQTT", "NATS")}


class Account(msgspec.Struct, frozen=True):
    """Messages of a run; see `loadtest.outcome.findings`."""

    promised: int
    lost: int
    doubled: int
    difference: int


class Fault(msgspec.Struct, frozen=True):
    """A fault of a run; see `loadtest.outcome.faults`."""

    away_s: float | None
    catch_up_s: float | None


class Latency(msgspec.Struct, frozen=True):
    """From due to PUBACK."""

    max_ms: float


class Told(msgspec.Struct, frozen=True):
    """What a run says of itself."""

    complaints: list[str]
    account: Account
    faults: list[Fault]
    latency: Latency | None


Found = dict[tuple[str, str], Told]


def measure(seconds: float | None) -> BenchResult:  # noqa: ARG001 - scenarios say how long
    """Run all of them, and print the table of docs/load.md.

    Raises:
        BenchFailed: A platform did not start, or a scenario could not be run.
    """
    found: Found = {}
    with _platform({}) as run:
        for name in ON_DUCKDB:
            found["DuckDB", name] = run(name)
    with _behind_a_broker() as run:
        for name in BEHIND_A_BROKER:
            found["Mosquitto, InfluxDB", name] = run(name)
    for line in table(found):
        say(line)
    for (setup, name), each in found.items():
        for words in each.complaints:
            say(f"{setup}, {name}: {words}")
    return judged(found)


def judged(found: Found) -> BenchResult:
    """Return the result of all runs."""
    wrong = sum(each.account.lost + each.account.doubled for each in found.values())
    difference = sum(each.account.difference for each in found.values())
    failed = [f"{setup} {name}" for (setup, name), each in found.items() if each.complaints]
    return BenchResult(
        bench="faults",
        unit="messages lost plus doubled",
        value=wrong,
        samples=[
            {"setup": setup, "scenario": name, "told": msgspec.to_builtins(each)}
            for (setup, name), each in found.items()
        ],
        goals=[
            Goal("nothing lost", wrong, "0 lost, 0 double", not wrong),
            Goal("ledger", difference, "difference 0", not difference),
            Goal("as expected", len(failed), f"0 of {len(found)} scenarios fail", not failed),
        ],
        extra={"failed": failed},
    )


def table(found: Found) -> Iterator[str]:
    """Yield the lines of the table of docs/load.md."""
    yield "| set-up | scenario | lost of | away, s | caught up after, s | longest to PUBACK, s |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for (setup, name), told in found.items():
        fault = told.faults[0]
        longest = None if told.latency is None else told.latency.max_ms / 1_000
        cells = [f"{told.account.lost:,} of {told.account.promised:,}"]
        cells += [_shown(each) for each in (fault.away_s, fault.catch_up_s, longest)]
        yield f"| {setup} | `{name}` | {' | '.join(cells)} |"


def _shown(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f}"


class _Runs:
    """Runs scenarios on one platform."""

    def __init__(self, environment: dict[str, str], folder: Path, options: Sequence[str]) -> None:
        self._environment = environment
        self._folder = folder
        self._options = options

    def __call__(self, name: str) -> Told:
        command = [sys.executable, "-m", "madina", "load", "run", name, "--json"]
        done = subprocess.run(
            [*command, "--out", self._folder, *self._options], cwd=ROOT, env=self._environment,
            capture_output=True, check=False, timeout=RUN_S,
        )  # fmt: skip
        if not done.stdout:
            raise BenchFailed(f"{name}: {done.stderr.decode(errors='replace').strip()[-500:]}")
        told = msgspec.json.decode(done.stdout, type=Told)
        say(f"{name}: {told.account.lost} lost, {'; '.join(told.complaints) or 'as expected'}")
        return told


@contextlib.contextmanager
def _platform(
    settings: dict[str, str], options: Sequence[str] = (), parts: Sequence[Part] = ()
) -> Generator[_Runs]:
    """Run `madina up` for the length of a block, and what it needs beside it."""
    with tempfile.TemporaryDirectory(prefix="madina-bench-") as name:
        folder = Path(name)
        data = folder / "data"
        ours = {key: value for key, value in os.environ.items() if not key.startswith("MADINA_")}
        environment = {**ours, **PORTS, **settings, "MADINA_DATA_DIR": str(data)}
        up = Part("up", [sys.executable, "-m", "madina", "up"], environment, folder)
        up.start()
        try:
            until(
                lambda: "Ctrl-C stops" in up.last_words() or not up.runs,
                "madina up to be up",
                patience_s=START_S,
            )
            if DataFolder(data).running() is None:
                raise BenchFailed(up.last_words())
            with _kept(parts):
                yield _Runs(environment, folder, options)
        finally:
            up.stop()


@contextlib.contextmanager
def _behind_a_broker() -> Generator[_Runs]:
    """Run Mosquitto, InfluxDB, and a platform between them."""
    with tempfile.TemporaryDirectory(prefix="madina-bench-") as name:
        folder = Path(name)
        influx_port, port = free_port(), free_port()
        configuration = folder / "mosquitto.conf"
        user = "user root\n" if os.geteuid() == 0 else ""
        # As docs/bridges.md advises: nothing is dropped while the bridge is away.
        configuration.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\n{user}"
            "max_queued_messages 0\nmax_inflight_messages 1000\n",
            encoding="utf-8",
        )
        influxd = Part("influxd", configured(folder, influx_port, free_port()), os.environ, folder)
        broker = Part("mosquitto", [mosquitto_path(), "-c", configuration], os.environ, folder)
        influxd.start()
        broker.start()
        try:
            until(lambda: prepared(influx_port) is not None, "influxd to answer")
            settings = {
                "MADINA_STORE_URL": f"influxdb://127.0.0.1:{influx_port}/{DATABASE}",
                "MADINA_BRIDGE_URLS": f"mqtt://127.0.0.1:{port}?topic=madina/%23",
            }
            through = ("--through", f"127.0.0.1:{port}")
            with _platform(settings, through, (influxd, broker)) as run:
                yield run
        finally:
            broker.stop()
            influxd.stop()


@contextlib.contextmanager
def _kept(parts: Sequence[Part]) -> Generator[None]:
    """Start again what has ended, as a service manager does, for the length of a block."""
    over = threading.Event()

    def keep() -> None:
        while not over.wait(RESTART_S):
            for part in parts:
                if not part.runs:
                    part.start()

    keeper = threading.Thread(target=keep)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()
