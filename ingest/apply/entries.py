"""Quarantine entries: a message that was not accepted whole, with its bytes and the reason."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import msgspec

from city.frame import Door
from city.topics import masked_topic
from ingest.apply.stretch import Message
from store.interface import QuarantineEntry

if TYPE_CHECKING:
    from ingest.apply.decide import Decision

__all__ = ["held_entry", "is_whole", "message_of", "partial_entry"]

KEPT_BYTES: Final = 64 * 1024
# Reasons of rejected observations; a message may have a thousand of them.
REASONS_MAX: Final = 100


def held_entry(message: Message, decision: Decision) -> QuarantineEntry:
    """Return the entry of a message that nothing is stored of."""
    error = decision.refused
    assert error is not None, "what is held was refused"
    return _entry(message, decision, reason=error.reason.value, words=error.words)


def partial_entry(message: Message, decision: Decision) -> QuarantineEntry:
    """Return the entry of an accepted message, some observations of which were rejected.

    `reason` is the first rejection's, so that it can be looked for.
    """
    first = decision.rejected[0]
    words = f"{len(decision.rejected)} observations rejected; the first: {first.words}"
    entry = _entry(message, decision, reason=first.reason.value, words=words)
    reasons = tuple((each.reason.value, each.quantity) for each in decision.rejected[:REASONS_MAX])
    return msgspec.structs.replace(entry, state="partial", reasons=reasons)


def is_whole(entry: QuarantineEntry) -> bool:
    """Say whether the entry has all bytes of its message, so that it can be replayed."""
    return len(entry.payload) == entry.length


def message_of(entry: QuarantineEntry, place: int, origin: int) -> Message:
    """Return the message that an entry was made of, to be applied with another frame."""
    return Message(
        place=place,
        id=entry.id,
        origin=origin,
        shard=entry.shard,
        minute_us=entry.minute_us,
        topic=entry.topic,
        payload=entry.payload,
        flags=entry.flags,
        received_us=entry.received_us,
        client=entry.client,
        content_type=entry.content_type,
        door=Door.SERVICES,
    )


def _entry(message: Message, decision: Decision, *, reason: str, words: str) -> QuarantineEntry:
    payload = message.payload
    return QuarantineEntry(
        id=message.id,
        shard=message.shard,
        received_us=message.received_us,
        minute_us=message.minute_us,
        topic=masked_topic(message.topic),
        client=message.client,
        flags=message.flags,
        payload=payload[:KEPT_BYTES],
        length=len(payload),
        sha256=hashlib.sha256(payload).hexdigest(),
        content_type=message.content_type,
        provider=decision.provider,
        device=decision.device,
        route=decision.route,
        codec=decision.codec,
        reason=reason,
        words=words,
    )
