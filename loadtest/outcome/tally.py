"""A run's messages and the ledger's counts around it: what adds up over machines. Pure."""

from collections.abc import Sequence

import msgspec

from city.ledger import Balance
from loadtest.outcome.findings import Account

__all__ = ["LedgerCounts", "Sums", "Tally", "account_from", "added", "ledger_counts"]


class Sums(msgspec.Struct):
    """Messages of one machine by what should become of them; see `Account`."""

    sent: int = 0
    promised: int = 0
    good: int = 0
    good_sent: int = 0
    repeats: int = 0
    malformed: int = 0
    malformed_promised: int = 0
    wrong_units: int = 0


class LedgerCounts(msgspec.Struct, frozen=True):
    """What a ledger has counted of the run's providers at an instant.

    Attributes:
        rejected: Observations; the others are messages.
        pending: On the log.
        difference: What does not add up, messages and observations.
    """

    accepted: int
    quarantined: int
    duplicate: int
    rejected: int
    pending: int
    difference: int


class Tally(msgspec.Struct, frozen=True):
    """What one machine sent, and the ledger before and after it."""

    sums: Sums
    before: LedgerCounts
    after: LedgerCounts


def ledger_counts(balance: Balance) -> LedgerCounts:
    """Return what an account needs of a balance."""
    messages, difference = balance.messages, balance.difference
    return LedgerCounts(
        messages.accepted,
        messages.quarantined,
        messages.duplicate,
        balance.observations.rejected,
        messages.pending,
        abs(difference.messages) + abs(difference.observations),
    )


def added(tallies: Sequence[Tally]) -> Tally:
    """Return the tally of several machines that sent to one platform.

    All of them see the same ledger, and its counts only grow: the run begins with the first look
    at it and ends with the last.

    Args:
        tallies: Of all machines of one run, one at least.
    """
    names = Sums.__struct_fields__
    sums = Sums(**{name: sum(getattr(each.sums, name) for each in tallies) for name in names})
    first = min((each.before for each in tallies), key=_counted)
    last = max((each.after for each in tallies), key=_counted)
    return Tally(sums, first, last)


def account_from(tally: Tally) -> Account:
    """Compare what was sent with what the ledger gained."""
    sums, before, after = tally.sums, tally.before, tally.after
    names = ("accepted", "quarantined", "duplicate", "rejected")
    gained = {name: getattr(after, name) - getattr(before, name) for name in names}
    lost = max(0, sums.good - gained["accepted"])
    lost += max(0, sums.malformed_promised - gained["quarantined"])
    return Account(
        sent=sums.sent,
        promised=sums.promised,
        good=sums.good,
        good_sent=sums.good_sent,
        repeats=sums.repeats,
        malformed=sums.malformed,
        wrong_units=sums.wrong_units,
        **gained,
        lost=lost,
        doubled=max(0, gained["accepted"] - sums.good_sent),
        pending=after.pending,
        difference=after.difference,
    )


def _counted(counts: LedgerCounts) -> tuple[int, int]:
    """Order looks at one ledger by time; of two with the same counts the one with less pending."""
    return counts.accepted + counts.quarantined + counts.duplicate, -counts.pending
