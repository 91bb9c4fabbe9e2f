"""The last messages of each device that had no time of their own: their ids or payloads.

Two readings without a time can be the same by chance, so an equal payload is a repetition only
where the sender says so (DUP); an equal message id always is. design.md, "Duplicates".
"""

from __future__ import annotations

import enum
import hashlib
from typing import TYPE_CHECKING, Final

from city.frame import Door, RecordFlag
from store.interface import RecentKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingest.apply.stretch import Message

__all__ = ["Repetition", "TimelessMessages"]

KEPT: Final = 64
KEY_BYTES: Final = 8


class Repetition(enum.Enum):
    """What is known of a message without a time."""

    NEW = enum.auto()
    POSSIBLE = enum.auto()
    DUPLICATE = enum.auto()


class TimelessMessages:
    """Remembers keys by device, and those that the present batch has to keep."""

    def __init__(self, known: Iterable[RecentKey]) -> None:
        """Take keys, oldest first."""
        # Of a device in one piece, oldest first: an object a key would cost several times that.
        self._keys: dict[tuple[str, str], bytes] = {}
        self._added: list[RecentKey] = []
        for each in known:
            self._keep((each.provider, each.device), each.key.to_bytes(KEY_BYTES, "little"))

    def look(
        self,
        message: Message,
        provider: str,
        device: str,
        message_id: str | None,
        near_ids: tuple[str, ...] = (),
    ) -> Repetition:
        """Say whether a message came before, and remember it where it did not.

        Args:
            message: What was sent.
            provider: Whose device it is.
            device: Its id.
            message_id: The sender's own name of the message; None where it has none.
            near_ids: Names that an earlier sending of it may have had instead.
        """
        name = provider, device
        keys = self._keys.get(name, b"")
        key = _key(message, message_id)
        again = bool(message.flags & RecordFlag.DUP)
        if _holds(keys, key) and (again or message_id is not None):
            return Repetition.DUPLICATE
        if any(_holds(keys, _key(message, each)) for each in near_ids):
            return Repetition.DUPLICATE
        if message.door is Door.BRIDGE and message.flags & RecordFlag.RETAIN:
            # A broker gives its retained message to each new subscription; it says nothing new.
            return Repetition.DUPLICATE
        self._keep(name, key)
        number = int.from_bytes(key, "little")
        self._added.append(RecentKey(provider, device, number, message.received_us, message.origin))
        return Repetition.POSSIBLE if again else Repetition.NEW

    def take_added(self) -> list[RecentKey]:
        """Return the keys that were remembered since the last time."""
        added, self._added = self._added, []
        return added

    def _keep(self, name: tuple[str, str], key: bytes) -> None:
        self._keys[name] = (self._keys.get(name, b"") + key)[-KEPT * KEY_BYTES :]


def _holds(keys: bytes, key: bytes) -> bool:
    at = keys.find(key)
    # The end of one key and the start of the next can read like a third one.
    while at % KEY_BYTES and at >= 0:
        at = keys.find(key, at + 1)
    return at >= 0


def _key(message: Message, message_id: str | None) -> bytes:
    named = message.payload if message_id is None else message_id.encode()
    return hashlib.blake2b(named, digest_size=KEY_BYTES, person=_person(message_id)).digest()


def _person(message_id: str | None) -> bytes:
    # An id is never taken for a payload that reads the same.
    return b"payload" if message_id is None else b"id"
