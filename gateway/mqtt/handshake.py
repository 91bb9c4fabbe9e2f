"""CONNECT and what it is answered: who gets in under which name, and what is agreed on.

Decisions only. Source: MQTT 5.0 and 3.1.1, sections 3.1 and 3.2.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

import msgspec

from gateway.grants import Grant, Login, Refused
from gateway.mqtt.encode import encode
from gateway.mqtt.packets import Connack
from gateway.mqtt.properties import NO_PROPERTIES, Properties
from gateway.mqtt.reasons import CONNACK_3, Level, Reason
from gateway.mqtt.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.grants import Doorkeeper
    from gateway.mqtt.packets import Connect
    from gateway.mqtt.wire import ConnectionSettings, Peer

__all__ = ["NO_LIMIT", "Admitted", "Denied", "accepting", "admit", "refusing"]

# Longer than any packet: what a device that names no maximum packet size takes.
NO_LIMIT = 1 << 32

# MQTT asks for 23 bytes at least; certificates' names and URNs need more, nothing needs this much.
LONGEST_CLIENT_BYTES = 1_024
ASSIGNED_BYTES = 12
# A CONNACK with all that it can say here takes 61 bytes; a device has to have room for it.
SMALLEST_ROOM_BYTES = 64

REASONS: Final[Mapping[Refused, tuple[Reason, Refusal]]] = {
    Refused.CREDENTIALS: (Reason.BAD_CREDENTIALS, Refusal.CREDENTIALS),
    Refused.ANONYMOUS: (Reason.NOT_AUTHORIZED, Refusal.ANONYMOUS),
    Refused.DISABLED: (Reason.NOT_AUTHORIZED, Refusal.DISABLED),
    Refused.UNKNOWN_YET: (Reason.SERVER_UNAVAILABLE, Refusal.UNKNOWN_YET),
}
WORDS: Final[Mapping[Refused, str]] = {
    Refused.CREDENTIALS: "user or password is wrong",
    Refused.ANONYMOUS: "user and password are needed",
    Refused.DISABLED: "the user is disabled",
    Refused.UNKNOWN_YET: "users are not known yet; try again",
}


class Denied(msgspec.Struct, frozen=True):
    """Somebody does not get in."""

    reason: Reason
    refusal: Refusal
    words: str


class Admitted(msgspec.Struct, frozen=True):
    """Somebody gets in.

    Attributes:
        client: Client identifier, the device's own or an assigned one.
        assigned: It was assigned.
        asked_s: Session expiry that the device asked for.
        keep_s: How long its session is kept after the connection.
    """

    client: bytes
    assigned: bool
    grant: Grant
    asked_s: int
    keep_s: int


def admit(
    connect: Connect, peer: Peer, settings: ConnectionSettings, doorkeeper: Doorkeeper
) -> Admitted | Denied:
    """Decide on a CONNECT."""
    denied = _objection(connect)
    if denied is not None:
        return denied
    login = Login(connect.user, connect.password, peer.certificate, peer.near)
    grant = doorkeeper.admit(login)
    if isinstance(grant, Refused):
        return Denied(*REASONS[grant], WORDS[grant])
    asked_s = connect.properties.session_expiry_s or 0
    if connect.level == Level.V3:
        asked_s = 0 if connect.clean else settings.session_expiry_s
    client = connect.client or b"madina-" + secrets.token_hex(ASSIGNED_BYTES).encode()
    keep_s = min(asked_s, settings.session_expiry_s)
    return Admitted(client, not connect.client, grant, asked_s, keep_s)


def accepting(
    level: Level, admitted: Admitted, settings: ConnectionSettings, *, present: bool
) -> Connack:
    """Return the CONNACK for somebody who gets in: what this endpoint keeps and does not do."""
    if level == Level.V3:
        return Connack(0, present)
    granting = settings.subscribe == "ignore"
    properties = Properties(
        session_expiry_s=None if admitted.keep_s == admitted.asked_s else admitted.keep_s,
        assigned_client=admitted.client.decode() if admitted.assigned else None,
        receive_maximum=settings.receive_maximum,
        topic_alias_maximum=settings.topic_alias_maximum,
        maximum_packet_size=settings.max_packet,
        wildcard_subscription_available=None if granting else 0,
        subscription_identifiers_available=None if granting else 0,
        shared_subscription_available=None if granting else 0,
    )
    return Connack(0, present, properties)


def refusing(level: Level, reason: Reason, words: str, longest: int = NO_LIMIT) -> bytes:
    """Return the CONNACK for somebody who does not get in, in at most `longest` bytes.

    Nothing where 3.1.1 has no word for it, or where it would be too long even without words.
    """
    if level == Level.V3:
        code = CONNACK_3.get(reason)
        return b"" if code is None else encode(Connack(code), level)
    for properties in (Properties(reason_string=words), NO_PROPERTIES):
        data = encode(Connack(reason, properties=properties), level)
        if len(data) <= longest:
            return data
    return b""


def _objection(connect: Connect) -> Denied | None:
    """Return what is wrong with a CONNECT, whoever sent it."""
    asked = connect.properties
    objections = (
        (
            asked.authentication_method is not None,
            Reason.BAD_AUTHENTICATION_METHOD,
            Refusal.AUTHENTICATION_METHOD,
            "no authentication method is supported, only user and password",
        ),
        (
            (asked.maximum_packet_size or NO_LIMIT) < SMALLEST_ROOM_BYTES,
            Reason.PACKET_TOO_LARGE,
            Refusal.TOO_LARGE,
            f"a maximum packet size below {SMALLEST_ROOM_BYTES} bytes",
        ),
        (
            len(connect.client) > LONGEST_CLIENT_BYTES,
            Reason.CLIENT_ID_NOT_VALID,
            Refusal.CLIENT_ID,
            f"a client identifier of more than {LONGEST_CLIENT_BYTES} bytes",
        ),
        (
            not connect.client and connect.level == Level.V3 and not connect.clean,
            Reason.CLIENT_ID_NOT_VALID,
            Refusal.CLIENT_ID,
            "a session to be resumed needs a client identifier",
        ),
    )
    return next((Denied(*each[1:]) for each in objections if each[0]), None)
