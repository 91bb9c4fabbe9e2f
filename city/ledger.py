"""The balance that has to close: what came in equals what became of it, message by message."""

import msgspec

__all__ = ["UNREAD", "Balance", "Difference", "MessageCounts", "ObservationCounts"]

# Messages that ingest has not read yet stand under this route.
UNREAD = "unread"


class MessageCounts(msgspec.Struct, frozen=True):
    """Messages: `received = accepted + quarantined + duplicate + pending`."""

    received: int = 0
    accepted: int = 0
    quarantined: int = 0
    duplicate: int = 0
    pending: int = 0


class ObservationCounts(msgspec.Struct, frozen=True):
    """Observations: `decoded = stored + duplicate + rejected`; a conflict counts as stored."""

    decoded: int = 0
    stored: int = 0
    duplicate: int = 0
    rejected: int = 0


class Difference(msgspec.Struct, frozen=True):
    """Left side minus right side; anything but 0 is a defect of ours."""

    messages: int
    observations: int


class Balance(msgspec.Struct, frozen=True):
    """One balance: of everything, or of one minute, provider and route."""

    messages: MessageCounts
    observations: ObservationCounts

    @property
    def difference(self) -> Difference:
        """Return what does not add up."""
        of, seen = self.messages, self.observations
        return Difference(
            messages=of.received - of.accepted - of.quarantined - of.duplicate - of.pending,
            observations=seen.decoded - seen.stored - seen.duplicate - seen.rejected,
        )
