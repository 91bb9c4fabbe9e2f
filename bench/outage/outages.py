"""The six outages: what is done to a side, and for how long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from bench.outage.door import Door
    from bench.outage.sides import Role, Side
    from loadtest.report import LoadReport

__all__ = ["OUTAGES", "POISON_SHARE", "Outage", "Scene"]

POISON_SHARE: Final = 0.01
# As long as a service manager takes to start a part again.
RESTART_S: Final = 1.0
LOOK_S: Final = 0.05
PUBACK_S: Final = 60.0
CHUNK: Final = b"\0" * (1 << 20)


class Scene:
    """One outage of one side while devices send.

    Attributes:
        side: What is hurt.
        door: What devices connect to.
        away_s: How long something is away.
        poison: Messages without sense that the side has acknowledged.
    """

    def __init__(
        self, side: Side, door: Door, disk: Path, sending: Future[LoadReport], away_s: float
    ) -> None:
        self.side = side
        self.door = door
        self.away_s = away_s
        self.poison = 0
        self._disk = disk
        self._sending = sending

    def wait(self, seconds: float, away: Role | None = None) -> None:
        """Let time pass; what ends by itself is started again, but for a part that is away."""
        part = None if away is None else self.side.part(away)
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self.side.tend(part)
            time.sleep(LOOK_S)

    def kill(self, role: Role) -> None:
        """Kill a part, and have it back after a while."""
        self.side.part(role).kill()
        self.wait(self.away_s, role)

    def restart(self, role: Role) -> None:
        """End a part in order, and start it again."""
        self.side.part(role).stop()
        self.wait(RESTART_S, role)

    def fill_disk(self) -> None:
        """Leave no byte free for a while; then somebody makes room.

        They also restart what refuses every write from its first failed one on, room or not:
        InfluxDB 1.x, and the stream of a nats-server.
        """
        ballast = self._disk / "ballast"
        try:
            with ballast.open("wb", buffering=0) as file:
                while file.write(CHUNK) == len(CHUNK):
                    pass
                file.write(CHUNK)
        except OSError:
            self.wait(self.away_s)
        finally:
            ballast.unlink()
        for name in self.side.latched:
            self.side.parts[name].stop()
        self.wait(RESTART_S)

    def poisoned(self, rate_per_s: float) -> None:
        """Send messages that are no JSON among the others until those are sent."""
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id="poison")
        client.connect("127.0.0.1", self.door.port)
        client.loop_start()
        told: list[paho.MQTTMessageInfo] = []
        while not self._sending.done():
            payload = b'{"t":1772600000000,"id":"poison-%d","obs":[{"q":"pm2_5","v":' % len(told)
            told.append(client.publish("madina/v1/load/d0000000/up", payload, qos=1))
            self.wait(1 / (rate_per_s * POISON_SHARE))
        for each in told:
            each.wait_for_publish(PUBACK_S)
        self.poison = sum(each.is_published() for each in told)
        client.disconnect()
        client.loop_stop()

    def reconnect(self) -> None:
        """Cut every device off; all come back at once, with what they could not send."""
        self.door.shut()
        self.wait(2 * self.away_s)
        self.door.open()


class Outage(msgspec.Struct, frozen=True):
    """What is done, and in words for the table."""

    title: str
    do: Callable[[Scene, float], None]


OUTAGES: Mapping[str, Outage] = {
    "store-down": Outage("store killed, back later", lambda at, _: at.kill("store")),
    "ingest-killed": Outage("ingest killed, back later", lambda at, _: at.kill("ingest")),
    "broker-restarted": Outage("broker restarted", lambda at, _: at.restart("front")),
    "disk-full": Outage("disk full", lambda at, _: at.fill_disk()),
    "poison": Outage("1 % of messages are no JSON", lambda at, rate: at.poisoned(rate)),
    "reconnect-burst": Outage("all devices cut off, back at once", lambda at, _: at.reconnect()),
}
