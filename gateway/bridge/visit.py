"""A short visit to a broker, under a name of its own and without a session. Blocking.

A bridge that runs is not disturbed, and the broker keeps nothing of it.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from gateway.bridge.dialler import client_context
from gateway.bridge.hello import is_of_another_version, refusal_of
from gateway.mqtt.decode import decode_body, measure
from gateway.mqtt.encode import encode
from gateway.mqtt.packets import Connack, Connect, Disconnect, Packet
from gateway.mqtt.primitives import Cursor
from gateway.mqtt.reasons import Level

if TYPE_CHECKING:
    from collections.abc import Generator

    from gateway.bridge.broker import Broker

__all__ = ["Visit", "VisitError", "visiting"]

TIMEOUT_S: Final = 5.0
KEEP_ALIVE_S: Final = 60
# Sent in silence, well within the keep-alive time.
PING_EVERY_S: Final = 20.0
PINGREQ: Final = b"\xc0\x00"
NAME_BYTES: Final = 6
READ_BYTES: Final = 65_536
SHORT_CONNACK: Final = 4


class VisitError(Exception):
    """The broker cannot be reached, or does not let us in."""


class Visit:
    """An open connection.

    Attributes:
        level: The version that both speak.
        connack: What the broker answered.
    """

    def __init__(self, connection: socket.socket, level: Level) -> None:
        self.level = level
        self.connack = Connack(session_present=False, code=0)
        self._connection = connection
        self._data = b""
        self._packets: deque[Packet] = deque()

    def send(self, packet: Packet) -> None:
        """Send a packet.

        Raises:
            OSError: If the connection has ended.
        """
        self._connection.sendall(encode(packet, self.level))

    def next(self, wait_s: float) -> Packet | None:
        """Return the next packet; None where none comes in that time.

        Raises:
            VisitError: The broker closes the connection.
            MqttError: It sends what is no MQTT.
            OSError: The connection breaks.
        """
        until_s = time.monotonic() + wait_s
        while not self._packets:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return None
            self._connection.settimeout(min(left_s, PING_EVERY_S))
            try:
                read = self._connection.recv(READ_BYTES)
            except TimeoutError:
                self._connection.sendall(PINGREQ)
                continue
            if not read:
                raise VisitError("it closes the connection")
            self._take(read)
        return self._packets.popleft()

    def _take(self, read: bytes) -> None:
        data = self._data + read
        while data:
            start, end = measure(data, 0, self.level)
            if not start or end > len(data):
                break
            # A broker without 5.0 answers in 3.1.1.
            older = data[0] >> 4 == 2 and end == SHORT_CONNACK  # noqa: PLR2004 - CONNACK
            level = Level.V3 if older else self.level
            self._packets.append(decode_body(data[0], Cursor(data, start, end), level))
            data = data[end:]
        self._data = data


@contextlib.contextmanager
def visiting(broker: Broker, name: bytes) -> Generator[Visit]:
    """Connect, in 3.1.1 where the broker has no 5.0, and leave in the end.

    Args:
        broker: Address, user and TLS.
        name: Beginning of the client identifier.

    Raises:
        VisitError: The broker does not let us in; in words.
        MqttError: It sends what is no MQTT.
        OSError: It cannot be reached.
    """
    level = broker.level or Level.V5
    with contextlib.ExitStack() as open_ones:
        visit = _visit(broker, level, name, open_ones)
        if broker.level is None and is_of_another_version(level, visit.connack):
            open_ones.close()
            level = Level.V3
            visit = _visit(broker, level, name, open_ones)
        if words := refusal_of(level, visit.connack):
            raise VisitError(words)
        yield visit
        visit.send(Disconnect())


def _visit(broker: Broker, level: Level, name: bytes, open_ones: contextlib.ExitStack) -> Visit:
    visit = Visit(open_ones.enter_context(_connected(broker)), level)
    client = name + secrets.token_hex(NAME_BYTES).encode()
    visit.send(
        Connect(
            level, client, keep_alive_s=KEEP_ALIVE_S, user=broker.user, password=broker.password
        )
    )
    try:
        connack = visit.next(TIMEOUT_S)
    except VisitError:
        connack = None
    if not isinstance(connack, Connack):
        raise VisitError("it closes the connection without an answer to CONNECT")
    visit.connack = connack
    return visit


def _connected(broker: Broker) -> socket.socket:
    connection = socket.create_connection((broker.host, broker.port), TIMEOUT_S)
    if broker.files is None:
        return connection
    try:
        return client_context(broker.files).wrap_socket(connection, server_hostname=broker.host)
    except OSError:
        connection.close()
        raise
