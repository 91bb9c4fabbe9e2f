"""A short look at a broker for `madina doctor`: what it says of itself to whoever comes once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from gateway.bridge.hello import share_trouble
from gateway.bridge.visit import VisitError, visiting
from gateway.mqtt.packets import Publish, Subscribe, Subscription
from gateway.mqtt.properties import NO_PROPERTIES, Properties
from gateway.mqtt.reasons import Level, MqttError

if TYPE_CHECKING:
    from gateway.bridge.broker import Broker
    from gateway.bridge.visit import Visit

__all__ = ["BrokerLook", "ProbeError", "probe"]

# Retained: they come at once, or never.
QUIET_S: Final = 1.0
VERSION: Final = b"$SYS/broker/version"
DROPPED: Final = b"$SYS/broker/publish/messages/dropped"
NAME: Final = b"madinadoctor"


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
        return _look(broker)
    except (OSError, MqttError) as error:
        raise ProbeError(f"cannot be looked at: {error}") from error
    except VisitError as error:
        raise ProbeError(str(error)) from error


def _look(broker: Broker) -> BrokerLook:
    with visiting(broker, NAME) as visit:
        visit.send(Subscribe(1, (Subscription(VERSION), Subscription(DROPPED))))
        told = _told(visit)
    dropped, properties = told.get(DROPPED, b""), visit.connack.properties
    return BrokerLook(
        visit.level,
        properties,
        told.get(VERSION, b"").decode(errors="replace"),
        int(dropped) if dropped.isdigit() else None,
        share_trouble(broker, visit.level, properties),
    )


def _told(visit: Visit) -> dict[bytes, bytes]:
    """Return what is retained under the topics that were asked for; a broker may have nothing."""
    told: dict[bytes, bytes] = {}
    while len(told) < 2 and (packet := visit.next(QUIET_S)) is not None:  # noqa: PLR2004 - both
        if isinstance(packet, Publish):
            told[packet.topic] = packet.payload
    return told
