"""Brokers to be bridged, as far as they tell from the outside: reachable, and set up well?"""

from collections.abc import Iterator
from typing import Final

from gateway.bridge.broker import Broker, parse_brokers
from gateway.bridge.probe import BrokerLook, ProbeError, probe
from gateway.mqtt.reasons import Level
from madina.doctor.check import Check, Machine, error, ok, warning

__all__ = ["judge", "look"]

MQTT_RECEIVE_MAXIMUM: Final = 65_535
# Below it, a window is empty for most of the time that a frame takes to the log.
SMALL_WINDOW: Final = 500
HIDDEN: Final = "its queue limits and persistence cannot be seen from outside: docs/bridges.md"
# Filters under which a broker may speak in the name of any provider.
ANY_PROVIDER: Final = (b"#", b"+/#", b"madina/#", b"madina/v1/#")


def look(machine: Machine) -> list[Check]:
    """Look at each broker, for seconds at most."""
    found: list[Check] = []
    for broker in parse_brokers(machine.settings.bridge_urls):
        name = f"bridge {broker.address}"
        try:
            found += judge(name, broker, probe(broker))
        except ProbeError as reason:
            found.append(Check(name, "error", str(reason)))
    return found


def judge(name: str, broker: Broker, seen: BrokerLook) -> Iterator[Check]:
    """Say what is seen, and what has to be mended."""
    version = "5.0" if seen.level == Level.V5 else "3.1.1"
    who = seen.software or "a broker that does not say which"
    yield ok(name, f"{who}, MQTT {version}; {HIDDEN}")
    if seen.trouble:
        yield Check(name, "error", seen.trouble)
    most = seen.properties.maximum_qos
    if most is not None and most < broker.qos:
        words = f"it delivers with QoS {most} at most, so messages may be lost on the way to us"
        yield error(name, words, "raise its highest QoS, or say qos in its URL")
    window = seen.properties.receive_maximum or MQTT_RECEIVE_MAXIMUM
    if "mosquitto" in seen.software and window < SMALL_WINDOW:
        words = f"its max_inflight_messages is {window}, for each answer of the log"
        yield warning(
            name, words, "set max_inflight_messages 1000, for more than some hundred a second"
        )
    if seen.dropped:
        words = f"it has dropped {seen.dropped} messages since its start, as a queue was full"
        yield warning(name, words, "set max_queued_messages 0, or as many as its memory holds")
    if wide := [topic.decode() for topic in broker.topics if topic in ANY_PROVIDER]:
        words = f"with {', '.join(wide)} it may speak in the name of any provider"
        yield warning(name, words, "where it is not the city's own, name its topics")
