"""A short look at a broker for `madina doctor`: what it says of itself to whoever comes once.

Under a name of its own and without a session: a bridge that runs is not disturbed. Blocking.
"""

from __future__ import annotations

import secrets
import socket
from typing import TYPE_CHECKING, Final

import msgspec

from gateway.bridge.dialler import client_context
from gateway.bridge.hello import is_of_another_version, refusal_of, share_trouble
from gateway.mqtt.decode import decode_body, measure
from gateway.mqtt.encode import encode
from gateway.mqtt.packets import (
    Connack,
    Connect,
    Disconnect,
    Packet,
    Publish,
    Subscribe,
    Subscription,
)
from gateway.mqtt.primitives import Cursor
from gateway.mqtt.properties import NO_PROPERTIES, Properties
from gateway.mqtt.reasons import Level, MqttError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.bridge.broker import Broker

__all__ = ["BrokerLook", "ProbeError", "probe"]

TIMEOUT_S: Final = 5.0
# Retained: they come at once, or never.
QUIET_S: Final = 1.0
VERSION: Final = b"$SYS/broker/version"
DROPPED: Final = b"$SYS/broker/publish/messages/dropped"
NAME_BYTES: Final = 6
READ_BYTES: Final = 65_536
SHORT_CONNACK: Final = 4


class ProbeError(Exception):
    """The broker cannot be reached, or does not let us in."""


class BrokerLook(msgspec.Struct, frozen=True):
    """What a broker says of itself.

    Attributes:
        properties: Of its CONNACK (5.0); what it leaves out is at MQTT's default.
        software: What `$SYS/broker/version` says (Mosquitto); empty: nothing.
        dropped: Messages that it dropped because a queue was full, since its start; None: unknown.
        trouble: Why a shared subscription cannot be had; empty where none is wanted.
    """

    level: Level
    properties: Properties = NO_PROPERTIES
    software: str = ""
    dropped: int | None = None
    trouble: str = ""


def probe(broker: Broker) -> BrokerLook:
    """Connect, look and leave.

    Raises:
        ProbeError: If nothing can be seen; in words.
    """
    try:
        return _look(broker, broker.level or Level.V5)
    except (OSError, MqttError) as error:
        raise ProbeError(f"cannot be looked at: {error}") from error


def _look(broker: Broker, level: Level) -> BrokerLook:
    """Return what is seen in one version, or in 3.1.1 where the broker has no other."""
    with _connected(broker) as connection:
        name = b"madinadoctor" + secrets.token_hex(NAME_BYTES).encode()
        hello = Connect(level, name, keep_alive_s=60, user=broker.user, password=broker.password)
        connection.sendall(encode(hello, level))
        packets = _packets(connection, level)
        connack = next(packets, None)
        if not isinstance(connack, Connack):
            raise ProbeError("it closes the connection without an answer to CONNECT")
        if broker.level is None and is_of_another_version(level, connack):
            return _look(broker, Level.V3)
        if words := refusal_of(level, connack):
            raise ProbeError(words)
        wanted = (Subscription(VERSION), Subscription(DROPPED))
        connection.sendall(encode(Subscribe(1, wanted), level))
        told = _told(connection, packets)
        connection.sendall(encode(Disconnect(), level))
    dropped = told.get(DROPPED, b"")
    return BrokerLook(
        level,
        connack.properties,
        told.get(VERSION, b"").decode(errors="replace"),
        int(dropped) if dropped.isdigit() else None,
        share_trouble(broker, level, connack.properties),
    )


def _told(connection: socket.socket, packets: Iterator[Packet]) -> dict[bytes, bytes]:
    """Return what is retained under the topics that were asked for."""
    connection.settimeout(QUIET_S)
    told: dict[bytes, bytes] = {}
    try:
        for packet in packets:
            if isinstance(packet, Publish):
                told[packet.topic] = packet.payload
            if len(told) > 1:
                break
    except TimeoutError:
        pass  # A broker without these topics says nothing.
    return told


def _connected(broker: Broker) -> socket.socket:
    connection = socket.create_connection((broker.host, broker.port), TIMEOUT_S)
    if broker.files is None:
        return connection
    try:
        return client_context(broker.files).wrap_socket(connection, server_hostname=broker.host)
    except OSError:
        connection.close()
        raise


def _packets(connection: socket.socket, level: Level) -> Iterator[Packet]:
    """Yield packets until the broker closes the connection."""
    data = b""
    while read := connection.recv(READ_BYTES):
        data += read
        while data:
            start, end = measure(data, 0, level)
            if not start or end > len(data):
                break
            # A broker without 5.0 answers in 3.1.1.
            older = data[0] >> 4 == 2 and end == SHORT_CONNACK  # noqa: PLR2004 - CONNACK
            yield decode_body(data[0], Cursor(data, start, end), Level.V3 if older else level)
            data = data[end:]
