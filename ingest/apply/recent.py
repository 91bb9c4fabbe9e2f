"""The last messages of each device that had no time of their own: their ids or payloads.

Two readings without a time can be the same by chance, so an equal payload is a repetition only
where the sender says so (DUP); an equal message id always is. design.md, "Duplicates".
"""

from __future__ import annotations

import enum
import hashlib
from collections import deque
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
        self._keys: dict[tuple[str, str], deque[int]] = {}
        self._added: list[RecentKey] = []
        for each in known:
            self._of(each.provider, each.device).append(each.key)

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
        keys = self._of(provider, device)
        key = _key(message, message_id)
        again = bool(message.flags & RecordFlag.DUP)
        if key in keys and (again or message_id is not None):
            return Repetition.DUPLICATE
        if any(_key(message, each) in keys for each in near_ids):
            return Repetition.DUPLICATE
        if message.door is Door.BRIDGE and message.flags & RecordFlag.RETAIN:
            # A broker gives its retained message to each new subscription; it says nothing new.
            return Repetition.DUPLICATE
        keys.append(key)
        self._added.append(RecentKey(provider, device, key, message.received_us, message.origin))
        return Repetition.POSSIBLE if again else Repetition.NEW

    def take_added(self) -> list[RecentKey]:
        """Return the keys that were remembered since the last time."""
        added, self._added = self._added, []
        return added

    def _of(self, provider: str, device: str) -> deque[int]:
        return self._keys.setdefault((provider, device), deque(maxlen=KEPT))


def _key(message: Message, message_id: str | None) -> int:
    named = message.payload if message_id is None else message_id.encode()
    digest = hashlib.blake2b(named, digest_size=KEY_BYTES, person=_person(message_id)).digest()
    return int.from_bytes(digest, "little")


def _person(message_id: str | None) -> bytes:
    # An id is never taken for a payload that reads the same.
    return b"payload" if message_id is None else b"id"
