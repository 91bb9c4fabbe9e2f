"""Which client identifiers this process knows: who holds them, and their open QoS 2 identifiers.

Nothing here survives the process, and a device is told so: Session Present is 1 only where the
session is still here. A QoS 2 message that comes again after a restart, or at another process, is
taken again and found by ingest as the duplicate that it is.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Holder", "Receipt", "Session", "Sessions", "session_key"]

# Sessions whose time is over are looked for this often; until then nobody finds them either.
SWEEP_S = 10.0


class Receipt(enum.Enum):
    """How far a QoS 2 message has come."""

    WAITING = enum.auto()
    # The device sent it again on a newer connection: that one gets the PUBREC.
    ASKED_AGAIN = enum.auto()
    DONE = enum.auto()


class Holder(Protocol):
    """The connection of a session."""

    def taken_over(self) -> None:
        """End: another connection has come with the same client identifier."""
        ...

    def received_again(self, acknowledgements: bytes) -> None:
        """Send PUBRECs that an earlier connection of the session could not send."""
        ...


class Session:
    """What is kept for one client identifier.

    Attributes:
        key: Of `session_key`.
        holder: Its connection; None: there is none now.
        receipts: Open QoS 2 identifiers; None: never had one.
        expires_s: When it is forgotten; counts only without a holder.
    """

    __slots__ = ("expires_s", "holder", "key", "receipts")

    def __init__(self, key: bytes, holder: Holder) -> None:
        self.key = key
        self.holder: Holder | None = holder
        self.receipts: dict[int, Receipt] | None = None
        self.expires_s = 0.0

    def settle(self, acknowledgements: bytes, sender: Holder) -> int:
        """Note which QoS 2 messages the log has; `sender` writes the acknowledgements itself.

        Args:
            acknowledgements: PUBACK and PUBREC packets of 4 bytes each.
            sender: The connection that took the messages; perhaps no longer the holder.

        Returns:
            How many PUBRECs there are.
        """
        receipts = self.receipts or {}
        again, count = bytearray(), 0
        for at in range(0, len(acknowledgements), 4):
            if acknowledgements[at] != PUBREC:
                continue
            count += 1
            identifier = int.from_bytes(acknowledgements[at + 2 : at + 4], "big")
            if receipts.get(identifier) is Receipt.ASKED_AGAIN:
                again += acknowledgements[at : at + 4]
            if identifier in receipts:
                receipts[identifier] = Receipt.DONE
        if again and self.holder is not None and self.holder is not sender:
            self.holder.received_again(bytes(again))
        return count


PUBREC = 0x50


def session_key(user: str, client: bytes) -> bytes:
    """Return what tells sessions apart: client identifiers are each user's own.

    Providers do not know of each other, so two of them may well call a device the same; neither
    shall end the other's connection.
    """
    return user.encode() + b"\0" + client if user else client


class Sessions:
    """Sessions of one process.

    Attributes:
        taken_over: How often a newer connection ended an older one.
    """

    def __init__(self, max_kept: int, announce: Callable[[bytes], None]) -> None:
        """Take `announce`: told the key of each session that connects, for other processes."""
        self._max_kept = max_kept
        self._announce = announce
        self._sessions: dict[bytes, Session] = {}
        # Those without a holder, in the order in which they were left.
        self._kept: dict[bytes, Session] = {}
        self._swept_s = 0.0
        self.taken_over = 0

    @property
    def kept(self) -> int:
        """Return how many sessions wait for their device."""
        return len(self._kept)

    def open(
        self, key: bytes, holder: Holder, *, clean: bool, now_s: float
    ) -> tuple[Session, bool]:
        """Give a session to a connection, ending an older one; tell whether it was here before."""
        self.end_holder(key)
        self._announce(key)
        found = self._sessions.get(key)
        self._kept.pop(key, None)
        if found is not None and not clean and found.expires_s > now_s:
            found.holder = holder
            return found, True
        session = self._sessions[key] = Session(key, holder)
        return session, False

    def leave(self, session: Session, *, keep_s: float, now_s: float) -> None:
        """Keep a session after its connection for so long, or forget it (0)."""
        session.holder = None
        assert self._sessions.get(session.key) is session, "an older connection left before"
        if keep_s <= 0:
            del self._sessions[session.key]
            return
        session.expires_s = now_s + keep_s
        self._kept[session.key] = session
        if len(self._kept) > self._max_kept:
            self._forget(next(iter(self._kept)))

    def end_holder(self, key: bytes) -> None:
        """End the connection of a session that has another one elsewhere."""
        found = self._sessions.get(key)
        if found is not None and found.holder is not None:
            self.taken_over += 1
            found.holder.taken_over()

    def sweep(self, now_s: float) -> None:
        """Forget sessions whose time is over."""
        if now_s < self._swept_s + SWEEP_S:
            return
        self._swept_s = now_s
        for key in [each.key for each in self._kept.values() if each.expires_s <= now_s]:
            self._forget(key)

    def _forget(self, key: bytes) -> None:
        del self._kept[key]
        del self._sessions[key]
