"""The MQTT connection: noise, damaged packets and packets in the wrong place, in both versions.

Whatever comes, the connection reads it or ends, answers with whole packets, counts what it refused
and owes nothing when the log has confirmed everything.
"""

from __future__ import annotations

import random

import structlog.testing

from city.frame import ControlKind
from fuzz.mutation import mutate
from fuzz.oracle import seeds
from fuzz.report import Decided
from fuzz.rig import Device, Rig, packets_in
from gateway.mqtt.encode import encode
from gateway.mqtt.packets import (
    Ack,
    Connect,
    Disconnect,
    Kind,
    Packet,
    Ping,
    Publish,
    Subscribe,
    Subscription,
    Unsubscribe,
    Will,
)
from gateway.mqtt.properties import Properties
from gateway.mqtt.reasons import Level
from gateway.mqtt.wire import ConnectionSettings

__all__ = ["Endpoint"]

RANDOM_BYTES = 4_096
MAX_PACKETS = 12
# One in so many inputs is noise from the first byte on; one packet in so many is damaged.
NOISE, DAMAGE = 10, 4
SETTINGS = ConnectionSettings(
    max_packet=2_000, unacked_bytes=1_500, receive_maximum=8, max_kept_sessions=2
)
WILL = Will(b"w", b"gone", 1, properties=Properties(will_delay_s=2, content_type="t"))


class Endpoint:
    """Implements `fuzz.target.Target`."""

    name = "endpoint"

    def __init__(self) -> None:
        self._packets = {level: _packets(level) for level in Level}
        self._packets[Level.V5] += seeds()

    def make(self, rng: random.Random) -> bytes:
        """Return what a device may send on one connection."""
        if not rng.randrange(NOISE):
            return rng.randbytes(rng.randrange(RANDOM_BYTES))
        level = rng.choice(list(Level))
        known = self._packets[level]
        # A CONNECT first, mostly: nothing is looked at without.
        chosen = [known[rng.randrange(2)], *rng.choices(known, k=rng.randrange(MAX_PACKETS))]
        return b"".join(each if rng.randrange(DAMAGE) else mutate(each, rng) for each in chosen)

    def check(self, data: bytes) -> Decided:
        """Send it in pieces, twice, with the same client identifier; see what is left."""
        rig = Rig(SETTINGS)
        with structlog.testing.capture_logs():
            for pieces in (1, 3):
                _send(rig, data, pieces)
            rig.pass_time(5)
            rig.endpoint.shut_down()
        kinds = [kind for kind, _, _ in rig.intake.controls]
        assert kinds.count(ControlKind.CONNECT) == kinds.count(ControlKind.DISCONNECT)
        assert not rig.endpoint.connections
        assert not rig.endpoint.waiting
        assert rig.endpoint.sessions.kept <= SETTINGS.max_kept_sessions
        refused = sum(rig.endpoint.refusals.counts.values())
        return Decided(accepted=len(rig.messages), refused=refused or not rig.messages)


def _send(rig: Rig, data: bytes, pieces: int) -> None:
    device = rig.device(Level.V5)
    size = len(data) // pieces + 1
    for start in range(0, len(data), size):
        device.connection.received(data[start : start + size])
        rig.confirm()
        assert device.reading or device.closed, "confirmed, and still not read"
    _check_answers(device)
    device.connection.ended("lost")


def _check_answers(device: Device) -> None:
    """What was written is whole packets of one of the versions, CONNACK first."""
    if not device.written:
        return
    found: list[Packet] = []
    # CONNACK of 3.1.1 has no properties and so is two bytes long.
    level = Level.V3 if device.written[1] == 2 else Level.V5
    found = packets_in(device.written, level)
    assert found, "an answer that is none"
    ends = [index for index, each in enumerate(found) if isinstance(each, Disconnect)]
    assert ends in ([], [len(found) - 1]), "something was written after DISCONNECT"


def _packets(level: Level) -> list[bytes]:
    topics = (b"a/b", b"", b"a/+", b"$SYS/x", "\u6c34".encode(), b"\xff")
    publishes = [
        Publish(topic, b"x" * size, qos, qos and identifier, dup=bool(qos))
        for topic in topics
        for size in (0, 100, 2_100)
        for qos, identifier in ((0, 0), (1, 1), (2, 2), (2, 3))
    ]
    packets: list[Packet] = [
        Connect(level, b"d", clean=False, will=WILL if level == Level.V5 else Will(b"w", b"gone")),
        Connect(level, b"d", keep_alive_s=1, properties=Properties(session_expiry_s=60)),
        Connect(level),
        Connect(level, b"d", user="u", password=b"p"),
        *publishes,
        *(Ack(kind, 2) for kind in (Kind.PUBACK, Kind.PUBREC, Kind.PUBREL, Kind.PUBCOMP)),
        Ping(Kind.PINGREQ),
        Subscribe(9, (Subscription(b"a/#", 1), Subscription(b"b"))),
        Unsubscribe(9, (b"a",)),
        Disconnect(),
    ]
    return [encode(each, level) for each in packets]
