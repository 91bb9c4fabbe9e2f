"""The whole platform as processes that can be killed at any moment, and are started again.

Started one by one, not by `madina up`: its supervisor waits longer after each death, and a bench
of crashes wants the next one at once.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Literal

import httpx
import msgspec

from bench.influxd import configured, judge_points, prepared
from bench.processes import free_port
from bench.result import ROOT, BenchFailed
from bench.verdict import judge
from city.ledger import Balance, MessageCounts, ObservationCounts
from madina.data_folder import DataFolder
from madina.supervisor.death import die_with_parent
from madina.supervisor.nats_server import nats_server_path

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
    from pathlib import Path

    from bench.verdict import Verdict
    from loadtest.report import LoadReport
    from store.influx import InfluxAddress

__all__ = ["MortalCity", "Part", "StoreKind", "running_city"]

StoreKind = Literal["duckdb", "influxdb"]

START_S = 30.0
STOP_S = 60.0
LOOK_S = 0.02
ASK_S = 5.0
SHARDS = 8


class Part:
    """One of the platform's processes."""

    def __init__(
        self, name: str, command: Sequence[str | Path], environment: Mapping[str, str], folder: Path
    ) -> None:
        self.name = name
        self._command = command
        self._environment = environment
        self._said = folder / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        """Whether there is a process."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Start it; what it says is added to its file."""
        with self._said.open("ab") as output:
            self.process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=die_with_parent(),  # noqa: PLW1509 - no thread runs here
            )

    def kill(self) -> None:
        """Kill it, as `kill -9` does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(STOP_S)

    def stop(self) -> None:
        """Ask it to end and wait for that."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def last_words(self) -> str:
        """Return the end of what it said."""
        words = self._said.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(words[-8:])


class _Answer(msgspec.Struct):
    messages: MessageCounts
    observations: ObservationCounts


class MortalCity:
    """Log, gateway and node.

    Attributes:
        store: What keeps observations.
        influx: The store's address, where it is a server that runs.
        parts: In the order in which they start.
        mqtt_port: Where devices connect.
        nats_url: The log's address.
        database: The store's file, to be read when the node has ended.
    """

    def __init__(
        self, folder: Path, settings: Mapping[str, str], gateways: int, store: StoreKind
    ) -> None:
        self.store = store
        self.influx: InfluxAddress | None = None
        self._influx_port = free_port()
        nats_port, http_port, self.mqtt_port = free_port(), free_port(), free_port()
        self._http = f"http://127.0.0.1:{http_port}"
        self.nats_url = f"nats://127.0.0.1:{nats_port}"
        data = folder / "data"
        self.database = DataFolder(data).duckdb
        # As with `madina up`: the gateway looks after the disk of a log that lies there.
        nats_store = DataFolder(data).nats_store
        nats_store.mkdir(parents=True)
        configuration = folder / "nats.conf"
        configuration.write_text(
            f"host: 127.0.0.1\nport: {nats_port}\nmax_payload: 2MB\n"
            f'jetstream {{ store_dir: "{nats_store}", sync_interval: "100ms" }}\n',
            encoding="utf-8",
        )
        environment = {
            **{name: value for name, value in os.environ.items() if name[:7] != "MADINA_"},
            "MADINA_DATA_DIR": str(data),
            "MADINA_NATS_URL": self.nats_url,
            "MADINA_HTTP_PORT": str(http_port),
            "MADINA_MQTT_PORT": str(self.mqtt_port),
            "MADINA_MQTT_CONNECT_RATE": "100000",
            "MADINA_SHARDS": str(SHARDS),
            "MADINA_DISK_RESERVE": "0",
            "MADINA_UNKNOWN_DEVICES": "accept",
            **settings,
        }
        servers: dict[str, list[str | Path]] = {}
        if store == "influxdb":
            servers["influxd"] = configured(folder, self._influx_port, free_port())
            url = f"influxdb://127.0.0.1:{self._influx_port}/bench"
            environment["MADINA_STORE_URL"] = url
        ours = [sys.executable, "-m", "madina"]
        self.parts = {
            name: Part(name, command, environment, folder)
            for name, command in {
                **servers,
                "nats": [nats_server_path(), "-c", configuration],
                "node": [*ours, "node"],
                **{
                    f"gateway-{number}": [*ours, "gateway", "--name", f"gateway-{number}"]
                    for number in range(gateways)
                },
            }.items()
        }

    def start_ended(self, *names: str) -> None:
        """Start those that do not run; all of them unless some are named."""
        for name in names or self.parts:
            if not self.parts[name].runs:
                self.parts[name].start()

    def prepare_store(self) -> None:
        """Wait for the store's server, where it is one, and make its database."""
        if self.store == "influxdb":
            self.start_ended("influxd")
            self.until(self._is_prepared, "influxd to answer", START_S)

    def _is_prepared(self) -> bool:
        self.influx = prepared(self._influx_port)
        return self.influx is not None

    def end(self) -> None:
        """End everything but the server of a store, which is still to be read."""
        for part in reversed(self.all):
            if part.name != "influxd":
                part.stop()

    def judge(self, reports: Iterable[LoadReport]) -> Verdict:
        """Compare the store with what was sent to it; a server has to run, a node must not."""
        if self.influx is not None:
            return judge_points(self.influx, reports)
        return judge(self.database, reports)

    def until_ready(self, patience_s: float = 60.0) -> None:
        """Wait until messages get through."""
        self.until(lambda: self.ask("/readyz") is not None, "the platform to be ready", patience_s)

    def until(
        self, happened: Callable[[], bool], what: str, patience_s: float, look_s: float = LOOK_S
    ) -> None:
        """Wait for something; what ends meanwhile is not started again.

        Raises:
            BenchFailed: It did not happen, with everybody's last words.
        """
        give_up_s = time.monotonic() + patience_s
        while not happened():
            if time.monotonic() > give_up_s:
                words = "\n".join(f"{part.name}: {part.last_words()}" for part in self.all)
                raise BenchFailed(f"waited {patience_s:g} s for {what}\n{words}")
            time.sleep(look_s)

    @property
    def all(self) -> list[Part]:
        """Every part."""
        return list(self.parts.values())

    def ask(self, path: str) -> bytes | None:
        """Return what the API answers; None where it does not, or not well."""
        with contextlib.suppress(httpx.HTTPError):
            answer = httpx.get(self._http + path, timeout=ASK_S, trust_env=False)
            if answer.is_success:
                return answer.content
        return None

    def balance(self) -> Balance | None:
        """Return the ledger's total; None where nobody answers."""
        answer = self.ask("/v1/ledger")
        if answer is None:
            return None
        found = msgspec.json.decode(answer, type=_Answer)
        return Balance(messages=found.messages, observations=found.observations)

    def is_drained(self) -> bool:
        """Whether everything that was received is applied."""
        balance = self.balance()
        return balance is not None and balance.messages.pending == 0


@contextlib.contextmanager
def running_city(
    folder: Path, gateways: int = 1, store: StoreKind = "duckdb", **settings: str
) -> Generator[MortalCity]:
    """Run a platform for the length of a block; all of it is gone at the end.

    Args:
        folder: For its data and what it says.
        gateways: Processes that share the port.
        store: Whether observations go into a file or to a server.
        settings: Environment variables.
    """
    city = MortalCity(folder, settings, gateways, store)
    try:
        city.prepare_store()
        for name in city.parts:
            city.start_ended(name)
        city.until_ready()
        yield city
    finally:
        for part in reversed(city.all):
            part.stop()
