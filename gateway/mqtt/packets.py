"""MQTT packets as values, both directions and both versions; PUBLISH in bulk is `publishes`.

Names and meanings are those of MQTT 5.0 chapter 3. What only 5.0 has is at its default in 3.1.1.
"""

from __future__ import annotations

import enum
from typing import TypeAlias

import msgspec

from gateway.mqtt.properties import NO_PROPERTIES, Properties
from gateway.mqtt.reasons import Level

__all__ = [
    "Ack",
    "Auth",
    "Connack",
    "Connect",
    "Disconnect",
    "Kind",
    "Packet",
    "Ping",
    "Publish",
    "Suback",
    "Subscribe",
    "Subscription",
    "Unsubscribe",
    "Will",
]


class Kind(enum.IntEnum):
    """Control packet types: the upper half of the first byte."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15


class Will(msgspec.Struct, frozen=True):
    """What a server publishes for a client that ended without DISCONNECT."""

    topic: bytes
    payload: bytes
    qos: int = 0
    retain: bool = False
    properties: Properties = NO_PROPERTIES


class Connect(msgspec.Struct, frozen=True):
    """CONNECT.

    Attributes:
        client: Client identifier, UTF-8; empty: the server assigns one.
        clean: Clean Session (3.1.1) or Clean Start (5.0).
        keep_alive_s: 0: none.
    """

    level: Level
    client: bytes = b""
    clean: bool = True
    keep_alive_s: int = 0
    user: str | None = None
    password: bytes | None = None
    will: Will | None = None
    properties: Properties = NO_PROPERTIES


class Connack(msgspec.Struct, frozen=True):
    """CONNACK; `code` is a reason code (5.0) or a return code (3.1.1)."""

    code: int = 0
    session_present: bool = False
    properties: Properties = NO_PROPERTIES


class Publish(msgspec.Struct, frozen=True):
    """PUBLISH; the topic is empty where an alias stands for it."""

    topic: bytes
    payload: bytes
    qos: int = 0
    identifier: int = 0
    retain: bool = False
    dup: bool = False
    properties: Properties = NO_PROPERTIES


class Ack(msgspec.Struct, frozen=True):
    """PUBACK, PUBREC, PUBREL or PUBCOMP."""

    kind: Kind
    identifier: int
    code: int = 0
    properties: Properties = NO_PROPERTIES


class Subscription(msgspec.Struct, frozen=True):
    """One filter of a SUBSCRIBE with its options byte as it came."""

    filter: bytes
    options: int = 0


class Subscribe(msgspec.Struct, frozen=True):
    """SUBSCRIBE."""

    identifier: int
    subscriptions: tuple[Subscription, ...]
    properties: Properties = NO_PROPERTIES


class Unsubscribe(msgspec.Struct, frozen=True):
    """UNSUBSCRIBE."""

    identifier: int
    filters: tuple[bytes, ...]
    properties: Properties = NO_PROPERTIES


class Suback(msgspec.Struct, frozen=True):
    """SUBACK, or UNSUBACK (which has no codes in 3.1.1)."""

    kind: Kind
    identifier: int
    codes: bytes = b""
    properties: Properties = NO_PROPERTIES


class Ping(msgspec.Struct, frozen=True):
    """PINGREQ or PINGRESP."""

    kind: Kind


class Disconnect(msgspec.Struct, frozen=True):
    """DISCONNECT."""

    code: int = 0
    properties: Properties = NO_PROPERTIES


class Auth(msgspec.Struct, frozen=True):
    """AUTH (5.0)."""

    code: int = 0
    properties: Properties = NO_PROPERTIES


Packet: TypeAlias = (
    Connect | Connack | Publish | Ack | Subscribe | Suback | Unsubscribe | Ping | Disconnect | Auth
)
