"""One broker, over all connections to it: what is wanted, what came, and what is wrong in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import structlog

from city.clock import US_PER_S
from city.gateway_state import BrokerState
from gateway.bridge.receipts import Receipts
from gateway.grants import Grant
from gateway.mqtt.primitives import check_topic
from gateway.mqtt.reasons import LONGEST_WORDS, Level, MqttError

if TYPE_CHECKING:
    from city.clock import Clock
    from city.intake import Intake
    from gateway.bridge.broker import Broker

__all__ = ["Bridge", "Talk"]

log = structlog.get_logger(__name__)

# Messages too long for the log that are remembered by topic, and refused topics that are logged.
REMEMBERED: Final = 100
# Requests to devices that a broker is given in a second: whoever was not asked is asked again.
REQUESTS_PER_S: Final = 100


class Talk(Protocol):
    """A connection, as its bridge sees it (`gateway.bridge.conversation.Conversation`)."""

    open: bool

    @property
    def in_flight(self) -> int:
        """Return how many messages wait for their acknowledgement."""
        ...

    def tick(self, now_s: float) -> None:
        """Do what is due."""
        ...

    def pause(self) -> None:
        """Read nothing."""
        ...

    def go_on(self) -> None:
        """Read again."""
        ...

    def say(self, topic: bytes, payload: bytes) -> None:
        """Publish a message, QoS 0 and not retained."""
        ...

    def leave(self, cause: str) -> None:
        """End from our side."""
        ...


class Bridge:
    """Facts that outlive a connection, for `Conversation` and for pages and metrics.

    Attributes:
        level: What to speak; 3.1.1 once the broker said that it has nothing newer.
        conversation: The latest one; None before the first.
        receipts: QoS 2 messages that the broker has not released.
        connects: How often the broker let us in.
        redelivered: Messages that came again while the first was held; they were not taken.
    """

    def __init__(self, broker: Broker, intake: Intake, clock: Clock, max_packet: int) -> None:
        """Take the longest packet that fits the log, bytes."""
        self.broker = broker
        self.intake = intake
        self.max_packet = max_packet
        self.client = broker.client.decode()
        self.level = broker.level or Level.V5
        self.receipts = Receipts()
        self.conversation: Talk | None = None
        self.connects = 0
        self.redelivered = 0
        self._clock = clock
        self._grant = Grant("", broker.topics)
        self._messages = 0
        self._last_us = 0
        self._session_present = False
        self._words = "not connected yet"
        self._refused = 0
        self._requests = 0
        self._requests_dropped = 0
        self._requests_left = REQUESTS_PER_S
        self._dropped_for = ""
        self._left: dict[bytes, int] = {}
        self._left_count = 0
        self._told_messages = 0
        self._told_us = clock.now_us()

    def failed(self, words: str) -> None:
        """Note why there is no connection; it is logged once for each reason."""
        if words != self._words:
            log.warning("broker.lost", broker=self.broker.address, cause=words)
            self._words = words

    def connected(self, level: Level, *, session_present: bool) -> None:
        """Note that the broker has let us in."""
        self.connects += 1
        self._session_present = session_present
        if not session_present:
            self.receipts.clear()
        log.info(
            "broker.connected",
            broker=self.broker.address,
            version=_version(level),
            session_present=session_present,
        )

    def subscribed(self, troubles: list[str]) -> None:
        """Note how the broker answered SUBSCRIBE."""
        words = "; ".join(troubles)
        if words and words != self._words:
            log.warning("broker.refused", broker=self.broker.address, cause=words)
        elif not words:
            log.info("broker.subscribed", broker=self.broker.address)
        self._words = words

    def allows(self, topic: bytes) -> bool:
        """Say whether a topic is one that was asked for."""
        return self._grant.allows(topic)

    def took(self, messages: int) -> None:
        """Count messages that the packer has."""
        self._messages += messages
        self._last_us = self._clock.now_us()

    def refused(self, topic: bytes) -> None:
        """Count a message that nobody asked for; the broker may forget it."""
        self._refused += 1
        if self._refused <= REMEMBERED:
            log.warning(
                "broker.unasked",
                broker=self.broker.address,
                topic=topic[:LONGEST_WORDS].decode(errors="replace"),
            )

    def tick(self, now_s: float) -> None:
        """Do once a second what is due."""
        self._requests_left = REQUESTS_PER_S
        if self.conversation is not None:
            self.conversation.tick(now_s)

    def ask(self, topic: str, payload: bytes) -> None:
        """Publish what ingest asks of a device; it is dropped where that cannot be done now."""
        cause = self._why_not_asked(topic)
        if cause:
            self._requests_dropped += 1
            if cause != self._dropped_for:
                log.warning(
                    "broker.request_dropped", broker=self.broker.address, topic=topic, cause=cause
                )
        elif self.conversation is not None:
            self.conversation.say(topic.encode(), payload)
            self._requests += 1
            self._requests_left -= 1
            log.info("broker.asked", broker=self.broker.address, topic=topic)
        self._dropped_for = cause

    def left_behind(self, topic: bytes, size_bytes: int, *, kept: bool) -> None:
        """Note a message that is too long for the log; `kept`: the broker still has it."""
        self._left_count += 1
        if topic in self._left or len(self._left) >= REMEMBERED:
            return
        self._left[topic] = size_bytes
        log.error(
            "broker.too_long",
            broker=self.broker.address,
            topic=topic[:LONGEST_WORDS].decode(errors="replace"),
            size_bytes=size_bytes,
            kept=kept,
        )

    def state(self) -> BrokerState:
        """Return what is known; call it once a second."""
        conversation = self.conversation
        is_open = conversation is not None and conversation.open
        now_us = self._clock.now_us()
        elapsed_us = max(now_us - self._told_us, 1)
        rate = (self._messages - self._told_messages) * US_PER_S / elapsed_us
        self._told_messages, self._told_us = self._messages, now_us
        return BrokerState(
            name=self.broker.address,
            client=self.client,
            connected=is_open,
            reason=self._words,
            warning=self._left_words(),
            version=_version(self.level),
            session_present=self._session_present,
            connects=self.connects,
            messages=self._messages,
            messages_per_s=rate,
            held=conversation.in_flight if conversation is not None and is_open else 0,
            redelivered=self.redelivered,
            refused=self._refused,
            too_long=self._left_count,
            requests=self._requests,
            requests_dropped=self._requests_dropped,
            last_us=self._last_us,
        )

    def _why_not_asked(self, topic: str) -> str:
        if self.conversation is None or not self.conversation.open:
            return "the broker is not connected"
        if self._requests_left <= 0:
            return f"more than {REQUESTS_PER_S} requests in a second"
        try:
            check_topic(topic.encode())
        except MqttError as error:
            return str(error)
        return ""

    def _left_words(self) -> str:
        """Return which messages the broker keeps because the log cannot take them."""
        if not self._left:
            return ""
        topic, size_bytes = next(iter(self._left.items()))
        name = topic[:LONGEST_WORDS].decode(errors="replace")
        return (
            f"{self._left_count} messages are too long, the first on {name!r} with"
            f" {size_bytes:,} bytes: they are not acknowledged; raise MADINA_MQTT_MAX_PACKET above"
            f" {self.max_packet:,}, or delete them in the broker"
        )


def _version(level: Level) -> str:
    return "5.0" if level == Level.V5 else "3.1.1"
