"""One device's connection: bytes in, messages to the packer, acknowledgements out. No socket.

Its life is here: reading, pausing, ending. What packets mean is in `handshake` and `exchange`.
Whoever owns the socket calls `received` and `ended`; `Endpoint.tick` sees to keep alive.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from city.frame import ControlKind
from gateway.mqtt.decode import LONGEST_HEADER, decode_body, measure
from gateway.mqtt.exchange import Exchange
from gateway.mqtt.handshake import NO_LIMIT, Denied, accepting, admit, refusing
from gateway.mqtt.packets import Connect, Disconnect
from gateway.mqtt.primitives import Cursor
from gateway.mqtt.properties import Properties
from gateway.mqtt.publishes import Batch
from gateway.mqtt.reasons import Level, MqttError, Reason, VersionError
from gateway.mqtt.refusals import Refusal
from gateway.mqtt.sessions import session_key
from gateway.mqtt.wills import LastWord
from gateway.mqtt.wire import LONGEST_CONNECT_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.grants import Grant
    from gateway.mqtt.endpoint import Endpoint
    from gateway.mqtt.handshake import Admitted
    from gateway.mqtt.packets import Packet, Will
    from gateway.mqtt.wire import Peer, Wire

__all__ = ["Connection"]

# MQTT-3.1.2-22: one and a half times the keep alive; the clock ticks once a second.
KEEP_ALIVE_TIMES = 1.5
TICK_S = 1.0
FIRST_BYTE_OF_CONNECT = 0x10
# What a CONNECT of 5.0 begins with, behind its length.
PROTOCOL_5 = b"\0\4MQTT\5"

REFUSALS: Final[Mapping[Reason, Refusal]] = {
    Reason.MALFORMED_PACKET: Refusal.MALFORMED,
    Reason.TOPIC_NAME_INVALID: Refusal.MALFORMED,
    Reason.TOPIC_FILTER_INVALID: Refusal.MALFORMED,
    Reason.UNSUPPORTED_VERSION: Refusal.VERSION,
    Reason.NOT_AUTHORIZED: Refusal.TOPIC,
    Reason.RECEIVE_MAXIMUM_EXCEEDED: Refusal.RECEIVE_MAXIMUM,
    Reason.TOPIC_ALIAS_INVALID: Refusal.TOPIC_ALIAS,
    Reason.PACKET_TOO_LARGE: Refusal.TOO_LARGE,
}


class Connection:
    """Implements `city.intake.Publisher` and `gateway.mqtt.sessions.Holder`.

    Attributes:
        client: Client identifier; empty before CONNECT.
        deadline_s: Without another packet by then, it is over (`Endpoint.tick`).
    """

    __slots__ = (
        "_asked_s", "_endpoint", "_exchange", "_held", "_keep_s", "_missing", "_over",
        "_patience_s", "_paused", "_peer", "_unacked", "_will", "_wire", "client", "deadline_s",
    )  # fmt: skip

    def __init__(self, endpoint: Endpoint, wire: Wire, peer: Peer) -> None:
        self._endpoint = endpoint
        self._wire = wire
        self._peer = peer
        self._exchange: Exchange | None = None
        # The beginning of a packet, and how many bytes it lacks (or at least lacks).
        self._held: bytearray | None = None
        self._missing = 0
        self._unacked = 0
        self._paused = False
        self._over = False
        self._will: Will | None = None
        self._asked_s = self._keep_s = 0
        self._patience_s = endpoint.settings.connect_timeout_s + TICK_S
        self.client = b""
        self.deadline_s = endpoint.now_s + self._patience_s
        endpoint.connections.add(self)

    @property
    def user(self) -> str | None:
        """Return whose grant it has; None before CONNECT."""
        return None if self._exchange is None else self._exchange.grant.user

    def received(self, data: bytes) -> None:
        """Take what was read from the socket."""
        if self._over:
            return
        if self._held is not None:
            data = self._joined(self._held, data)
            if not data:
                return
        if self._exchange is not None:
            self.deadline_s = self._endpoint.now_s + self._patience_s
        batch = Batch()
        try:
            outcome: Disconnect | MqttError | None = self._read(data, batch)
        except MqttError as error:
            outcome = error
        # Whatever ends the connection: what came before it is taken.
        if batch.topics:
            outcome = self._take(batch) or outcome
        if outcome is not None:
            self._finish(outcome, data)

    def confirmed(self, acknowledgements: bytes, size_bytes: int) -> None:
        """Send acknowledgements: the log holds the messages (`city.intake.Publisher`)."""
        self._unacked -= size_bytes
        exchange, endpoint = self._exchange, self._endpoint
        assert exchange is not None, "only those who got in have messages"
        if acknowledgements:
            exchange.settle(acknowledgements, self)
            if self._over:
                return
            self._wire.write(acknowledgements)
        if endpoint.waiting:
            endpoint.resume()
        if self._paused:
            self.go_on()

    def go_on(self) -> None:
        """Read again after a pause, if neither its own limit nor the backlog's is in the way."""
        if self._over or not self._paused or self._is_behind():
            return
        if self._endpoint.intake.full:
            self._endpoint.waiting.add(self)
            return
        self._paused = False
        self.deadline_s = self._endpoint.now_s + self._patience_s
        self._wire.resume_reading()

    def ended(self, cause: str) -> None:
        """Learn that the socket is gone, and why in words; nothing is written any more."""
        self._end(cause, will=True, gone=True)

    def overdue(self) -> None:
        """End, since the deadline is over; a connection that may not read is not to blame."""
        if self._paused:
            return
        if self._exchange is None:
            self._refuse(Refusal.CONNECT_TIMEOUT, "no CONNECT in time")
            self._close("no CONNECT in time", None)
        else:
            self._refuse(Refusal.KEEP_ALIVE, "nothing heard in 1.5 times the keep alive")
            self._close("keep alive", Reason.KEEP_ALIVE_TIMEOUT)

    def taken_over(self) -> None:
        """End: the client identifier has connected again (`gateway.mqtt.sessions.Holder`).

        A device that sent, left and came back has a claim to what it sent before.
        """
        self._wire.read_rest()
        self._close("taken over", Reason.SESSION_TAKEN_OVER)

    def received_again(self, acknowledgements: bytes) -> None:
        """Send what an earlier connection could not (`gateway.mqtt.sessions.Holder`)."""
        self._wire.write(acknowledgements)

    def dismissed(self) -> None:
        """End: its user may no longer publish."""
        self._refuse(Refusal.DISABLED, "the user was disabled or removed")
        self._close("user disabled or removed", Reason.NOT_AUTHORIZED)

    def use_grant(self, grant: Grant) -> None:
        """Replace what may be published."""
        if self._exchange is not None:
            self._exchange.use_grant(grant)

    def shut_down(self) -> None:
        """End: the process stops."""
        self._close("gateway stops", Reason.SHUTTING_DOWN)

    def _is_behind(self) -> bool:
        return self._unacked > self._endpoint.settings.unacked_bytes / 2

    def _joined(self, held: bytearray, data: bytes) -> bytes:
        """Return the held beginning of a packet and what followed; nothing: it lacks more."""
        held += data
        self._missing -= len(data)
        if self._missing > 0:
            return b""
        self._held = None
        return bytes(held)

    def _read(self, data: bytes, batch: Batch) -> Disconnect | None:
        """Read packets; return a DISCONNECT, behind which nothing counts."""
        at, size = 0, len(data)
        exchange = self._exchange
        level = None if exchange is None else exchange.level
        while at < size:
            if exchange is not None:
                at = exchange.read(data, at, batch)
                if at == size:
                    break
            packet, at = self._decode(data, at, level)
            if packet is None:
                break
            if isinstance(packet, Disconnect):
                return packet
            if exchange is not None:
                exchange.handle(packet, batch)
                continue
            assert isinstance(packet, Connect), "the decoder knows nothing else before CONNECT"
            exchange = self._connect(packet)
            if exchange is None:
                break
            level = exchange.level
        return None

    def _decode(self, data: bytes, at: int, level: Level | None) -> tuple[Packet | None, int]:
        """Read one packet and return where the next begins; hold an incomplete one (None)."""
        start, end = measure(data, at, level)
        self._check_start(data[at], end - at)
        if not start or end > len(data):
            self._held = bytearray(data[at:])
            self._missing = end - len(data) if start else 1
            return None, at
        return decode_body(data[at], Cursor(data, start, end), level), end

    def _check_start(self, first: int, size_bytes: int) -> None:
        """Refuse by the first bytes what need not be waited for."""
        limit = self._endpoint.settings.max_packet
        if self._exchange is None:
            if first != FIRST_BYTE_OF_CONNECT:
                raise MqttError(Reason.PROTOCOL_ERROR, "the first packet is no CONNECT")
            limit = min(limit, LONGEST_CONNECT_BYTES)
        elif first == FIRST_BYTE_OF_CONNECT:
            raise MqttError(Reason.PROTOCOL_ERROR, "a second CONNECT")
        if size_bytes > limit:
            words = f"a packet of {size_bytes} bytes, the limit is {limit}"
            raise MqttError(Reason.PACKET_TOO_LARGE, words)

    def _take(self, batch: Batch) -> MqttError | None:
        """Hand messages to the packer; return what is wrong with their number."""
        exchange, endpoint = self._exchange, self._endpoint
        assert exchange is not None, "nobody publishes before CONNECT"
        intake = endpoint.intake
        self._unacked += batch.size_bytes
        intake.take(
            self,
            self.client,
            batch.topics,
            batch.payloads,
            bytes(batch.flags),
            batch.acknowledgements,
            batch.size_bytes,
            tuple(batch.extras),
        )
        if self._unacked >= endpoint.settings.unacked_bytes or intake.full:
            self.pause()
        # Only 5.0 knows a limit of messages in flight.
        return exchange.count_in_flight(batch) if exchange.level == Level.V5 else None

    def pause(self) -> None:
        """Stop reading: it has too much unacknowledged, or the backlog is full."""
        if self._over:
            return
        if not self._paused:
            self._paused = True
            self._wire.pause_reading()
        if self._endpoint.intake.full:
            self._endpoint.waiting.add(self)

    def _connect(self, connect: Connect) -> Exchange | None:
        """Answer a CONNECT; None: it does not get in."""
        endpoint = self._endpoint
        admitted = admit(connect, self._peer, endpoint.settings, endpoint.doorkeeper)
        if isinstance(admitted, Denied):
            self.client = connect.client
            self._refuse(admitted.refusal, admitted.words)
            longest = connect.properties.maximum_packet_size or NO_LIMIT
            data = refusing(connect.level, admitted.reason, admitted.words, longest)
            if data:
                self._wire.write(data)
            self._end(admitted.words, will=False)
            return None
        self.client = admitted.client
        session, present = endpoint.sessions.open(
            session_key(admitted.grant.user, admitted.client),
            self,
            clean=connect.clean,
            now_s=endpoint.now_s,
        )
        endpoint.wills.returned(session.key, clean=connect.clean)
        exchange = Exchange(endpoint, self._wire, self._peer, connect, admitted, session)
        self._agree(connect, admitted)
        self._exchange = exchange
        exchange.send(accepting(connect.level, admitted, endpoint.settings, present=present))
        return exchange

    def _agree(self, connect: Connect, admitted: Admitted) -> None:
        endpoint = self._endpoint
        self._will = connect.will
        self._asked_s, self._keep_s = admitted.asked_s, admitted.keep_s
        keep_alive_s = connect.keep_alive_s or math.inf
        self._patience_s = keep_alive_s * KEEP_ALIVE_TIMES + TICK_S
        self.deadline_s = endpoint.now_s + self._patience_s
        endpoint.accepted += 1
        version = "5.0" if connect.level == Level.V5 else "3.1.1"
        words = f"MQTT {version} from {self._peer.address}, user {admitted.grant.user!r}"
        endpoint.intake.control(ControlKind.CONNECT, self.client.decode(), words)

    def _finish(self, outcome: Disconnect | MqttError, data: bytes) -> None:
        if isinstance(outcome, MqttError):
            self._fail(outcome, data)
        else:
            self._left(outcome)

    def _left(self, packet: Disconnect) -> None:
        """End by the device's own DISCONNECT."""
        expiry_s = packet.properties.session_expiry_s
        if expiry_s is not None:
            if expiry_s and not self._asked_s:
                words = "a session expiry in DISCONNECT after none in CONNECT"
                self._fail(MqttError(Reason.PROTOCOL_ERROR, words), b"")
                return
            self._keep_s = min(expiry_s, self._endpoint.settings.session_expiry_s)
        # Any reason but 0 wants the will to be published (MQTT 5.0 section 3.14.2.1).
        self._end("DISCONNECT by the device", will=packet.code != Reason.SUCCESS)

    def _fail(self, fault: MqttError, data: bytes) -> None:
        """End for a broken rule; `data` is what was read, to answer a CONNECT of 5.0."""
        refusal = REFUSALS.get(fault.reason, Refusal.PROTOCOL)
        self._refuse(refusal, fault.words, fault.topic)
        if self._exchange is None:
            if isinstance(fault, VersionError):
                self._wire.write(refusing(fault.answer, fault.reason, fault.words))
            elif PROTOCOL_5 in data[: len(PROTOCOL_5) + LONGEST_HEADER]:
                self._wire.write(refusing(Level.V5, fault.reason, fault.words))
        self._close(str(fault), fault.reason, fault.words)

    def _refuse(self, refusal: Refusal, words: str, topic: bytes = b"") -> None:
        self._endpoint.refusals.note(
            refusal,
            client=self.client.decode(),
            address=self._peer.address,
            detail=words,
            topic=topic,
        )

    def _close(self, cause: str, reason: Reason | None, words: str = "") -> None:
        """End from our side, with a DISCONNECT where there is one (5.0)."""
        exchange = self._exchange
        if exchange is not None and exchange.level == Level.V5 and reason and not self._over:
            exchange.send(Disconnect(reason, Properties(reason_string=words or None)))
        self._end(cause, will=True)

    def _end(self, cause: str, *, will: bool, gone: bool = False) -> None:
        """End once; `gone`: the socket already has."""
        if self._over:
            return
        self._over = True
        self._held = None
        endpoint, exchange = self._endpoint, self._exchange
        endpoint.connections.discard(self)
        endpoint.waiting.discard(self)
        if not gone:
            self._wire.close()
        if exchange is None:
            return
        endpoint.sessions.leave(exchange.session, keep_s=self._keep_s, now_s=endpoint.now_s)
        if will and self._will is not None:
            last_word = LastWord(
                exchange.session.key, self.client, self._peer.address, exchange.grant, self._will
            )
            # A delay ends with the session at the latest.
            delay_s = min(self._will.properties.will_delay_s or 0, self._keep_s)
            endpoint.wills.leave(last_word, delay_s=delay_s, now_s=endpoint.now_s)
        endpoint.intake.control(ControlKind.DISCONNECT, self.client.decode(), cause)
