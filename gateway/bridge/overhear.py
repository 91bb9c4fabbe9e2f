"""What devices publish at a broker, heard for a while and left there. Blocking."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import msgspec

from gateway.bridge.hello import subscription_troubles
from gateway.bridge.visit import TIMEOUT_S, Visit, VisitError, visiting
from gateway.mqtt.packets import Publish, Suback, Subscribe, Subscription
from gateway.mqtt.reasons import MqttError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.bridge.broker import Broker

__all__ = ["OverhearError", "Overheard", "overhear"]

NAME: Final = b"madinainspect"


class OverhearError(Exception):
    """A broker cannot be listened to."""


class Overheard(msgspec.Struct, frozen=True):
    """A message as the broker gave it to us."""

    topic: bytes
    payload: bytes
    received_us: int
    content_type: str


def overhear(
    broker: Broker, seconds: float, limit: int, now_us: Callable[[], int]
) -> list[Overheard]:
    """Listen to a broker's topics with QoS 0, and return what came, at most `limit` messages.

    Raises:
        OverhearError: It cannot be reached, or refuses; in words, with what mends it.
    """
    broker = msgspec.structs.replace(broker, qos=0)
    try:
        with visiting(broker, NAME) as visit:
            found = _subscribed(visit, broker, now_us)
            return found + _heard(visit, seconds, limit - len(found), now_us)
    except (OSError, MqttError, VisitError) as error:
        raise OverhearError(f"{broker.address} cannot be listened to: {error}") from error


def _subscribed(visit: Visit, broker: Broker, now_us: Callable[[], int]) -> list[Overheard]:
    """Subscribe; return what came before the broker said that it is so."""
    visit.send(Subscribe(1, tuple(Subscription(each) for each in broker.topics)))
    early: list[Overheard] = []
    while True:
        packet = visit.next(TIMEOUT_S)
        if isinstance(packet, Publish):
            early.append(_message(packet, now_us()))
        elif isinstance(packet, Suback):
            troubles = subscription_troubles(broker, visit.level, broker.topics, packet)
            if troubles:
                raise VisitError(next(iter(troubles.values())))
            return early
        elif packet is None:
            raise VisitError(f"no answer to SUBSCRIBE within {TIMEOUT_S:g} s")


def _heard(visit: Visit, seconds: float, limit: int, now_us: Callable[[], int]) -> list[Overheard]:
    until_s = time.monotonic() + seconds
    found: list[Overheard] = []
    while len(found) < limit and (left_s := until_s - time.monotonic()) > 0:
        packet = visit.next(left_s)
        if isinstance(packet, Publish):
            found.append(_message(packet, now_us()))
    return found


def _message(packet: Publish, received_us: int) -> Overheard:
    content_type = packet.properties.content_type or ""
    return Overheard(packet.topic, packet.payload, received_us, content_type)
