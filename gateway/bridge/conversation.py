"""One connection to a broker: bytes in, messages to the packer, acknowledgements out. No socket.

Whoever owns the socket calls `received`, `tick` (once a second) and `ended`. What outlives the
connection is `gateway.bridge.bridge.Bridge`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from city.frame import ControlKind
from gateway.bridge.hello import (
    connecting,
    is_of_another_version,
    leaving_words,
    refusal_of,
    share_trouble,
    subscribing,
    subscription_troubles,
)
from gateway.bridge.incoming import Incoming
from gateway.bridge.window import packets
from gateway.mqtt.encode import encode
from gateway.mqtt.packets import Ack, Connack, Disconnect, Kind, Ping, Publish, Suback
from gateway.mqtt.reasons import Level, MqttError, Reason

if TYPE_CHECKING:
    from gateway.bridge.bridge import Bridge
    from gateway.mqtt.packets import Packet

__all__ = ["Conversation", "Line"]

# From the connection to the answer to SUBSCRIBE.
HELLO_S: Final = 10.0
# An answer to PINGREQ that takes longer will not come any more.
PING_ANSWER_S: Final = 10.0
# A refused filter is asked for again, so that a mended access list needs no restart.
ASK_AGAIN_S: Final = 30.0
PINGREQ: Final = b"\xc0\x00"
PUBREC: Final = 0x50


class Line(Protocol):
    """The way back to a broker."""

    def write(self, data: bytes) -> None:
        """Send bytes, later if need be."""
        ...

    def close(self) -> None:
        """Send what was written and close; `Conversation.ended` follows."""
        ...

    def pause_reading(self) -> None:
        """Feed nothing until `resume_reading`."""
        ...

    def resume_reading(self) -> None:
        """Feed again."""
        ...


class Conversation:
    """Implements `city.intake.Publisher` and `gateway.bridge.receipts.Asker`.

    Attributes:
        open: The broker has answered CONNECT and SUBSCRIBE, and at least one filter is granted.
        cause: Why it ended; empty while it goes on.
    """

    def __init__(self, bridge: Bridge, line: Line, now_s: float) -> None:
        """Send CONNECT."""
        level = bridge.level
        self._bridge = bridge
        self._line = line
        self._level = level
        self._now_s = now_s
        self._incoming = Incoming(bridge, self, level)
        self._connected = False
        self._answered = False
        self._asked: tuple[bytes, ...] = ()
        self._granted: set[bytes] = set()
        self._refused: dict[bytes, str] = {}
        self._ask_again_s = 0.0
        self._keep_alive_s = bridge.broker.keep_alive_s
        self._hello_by_s = now_s + HELLO_S
        self._heard_s = self._said_s = now_s
        self._pinged_s: float | None = None
        self._paused = False
        self.open = False
        self.cause = ""
        bridge.conversation = self
        self._send(encode(connecting(bridge.broker, level), level))

    @property
    def in_flight(self) -> int:
        """Return how many messages of this connection wait for their acknowledgement."""
        return len(self._incoming.window)

    @property
    def troubles(self) -> list[str]:
        """Return what is wrong with filters, in words."""
        return list(self._refused.values())

    def received(self, data: bytes) -> None:
        """Take what was read from the socket."""
        if self.cause:
            return
        self._heard_s = self._now_s
        self._pinged_s = None
        try:
            self._incoming.read(data, self._handle)
        except MqttError as error:
            self._fail(error)
            return
        if self._bridge.intake.full:
            self.pause()

    def confirmed(self, acknowledgements: bytes, size_bytes: int) -> None:  # noqa: ARG002 - the seam's signature
        """Acknowledge what the log has (`city.intake.Publisher`)."""
        found = packets(acknowledgements)
        if PUBREC in acknowledgements[::4]:
            self._bridge.receipts.logged(_identifiers(acknowledgements), self)
        ready = self._incoming.window.confirm(found)
        if ready and not self.cause:
            self._send(ready)

    def wants_receipt(self, identifier: int) -> None:
        """Send the PUBREC of a message that an earlier connection took."""
        if not self.cause:
            self._send(bytes((PUBREC, 2)) + identifier.to_bytes(2, "big"))

    def tick(self, now_s: float) -> None:
        """Keep the connection alive, and notice when it is not."""
        self._now_s = now_s
        if self.cause:
            return
        if self._is_silent(now_s):
            return
        half_s = self._keep_alive_s / 2
        quiet_s = now_s - self._said_s
        if self._pinged_s is None:
            quiet_s = max(quiet_s, now_s - self._heard_s)
        if self._connected and half_s and quiet_s >= half_s:
            if self._pinged_s is None:
                self._pinged_s = now_s
            self._send(PINGREQ)
        if self._refused and now_s >= self._ask_again_s:
            self._subscribe(tuple(self._refused))

    def pause(self) -> None:
        """Read nothing: the backlog has no room. The broker keeps what it cannot send."""
        if not self._paused and not self.cause:
            self._paused = True
            self._line.pause_reading()

    def go_on(self) -> None:
        """Read again: the backlog has room."""
        if self._paused and not self.cause:
            self._paused = False
            self._pinged_s = None
            self._line.resume_reading()

    def say(self, topic: bytes, payload: bytes) -> None:
        """Publish a message, QoS 0 and not retained."""
        if not self.cause:
            self._send(encode(Publish(topic, payload), self._level))

    def leave(self, cause: str) -> None:
        """End from our side; the broker keeps the session."""
        if self.cause:
            return
        if self._connected:
            self._send(encode(Disconnect(), self._level))
        self._end(cause)

    def ended(self, cause: str) -> None:
        """Learn that the socket is gone."""
        self._end(cause, gone=True)

    def _is_silent(self, now_s: float) -> bool:
        """End where no answer came in time; while nothing is read, silence says nothing."""
        if self._paused:
            return False
        if self._pinged_s is not None and now_s - self._pinged_s > PING_ANSWER_S:
            self._end("the broker does not answer PINGREQ")
        elif not self._answered and now_s > self._hello_by_s:
            self._end("the broker does not answer CONNECT and SUBSCRIBE")
        return bool(self.cause)

    def _handle(self, packet: Packet) -> None:
        match packet:
            case Connack():
                self._let_in(packet)
            case _ if not self._connected:
                raise MqttError(Reason.PROTOCOL_ERROR, "the first packet is no CONNACK")
            case Publish():
                self._incoming.take_one(packet)
            case Ack(kind=Kind.PUBREL):
                self._release(packet)
            case Suback(kind=Kind.SUBACK):
                self._subscribed(packet)
            case Ping(kind=Kind.PINGRESP):
                pass
            case Disconnect():
                self._end(leaving_words(packet.code, packet.properties))
            case _:
                words = f"a broker may not send {type(packet).__name__.upper()} here"
                raise MqttError(Reason.PROTOCOL_ERROR, words)

    def _let_in(self, connack: Connack) -> None:
        if self._connected:
            raise MqttError(Reason.PROTOCOL_ERROR, "a second CONNACK")
        bridge, level = self._bridge, self._level
        if is_of_another_version(level, connack) and bridge.broker.level is None:
            bridge.level = Level.V3
            self._end("the broker has no MQTT 5.0: 3.1.1 is tried")
            return
        words = refusal_of(level, connack) or share_trouble(
            bridge.broker, level, connack.properties
        )
        if words:
            self._end(words)
            return
        self._connected = True
        own_s = connack.properties.server_keep_alive_s
        self._keep_alive_s = bridge.broker.keep_alive_s if own_s is None else own_s
        bridge.connected(level, session_present=connack.session_present)
        version = "5.0" if level == Level.V5 else "3.1.1"
        kept = "kept" if connack.session_present else "new"
        detail = f"bridge to {bridge.broker.address}, MQTT {version}, {kept} session"
        bridge.intake.control(ControlKind.CONNECT, bridge.client, detail)
        self._subscribe(bridge.broker.wanted)

    def _subscribe(self, filters: tuple[bytes, ...]) -> None:
        self._asked = filters
        self._ask_again_s = self._now_s + ASK_AGAIN_S
        self._send(encode(subscribing(self._bridge.broker, self._level, filters), self._level))

    def _subscribed(self, suback: Suback) -> None:
        asked, self._asked = self._asked, ()
        try:
            found = subscription_troubles(self._bridge.broker, self._level, asked, suback)
        except ValueError as error:
            raise MqttError(Reason.PROTOCOL_ERROR, "SUBACK with other filters") from error
        for each in asked:
            self._refused.pop(each, None)
        self._answered = True
        self._refused |= found
        self._granted |= set(asked) - found.keys()
        self.open = bool(self._granted)
        self._bridge.subscribed(self.troubles)

    def _release(self, packet: Ack) -> None:
        was_open = self._bridge.receipts.release(packet.identifier)
        code = Reason.SUCCESS if was_open else Reason.IDENTIFIER_NOT_FOUND
        self._send(encode(Ack(Kind.PUBCOMP, packet.identifier, code), self._level))

    def _fail(self, error: MqttError) -> None:
        """End for a broken rule of the protocol."""
        if self._connected and self._level == Level.V5:
            self._send(encode(Disconnect(error.reason), self._level))
        self._end(f"the broker breaks a rule of MQTT: {error}")

    def _send(self, data: bytes) -> None:
        self._said_s = self._now_s
        self._line.write(data)

    def _end(self, cause: str, *, gone: bool = False) -> None:
        if self.cause:
            return
        self.cause = cause
        self.open = False
        if not gone:
            self._line.close()
        if self._connected:
            bridge = self._bridge
            bridge.intake.control(ControlKind.DISCONNECT, bridge.client, cause)


def _identifiers(acknowledgements: bytes) -> list[int]:
    """Return the identifiers of PUBRECs among packets of four bytes."""
    return [
        int.from_bytes(acknowledgements[at + 2 : at + 4], "big")
        for at in range(0, len(acknowledgements), 4)
        if acknowledgements[at] == PUBREC
    ]
