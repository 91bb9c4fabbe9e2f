"""What an account of a run's messages holds."""

import msgspec

from loadtest.scenario.model import Expected

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

    def complaints(self, expected: Expected) -> list[str]:
        """Return what is wrong, for people.

        Args:
            expected: What all faults of the run together may cost.
        """
        counts = {
            _beside("promised messages are not there", expected.lost): _above(
                self.lost, expected.lost
            ),
            "messages are there twice": self.doubled,
            "messages were quarantined without being malformed": max(
                0, self.quarantined - self.malformed
            ),
            "observations were rejected whose unit is right": max(
                0, self.rejected - self.wrong_units
            ),
            "messages wait on the log": self.pending,
            _beside("is the ledger's own difference", expected.difference): _above(
                self.difference, expected.difference
            ),
        }
        return _told(counts)


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """Stored values of devices, against what they sent.

    Attributes:
        devices: How many were looked at.
        values: How many stored values they have.
        lost: Promised values that are not stored.
        messages_lost: Messages that they are of; `lost_messages` lists the first hundred.
        doubled: Values that are stored more than once.
        foreign: Values at times at which nothing was sent.
        changed: Values that are not what was sent.
        out_of_order: Values received before an older one of their device.
        late: Values received more than 5 s after they were due, by what was going on then.
        answers: Means of a day that the stored values give, compared with the true ones.
        answers_wrong: How many of them differ; `wrong_answers` lists the first hundred.
        answers_short: How many of those are of a series in which a promised value is missing.
    """

    devices: int
    values: int
    lost: int
    doubled: int
    foreign: int
    changed: int
    out_of_order: int
    late: dict[str, int]
    messages_lost: int
    lost_messages: list[LostMessage]
    answers: int
    answers_wrong: int
    answers_short: int
    wrong_answers: list[str]

    def complaints(self, expected: Expected) -> list[str]:
        """Return what is wrong, for people.

        Args:
            expected: What all faults of the run together may cost. Means of days in which no more
                than that is missing may differ from the true ones.
        """
        excused = self.messages_lost <= expected.lost
        counts = {
            "promised values are not stored": 0 if excused else self.lost,
            "values are stored twice": self.doubled,
            "values are stored that nobody sent": self.foreign,
            "stored values are not what was sent": self.changed,
            "daily means are not the true ones": self.answers_wrong
            - (self.answers_short if excused else 0),
        }
        return _told(counts)


def _above(count: int, expected: int) -> int:
    """Return a count where it is more than what was expected; 0 where it is not."""
    return count if count > expected else 0


def _beside(words: str, expected: int) -> str:
    return f"{words}, {expected} were expected" if expected else words


def _told(counts: dict[str, int]) -> list[str]:
    return [f"{count} {words}" for words, count in counts.items() if count]
