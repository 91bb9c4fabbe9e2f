"""An MQTT endpoint without sockets and log: devices' bytes in, and everything that comes of them.

What tests, fuzz targets and the codec's bench put in the place of the network and the packer.
"""

from __future__ import annotations

import msgspec

from city.access import AccessEntry
from city.frame import ControlKind, Extras
from city.intake import Publisher
from gateway.grants import Doorkeeper
from gateway.mqtt.connection import Connection
from gateway.mqtt.decode import decode_body, measure
from gateway.mqtt.encode import encode
from gateway.mqtt.endpoint import Endpoint
from gateway.mqtt.packets import Connack, Connect, Packet
from gateway.mqtt.primitives import Cursor
from gateway.mqtt.reasons import Level
from gateway.mqtt.wire import ConnectionSettings, Peer

__all__ = ["Device", "KnownUsers", "Message", "Pending", "Rig", "packets_in"]


class Message(msgspec.Struct, frozen=True):
    """One message as the packer was given it."""

    client: bytes
    topic: bytes
    payload: bytes
    flag: int
    acknowledgement: bytes
    extras: Extras | None = None


class Pending(msgspec.Struct, frozen=True):
    """One read's messages, waiting for the log."""

    publisher: Publisher
    acknowledgements: list[bytes]
    size_bytes: int

    def confirm(self) -> None:
        """Let the log have them."""
        self.publisher.confirmed(b"".join(self.acknowledgements), self.size_bytes)


class KnownUsers(msgspec.Struct):
    """The access bucket: `gateway.grants.Users`."""

    known: bool = True
    entries: dict[str, AccessEntry] = {}

    def user(self, name: str) -> AccessEntry | None:
        """Return a user's entry."""
        return self.entries.get(name)


class Keeping:
    """Implements `city.intake.Intake`: keeps what it is given."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.pending: list[Pending] = []
        self.controls: list[tuple[ControlKind, str, str]] = []
        self.full = False

    def take(  # noqa: PLR0913, PLR0917 - the seam's signature
        self,
        publisher: Publisher,
        client: bytes,
        topics: list[bytes],
        payloads: list[bytes],
        flags: bytes,
        acknowledgements: list[bytes],
        size_bytes: int,
        extras: tuple[Extras, ...] = (),
    ) -> None:
        """Keep the messages of one read."""
        named = {each.index: each for each in extras}
        columns = zip(topics, payloads, flags, acknowledgements, strict=True)
        for index, (topic, payload, flag, acknowledgement) in enumerate(columns):
            found = named.get(index)
            self.messages.append(Message(client, topic, payload, flag, acknowledgement, found))
        assert topics, "nothing was taken"
        self.pending.append(Pending(publisher, acknowledgements, size_bytes))

    def control(self, kind: ControlKind, client: str, detail: str) -> None:
        """Keep a control record."""
        self.controls.append((kind, client, detail))


class Device:
    """A device and its connection; implements `gateway.mqtt.wire.Wire`.

    Attributes:
        written: Everything it was sent.
        unread: Of that, what `answers` has not returned yet.
        closed, reading: What the gateway does with its socket.
        rest: Sent, but not read by the gateway yet.
    """

    def __init__(self, rig: Rig, level: Level, peer: Peer) -> None:
        self.level = level
        self.written = b""
        self.unread = b""
        self.closed = False
        self.reading = True
        self.rest = b""
        self.connection = Connection(rig.endpoint, self, peer)

    def write(self, data: bytes) -> None:
        """Receive bytes."""
        assert not self.closed, "written after the end"
        self.written += data
        self.unread += data

    def close(self) -> None:
        """Learn that the gateway ends it."""
        self.closed = True

    def pause_reading(self) -> None:
        """Learn that nothing is read."""
        self.reading = False

    def resume_reading(self) -> None:
        """Learn that it is read again."""
        self.reading = True

    def read_rest(self) -> None:
        """Have the rest read."""
        rest, self.rest = self.rest, b""
        self.connection.received(rest)

    def send(self, *packets: Packet) -> list[Packet]:
        """Send packets in one piece; return what came back."""
        return self.send_bytes(b"".join(encode(each, self.level) for each in packets))

    def send_bytes(self, data: bytes) -> list[Packet]:
        """Send bytes in one piece; return what came back."""
        self.connection.received(data)
        return self.answers()

    def answers(self) -> list[Packet]:
        """Return the packets that came since the last look."""
        unread, self.unread = self.unread, b""
        return packets_in(unread, self.level)


class Rig:
    """An endpoint with a packer that keeps everything."""

    def __init__(
        self,
        settings: ConnectionSettings | None = None,
        users: KnownUsers | None = None,
        now_s: float = 1_000.0,
    ) -> None:
        self.intake = Keeping()
        self.users = users or KnownUsers()
        self.announced: list[bytes] = []
        self.endpoint = Endpoint(
            settings or ConnectionSettings(),
            self.intake,
            Doorkeeper(self.users, "loopback", proxied=False),
            self.announced.append,
            now_s,
        )

    @property
    def messages(self) -> list[Message]:
        """Return what was taken so far."""
        return self.intake.messages

    def device(self, level: Level = Level.V5, *, near: bool = True) -> Device:
        """Return a device that has opened a connection."""
        return Device(self, level, Peer("192.0.2.7:50123", near=near))

    def connected(self, level: Level = Level.V5, connect: Connect | None = None) -> Device:
        """Return a device that got in."""
        device = self.device(level)
        answer = device.send(connect or Connect(level, b"device"))
        assert len(answer) == 1, answer
        assert isinstance(answer[0], Connack), answer
        assert not answer[0].code, answer
        return device

    def confirm(self) -> None:
        """Let the log have everything that waits for it."""
        pending, self.intake.pending = self.intake.pending, []
        for each in pending:
            each.confirm()

    def pass_time(self, seconds: float) -> None:
        """Tick the clock second by second."""
        end_s = self.endpoint.now_s + seconds
        while self.endpoint.now_s < end_s:
            self.endpoint.tick(min(self.endpoint.now_s + 1, end_s))


def packets_in(data: bytes, level: Level) -> list[Packet]:
    """Read whole packets, one by one and never in bulk.

    Raises:
        MqttError: If they are none.
    """
    found: list[Packet] = []
    at = 0
    while at < len(data):
        start, end = measure(data, at, level)
        assert 0 < start <= end <= len(data), "incomplete"
        found.append(decode_body(data[at], Cursor(data, start, end), level))
        at = end
    return found
