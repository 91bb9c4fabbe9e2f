"""QoS 2 messages that a broker has not released: taken once, also over reconnections.

A broker that lost its memory numbers messages anew (nats-server does after a restart), and then an
identifier that is open here means another message. So what a message was is remembered beside its
identifier: only the same content is the same message.
"""

from __future__ import annotations

import enum
import hashlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gateway.mqtt.packets import Publish

__all__ = ["Asker", "Found", "Receipts"]

DIGEST_BYTES = 16


class Asker(Protocol):
    """A connection that can send a PUBREC."""

    def wants_receipt(self, identifier: int) -> None:
        """Send the PUBREC of a message that the log has."""
        ...


class Found(enum.Enum):
    """What is known of a QoS 2 message that came."""

    NEW = enum.auto()
    WAITING = enum.auto()
    LOGGED = enum.auto()


class _Receipt:
    """One open message: who handed it to the log, and who wants its PUBREC by now."""

    __slots__ = ("asker", "digest", "logged", "taker")

    def __init__(self, digest: bytes, taker: Asker) -> None:
        self.digest = digest
        self.taker = taker
        self.asker = taker
        self.logged = False


class Receipts:
    """Open QoS 2 messages of one session with a broker."""

    def __init__(self) -> None:
        self._open: dict[int, _Receipt] = {}

    def __len__(self) -> int:
        return len(self._open)

    def clear(self) -> None:
        """Forget all: the broker has no session of ours, so it releases none of them."""
        self._open.clear()

    def take(self, packet: Publish, asker: Asker) -> Found:
        """Look at a message that came; a new one is open from now on."""
        digest = hashlib.blake2b(
            len(packet.topic).to_bytes(2) + packet.topic + packet.payload, digest_size=DIGEST_BYTES
        ).digest()
        found = self._open.get(packet.identifier)
        if found is None or found.digest != digest:
            self._open[packet.identifier] = _Receipt(digest, asker)
            return Found.NEW
        found.asker = asker
        return Found.LOGGED if found.logged else Found.WAITING

    def logged(self, identifiers: list[int], sender: Asker) -> None:
        """Note that the log has what `sender` took; whoever asked for it later is answered."""
        for identifier in identifiers:
            found = self._open.get(identifier)
            # An identifier may stand for another message by now, which the log does not have.
            if found is None or found.taker is not sender:
                continue
            found.logged = True
            if found.asker is not sender:
                found.asker.wants_receipt(identifier)

    def release(self, identifier: int) -> bool:
        """Close a message; False where it was not open."""
        return self._open.pop(identifier, None) is not None
