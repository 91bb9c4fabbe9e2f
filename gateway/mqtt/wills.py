"""Wills: the message that a device leaves for the case that it vanishes.

To the city a will is a message like any other, with a flag. MQTT 5.0 lets a device delay it
(section 3.1.3.2.2); delayed wills wait here and nowhere else, so they are given up to the log when
the process stops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from city.frame import Extras, RecordFlag
from gateway.mqtt.publishes import record_flag
from gateway.mqtt.refusals import Refusal

if TYPE_CHECKING:
    from city.intake import Intake
    from gateway.grants import Grant
    from gateway.mqtt.packets import Will
    from gateway.mqtt.properties import Properties
    from gateway.mqtt.refusals import Refusals

__all__ = ["MOST_DELAYED", "LastWord", "Wills", "extras_of"]

# Wills that wait for their time; beyond it the oldest is published early.
MOST_DELAYED = 20_000
MOST_DELAYED_BYTES = 16 << 20


class LastWord(msgspec.Struct, frozen=True):
    """A will, with what it takes to publish it when its device is gone.

    Attributes:
        key: Of its session.
    """

    key: bytes
    client: bytes
    address: str
    grant: Grant
    will: Will

    @property
    def size_bytes(self) -> int:
        """Return what the message holds."""
        return len(self.will.topic) + len(self.will.payload)


class Wills:
    """Publishes wills, at once or when their delay is over; nobody waits for the log's answer."""

    def __init__(self, intake: Intake, refusals: Refusals) -> None:
        self._intake = intake
        self._refusals = refusals
        self._delayed: dict[bytes, tuple[float, LastWord]] = {}
        self._delayed_bytes = 0

    @property
    def delayed(self) -> int:
        """Return how many wills wait for their time."""
        return len(self._delayed)

    def leave(self, last_word: LastWord, *, delay_s: float, now_s: float) -> None:
        """Publish a will, now or later."""
        if delay_s > 0:
            self._delayed[last_word.key] = (now_s + delay_s, last_word)
            self._delayed_bytes += last_word.size_bytes
            while len(self._delayed) > MOST_DELAYED or self._delayed_bytes > MOST_DELAYED_BYTES:
                self._publish(self._pop(next(iter(self._delayed))))
        else:
            self._publish(last_word)

    def returned(self, key: bytes, *, clean: bool) -> None:
        """Drop the delayed will of a device that is back; publish it if its session ended."""
        if key in self._delayed:
            last_word = self._pop(key)
            if clean:
                self._publish(last_word)

    def tick(self, now_s: float) -> None:
        """Publish what is due; with infinity as the time: everything."""
        for key in [each for each, (due_s, _) in self._delayed.items() if due_s <= now_s]:
            self._publish(self._pop(key))

    def confirmed(self, acknowledgements: bytes, size_bytes: int) -> None:
        """Ignore that the log has a will: its device is gone (`city.intake.Publisher`)."""

    def _pop(self, key: bytes) -> LastWord:
        _, last_word = self._delayed.pop(key)
        self._delayed_bytes -= last_word.size_bytes
        return last_word

    def _publish(self, last_word: LastWord) -> None:
        will = last_word.will
        if not last_word.grant.allows(will.topic):
            self._refusals.note(
                Refusal.WILL_TOPIC,
                client=last_word.client.decode(),
                address=last_word.address,
                detail="may not publish its will there",
                topic=will.topic,
            )
            return
        flag = record_flag(will.qos, retain=will.retain, dup=False) | RecordFlag.WILL
        self._intake.take(
            self,
            last_word.client,
            [will.topic],
            [will.payload],
            bytes((flag,)),
            [b""],
            last_word.size_bytes,
            extras_of(0, will.properties),
        )


def extras_of(index: int, properties: Properties) -> tuple[Extras, ...]:
    """Return what a frame keeps of a message's properties; nothing where there is nothing."""
    content_type, user_properties = properties.content_type, properties.user_properties
    if content_type is None and not user_properties:
        return ()
    return (Extras(index, content_type or "", user_properties),)
