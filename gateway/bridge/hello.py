"""CONNECT and SUBSCRIBE to a broker, and what its answers mean in words, with what mends them.

Decisions only. Source: MQTT 5.0 and 3.1.1, sections 3.1, 3.2, 3.8 and 3.9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.mqtt.packets import Connect, Subscribe, Subscription
from gateway.mqtt.properties import NO_PROPERTIES, Properties
from gateway.mqtt.reasons import LONGEST_WORDS, Level, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.bridge.broker import Broker
    from gateway.mqtt.packets import Connack, Suback

__all__ = [
    "connecting",
    "is_of_another_version",
    "leaving_words",
    "refusal_of",
    "share_trouble",
    "subscribing",
    "subscription_troubles",
]

# Retain handling 1 (5.0): retained messages only where the subscription is new, so that a
# reconnection does not bring all of them again.
RETAINED_IF_NEW: Final = 0x10
FAILURE: Final = 0x80
HIGHEST_QOS: Final = 2

# Return codes of 3.1.1 (table 3.1) as reason codes of 5.0.
CONNACK_OF_3: Final[Mapping[int, int]] = {
    1: Reason.UNSUPPORTED_VERSION,
    2: Reason.CLIENT_ID_NOT_VALID,
    3: Reason.SERVER_UNAVAILABLE,
    4: Reason.BAD_CREDENTIALS,
    5: Reason.NOT_AUTHORIZED,
}
# What the broker says by its code, and what mends it.
WORDS: Final[Mapping[int, tuple[str, str]]] = {
    0x80: ("refused without a reason", "its log says why"),
    0x84: ("MQTT version not supported", "set version in its URL"),
    0x85: ("client identifier not valid", "set another client_id in its URL"),
    0x86: ("bad user name or password", "mend user and password in its URL"),
    0x87: ("not authorized", "allow it in the broker's access list"),
    0x88: ("server unavailable", "it is tried again"),
    0x89: ("server busy", "it is tried again"),
    0x8A: ("banned", "unban this client in the broker"),
    0x8B: ("server shutting down", "it is tried again"),
    0x8C: ("bad authentication method", "let it take user and password, or a certificate"),
    0x8D: ("keep alive timeout", "look at the network between"),
    0x8E: ("session taken over", "another client uses this client_id: set one of its own"),
    0x8F: ("topic filter invalid", "mend topic in its URL"),
    0x95: ("packet too large", "raise the broker's limit"),
    0x97: ("quota exceeded", "raise the broker's quota"),
    0x98: ("administrative action", "ask who runs the broker"),
    0x9E: ("shared subscriptions not supported", "leave out share in its URL"),
    0x9F: ("connection rate exceeded", "it is tried again"),
    0xA2: ("wildcard subscriptions not supported", "name topics without wildcards"),
}
# A refused filter of 3.1.1 has no reason; this is what it is with brokers that we know.
MEND_OF_3: Final = (
    "the broker's log says why: its access list, or in nats-server max_ack_pending, of which each"
    " filter takes its share and one that ends in # twice, 65,535 in all"
)


def connecting(broker: Broker, level: Level) -> Connect:
    """Return the CONNECT: always for a session that outlives the connection."""
    properties = NO_PROPERTIES
    if level == Level.V5:
        properties = Properties(
            session_expiry_s=broker.session_expiry_s,
            receive_maximum=broker.receive_maximum,
        )
    return Connect(
        level,
        broker.client,
        clean=False,
        keep_alive_s=broker.keep_alive_s,
        user=broker.user,
        password=broker.password,
        properties=properties,
    )


def is_of_another_version(level: Level, connack: Connack) -> bool:
    """Say whether a broker refuses 5.0 itself, in the words of either version."""
    return level == Level.V5 and connack.code in {1, Reason.UNSUPPORTED_VERSION}


def refusal_of(level: Level, connack: Connack) -> str:
    """Return why a broker does not let us in, and what mends it; empty where it does."""
    if not connack.code:
        return ""
    # A broker without 5.0 refuses it in the words of 3.1.1.
    code = connack.code
    if level == Level.V3 or code < FAILURE:
        code = CONNACK_OF_3.get(code, FAILURE)
    return f"the broker refuses the connection: {_said(code, connack.properties)}"


def share_trouble(broker: Broker, level: Level, properties: Properties) -> str:
    """Return why a shared subscription cannot be had; empty where it can, or none is wanted."""
    if broker.share is None:
        return ""
    if level == Level.V3:
        return (
            "share needs MQTT 5.0, and the broker has 3.1.1 only, which cannot say whether it has"
            " shared subscriptions (nats-server grants one and delivers nothing): leave out share"
        )
    if properties.shared_subscription_available == 0:
        return "the broker has no shared subscriptions: leave out share in its URL"
    return ""


def subscribing(broker: Broker, level: Level, filters: Sequence[bytes]) -> Subscribe:
    """Return the SUBSCRIBE for some filters, as packet 1."""
    options = broker.qos | (RETAINED_IF_NEW if level == Level.V5 and broker.share is None else 0)
    return Subscribe(1, tuple(Subscription(each, options) for each in filters))


def subscription_troubles(
    broker: Broker, level: Level, filters: Sequence[bytes], suback: Suback
) -> dict[bytes, str]:
    """Return what is wrong by filter: refused, or granted with less than was asked.

    Raises:
        ValueError: If the answer is not one code a filter.
    """
    found: dict[bytes, str] = {}
    for wanted, code in zip(filters, suback.codes, strict=True):
        name = wanted.decode(errors="replace")
        if code >= FAILURE:
            said = (
                f"code {code:#04x}; {MEND_OF_3}"
                if level == Level.V3
                else _said(code, suback.properties)
            )
            found[wanted] = f"the broker refuses {name!r}: {said}"
        elif code < broker.qos:
            found[wanted] = (
                f"the broker grants {name!r} with QoS {code} only, not {broker.qos}: messages may"
                " be lost between it and us"
            )
    return found


def leaving_words(code: int, properties: Properties) -> str:
    """Return why a broker ended the connection (5.0)."""
    return f"the broker ends the connection: {_said(code, properties)}"


def _said(code: int, properties: Properties) -> str:
    """Return a code with the broker's own words, and what mends it."""
    words, mend = WORDS.get(code, ("no reason that MQTT knows", "the broker's log says why"))
    own = properties.reason_string
    told = f" ({own[:LONGEST_WORDS]})" if own else ""
    return f"code {code:#04x}, {words}{told}; {mend}"
