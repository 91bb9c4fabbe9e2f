"""What an account of a run's messages holds."""

import msgspec

__all__ = ["Account", "Findings", "LostMessage"]


class LostMessage(msgspec.Struct, frozen=True):
    """A message that was promised and is not there.

    Attributes:
        due_s: Since the start of the run.
        window: What was going on then: a phase, or an outage.
    """

    device: str
    sequence: int
    due_s: float
    window: str


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of a run: what should have become of them, and what the ledger says did.

    Attributes:
        sent, promised: Messages that were sent; those with a PUBACK or PUBCOMP.
        good: Promised ones that a platform has to accept: whole, and no repetitions.
        good_sent: Sent ones of that kind.
        repeats, malformed, wrong_units: Sent ones that are spoilt on purpose.
        accepted, quarantined, duplicate, rejected: What the ledger got; the last are observations.
        lost: Promised ones that neither were accepted nor quarantined.
        doubled: Accepted ones beyond what was sent.
        pending: Still on the log.
        difference: What does not add up in the ledger itself, messages and observations.
    """

    sent: int
    promised: int
    good: int
    good_sent: int
    repeats: int
    malformed: int
    wrong_units: int
    accepted: int
    quarantined: int
    duplicate: int
    rejected: int
    lost: int
    doubled: int
    pending: int
    difference: int
    complaints: list[str] = []


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """Stored values of devices, against what they sent.

    Attributes:
        devices: How many were looked at.
        values: How many stored values they have.
        lost: Promised values that are not stored; `lost_messages` lists the first hundred.
        doubled: Values that are stored more than once.
        foreign: Values at times at which nothing was sent.
        changed: Values that are not what was sent.
        out_of_order: Values received before an older one of their device.
        late: Values received more than 5 s after they were due, by what was going on then.
        answers: Means of a day that the stored values give, against the true ones: how many were
            compared, and how many differ.
    """

    devices: int
    values: int
    lost: int
    doubled: int
    foreign: int
    changed: int
    out_of_order: int
    late: dict[str, int]
    lost_messages: list[LostMessage]
    answers: int
    wrong_answers: list[str]

    @property
    def complaints(self) -> list[str]:
        """What is wrong, for people."""
        counts = {
            "promised values are not stored": self.lost,
            "values are stored twice": self.doubled,
            "values are stored that nobody sent": self.foreign,
            "stored values are not what was sent": self.changed,
            "daily means are not the true ones": len(self.wrong_answers),
        }
        return [f"{count} {words}" for words, count in counts.items() if count]
