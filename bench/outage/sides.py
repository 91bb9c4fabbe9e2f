"""What is hurt: madina and the textbook stack, as processes that can be taken away one by one.

Both write to an InfluxDB of their own. On both sides what ends by itself is started again after a
second, as a service manager does, for ever: systemd's own limit of five starts in ten seconds
would only be worse for who needs it.
"""

from __future__ import annotations

import abc
import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING, Literal

import httpx
import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from bench.brokers import BROKERS
from bench.influxd import DATABASE, configured, judge_points, prepared
from bench.mortal import Part, running_city
from bench.processes import free_port, mosquitto_path, until
from bench.result import BenchFailed

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from bench.mortal import MortalCity
    from bench.outage.subscriber import Kind
    from bench.verdict import Verdict
    from loadtest.report import LoadReport
    from store.influx import InfluxAddress

__all__ = ["SIDES", "Kept", "Role", "Side", "SideName", "running_side"]

SideName = Literal["madina", "textbook", "careful"]
Role = Literal["store", "ingest", "front"]

SIDES: Mapping[SideName, str] = {
    "madina": "madina, its defaults, into InfluxDB",
    "textbook": "Mosquitto as Debian starts it, paho and influxdb-python as in their READMEs",
    "careful": "the same with everything that the three document against loss",
}
BROKER_OF: Mapping[Kind, str] = {
    "documented": "Mosquitto, as Debian starts it",
    "careful": "Mosquitto, tuned",
}
RESTART_S = 1.0
SETTLE_S = 120.0
# Longer than paho waits before it connects once more.
QUIET_S = 6.0
LOOK_S = 0.25
MIB = 1 << 20


class Kept(msgspec.Struct, frozen=True):
    """What a side has of a load.

    Attributes:
        poison: Messages that it could not read, and has.
        difference: Of the ledger, where there is one.
    """

    verdict: Verdict
    poison: int = 0
    difference: int = 0


class Side(abc.ABC):
    """Processes that serve devices.

    Attributes:
        port: Where devices connect.
        parts: By name.
        roles: Which part is hurt.
        latched: Parts that have to be started again once a full disk has room.
    """

    latched: tuple[str, ...] = ()

    def __init__(self, port: int, parts: dict[str, Part], roles: Mapping[Role, str]) -> None:
        self.port = port
        self.parts = parts
        self.roles = roles
        self._ended_s: dict[str, float] = {}

    def part(self, role: Role) -> Part:
        """Return the part with a role."""
        return self.parts[self.roles[role]]

    def tend(self, away: Part | None = None) -> None:
        """Start what has ended a while ago, but for the one that is to stay away."""
        now_s = time.monotonic()
        for name, part in self.parts.items():
            if part.runs or part is away:
                self._ended_s.pop(name, None)
            elif now_s - self._ended_s.setdefault(name, now_s) >= RESTART_S:
                part.start()

    @abc.abstractmethod
    def settle(self, report: LoadReport) -> Kept:
        """Wait until it has worked off what it will, and return what it has."""


class _City(Side):
    latched = ("influxd", "nats")

    def __init__(self, city: MortalCity) -> None:
        roles: Mapping[Role, str] = {"store": "influxd", "ingest": "node", "front": "gateway-0"}
        super().__init__(city.mqtt_port, city.parts, roles)
        self._city = city

    def settle(self, report: LoadReport) -> Kept:
        def drained() -> bool:
            self.tend()
            return self._city.is_drained()

        self._city.until(drained, "everything to be applied", SETTLE_S, LOOK_S)
        balance = self._city.balance()
        assert balance is not None, "it has just answered"
        return Kept(
            verdict=self._city.judge([report]),
            poison=balance.messages.quarantined,
            difference=abs(balance.difference.messages) + abs(balance.difference.observations),
        )


class _Textbook(Side):
    latched = ("influxd",)

    def __init__(self, folder: Path, kind: Kind) -> None:
        port, self._influx_port = free_port(), free_port()
        commands = {
            "influxd": configured(folder, self._influx_port, free_port()),
            "mosquitto": _broker(folder, port, kind),
            "subscriber": [
                sys.executable, "-m", "bench.outage.subscriber", kind, "--database", DATABASE,
                "--broker-port", str(port), "--influx-port", str(self._influx_port),
            ],
        }  # fmt: skip
        parts = {
            name: Part(name, command, os.environ, folder) for name, command in commands.items()
        }
        super().__init__(
            port, parts, {"store": "influxd", "ingest": "subscriber", "front": "mosquitto"}
        )
        self._address: InfluxAddress | None = None

    def start(self) -> None:
        """Start all of it and wait until a message of somebody else's gets through."""
        self.parts["influxd"].start()
        until(self._is_prepared, "influxd to answer")
        for name in ("mosquitto", "subscriber"):
            self.parts[name].start()
        until(self._warm, "a first message to be stored")

    def settle(self, report: LoadReport) -> Kept:
        verdict = self._judge(report)
        quiet_from_s = time.monotonic()
        while verdict.lost and time.monotonic() - quiet_from_s < QUIET_S:
            self.tend()
            time.sleep(LOOK_S)
            before, verdict = verdict, self._judge(report)
            if verdict.stored > before.stored:
                quiet_from_s = time.monotonic()
        # What a subscriber cannot read is in no store: it has no place for it.
        return Kept(verdict)

    def _judge(self, report: LoadReport) -> Verdict:
        assert self._address is not None
        give_up_s = time.monotonic() + SETTLE_S
        while True:
            try:
                return judge_points(self._address, [report])
            except httpx.HTTPError as error:
                if time.monotonic() > give_up_s:
                    raise BenchFailed(f"influxd is not back: {error}") from error
                self.tend()
                time.sleep(LOOK_S)

    def _is_prepared(self) -> bool:
        self._address = prepared(self._influx_port)
        return self._address is not None

    def _warm(self) -> bool:
        self.tend()
        with contextlib.suppress(OSError):
            client = paho.Client(CallbackAPIVersion.VERSION2)
            client.connect("127.0.0.1", self.port)
            client.loop_start()
            payload = b'{"t":1700000000000,"obs":[{"q":"pm2_5","v":1}]}'
            client.publish("madina/v1/warm/d1/up", payload, qos=1).wait_for_publish(1.0)
            client.disconnect()
            client.loop_stop()
        time.sleep(LOOK_S)
        query = {"db": DATABASE, "q": "SELECT pm2_5 FROM observations WHERE provider = 'warm'"}
        answer = httpx.get(
            f"http://127.0.0.1:{self._influx_port}/query", params=query, trust_env=False
        )
        return b"values" in answer.content


def _broker(folder: Path, port: int, kind: Kind) -> list[str | Path]:
    """Write Mosquitto's configuration and return the command."""
    store = folder / "mosquitto"
    store.mkdir(exist_ok=True)
    text = BROKERS[BROKER_OF[kind]][1].format(store=store)
    # It would become a user who may not write here.
    user = "user root\n" if os.geteuid() == 0 else ""
    path = folder / "mosquitto.conf"
    path.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\n{user}{text}", encoding="utf-8"
    )
    return [mosquitto_path(), "-c", path]


@contextlib.contextmanager
def running_side(name: SideName, folder: Path) -> Generator[Side]:
    """Run a side for the length of a block, ready to be sent to; its data lie in a folder."""
    if name == "madina":
        with running_city(
            folder,
            store="influxdb",
            # On a small disk: the defaults are 1 GiB, and a part of the disk.
            MADINA_LOG_MAX_BYTES=str(32 * MIB),
            MADINA_DISK_RESERVE=str(16 * MIB),
        ) as city:
            yield _City(city)
        return
    side = _Textbook(folder, "documented" if name == "textbook" else "careful")
    try:
        side.start()
        yield side
    finally:
        for part in reversed(side.parts.values()):
            part.stop()
