"""What became of a load: what devices were promised, against what the platform says it has.

Pure: the counts and the stored values are given. `judge` compares sums and costs nothing;
`reconcile` looks at every single value.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

import msgspec

from city.ledger import Balance
from loadtest.payloads import Fleet
from loadtest.report import LoadReport

__all__ = ["Fate", "Findings", "StoredReader", "Verdict", "fates", "judge", "reconcile"]

EXAMPLES: Final = 10


class StoredReader(Protocol):
    """What `reconcile` asks a platform."""

    def stored(self, device: str, quantity: str) -> Iterable[tuple[int, float]]:
        """Return time in ms since 1970 and value of everything stored of a series."""
        ...


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The sums of a run.

    Attributes:
        accepted, quarantined, duplicate: Messages that the ledger has got since before the run.
        lost: Messages with a PUBACK that are neither accepted nor quarantined; at least so many,
            since one that arrived without its PUBACK can stand in for one that was lost.
        doubled: Messages accepted or quarantined beyond what was sent.
        observations_missing: Observations of accepted messages that are not stored.
        difference: What does not add up in the ledger itself, messages and observations.
        words: What is wrong, for people; empty where nothing is.
    """

    accepted: int
    quarantined: int
    duplicate: int
    lost: int
    doubled: int
    observations_missing: int
    difference: int
    words: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether everything that was promised is there, once."""
        return not self.words


class Fate(msgspec.Struct, frozen=True):
    """What is known of one device's messages, by sequence number.

    Attributes:
        sent: Sent at least once.
        promised: Those of them that got their PUBACK; QoS 0 promises nothing.
    """

    device: int
    sent: frozenset[int]
    promised: frozenset[int]


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What single values say.

    Attributes:
        lost: Values whose message was promised and that are not stored.
        doubled: Values that are stored more than once.
        foreign: Values stored at a time at which nothing was sent.
        changed: Values that are not what was sent.
        examples: Some of them: what happened, device, quantity, sequence number.
    """

    checked: int
    lost: int
    doubled: int
    foreign: int
    changed: int
    examples: tuple[tuple[str, str, str, int], ...]

    @property
    def holds(self) -> bool:
        """Whether everything that was promised is there, once, as it was sent."""
        return self.lost == self.doubled == self.foreign == self.changed == 0


def judge(report: LoadReport, before: Balance, after: Balance) -> Verdict:
    """Compare a run's sums with a provider's ledger from before and after it.

    Args:
        report: Of the run; it was the only one that sent for its provider.
        before: Balance of the provider before the run.
        after: The same once nothing is pending.
    """
    accepted = after.messages.accepted - before.messages.accepted
    quarantined = after.messages.quarantined - before.messages.quarantined
    stored = after.observations.stored - before.observations.stored
    arrived = accepted + quarantined
    differences = after.difference
    counts = {
        "were acknowledged and are not there": max(0, report.acked - arrived),
        "are there twice": max(0, arrived - report.sent),
        "were quarantined": quarantined,
        "wait on the log": after.messages.pending,
    }
    missing = accepted * report.plan.observations - stored
    difference = abs(differences.messages) + abs(differences.observations)
    words = [f"{count} messages {what}" for what, count in counts.items() if count]
    if missing:
        words.append(f"{missing} observations of accepted messages are not stored")
    if difference:
        words.append(f"the ledger's own difference is {difference}")
    return Verdict(
        accepted=accepted,
        quarantined=quarantined,
        duplicate=after.messages.duplicate - before.messages.duplicate,
        lost=counts["were acknowledged and are not there"],
        doubled=counts["are there twice"],
        observations_missing=missing,
        difference=difference,
        words=tuple(words),
    )


def fates(report: LoadReport) -> Iterator[Fate]:
    """Yield what is known of each device's messages."""
    fleet = Fleet(report.plan)
    for connection, count in enumerate(report.sent_by_connection):
        sent: dict[int, set[int]] = {}
        promised: dict[int, set[int]] = {}
        open_numbers = {*report.unacked.get(connection, ()), *report.refusals.get(connection, ())}
        for number in range(count):
            device, sequence = fleet.message_of(connection, number)
            sent.setdefault(device, set()).add(sequence)
            if report.plan.qos and number not in open_numbers:
                promised.setdefault(device, set()).add(sequence)
        for device, sequences in sent.items():
            yield Fate(device, frozenset(sequences), frozenset(promised.get(device, ())))


def reconcile(report: LoadReport, reader: StoredReader) -> Findings:
    """Compare every value that a run sent with what is stored of its devices.

    Args:
        report: Of the run; nothing else was ever stored of its devices from its first time on.
        reader: What is stored.
    """
    fleet = Fleet(report.plan)
    found = _Found()
    for fate in fates(report):
        name = fleet.device_name(fate.device)
        for quantity in fleet.values(fate.device, 0):
            rows = [*reader.stored(f"{report.plan.provider}/{name}", quantity)]
            times = Counter(fleet.sequence_at(time_ms) for time_ms, _ in rows)
            found.checked += len(rows)
            found.note("lost", name, quantity, fate.promised - times.keys())
            found.note("doubled", name, quantity, {at for at, count in times.items() if count > 1})
            found.note("foreign", name, quantity, times.keys() - fate.sent)
            found.note(
                "changed",
                name,
                quantity,
                {
                    at
                    for time_ms, value in rows
                    if (at := fleet.sequence_at(time_ms)) in fate.sent
                    and value != fleet.values(fate.device, at)[quantity]
                },
            )
    return found.findings()


class _Found:
    """Counts of what was found."""

    def __init__(self) -> None:
        self.checked = 0
        self._counts: Counter[str] = Counter()
        self._examples: list[tuple[str, str, str, int]] = []

    def note(self, what: str, device: str, quantity: str, sequences: Iterable[int]) -> None:
        """Count some sequence numbers."""
        for sequence in sorted(sequences):
            self._counts[what] += 1
            if len(self._examples) < EXAMPLES:
                self._examples.append((what, device, quantity, sequence))

    def findings(self) -> Findings:
        """Return all of it."""
        return Findings(
            checked=self.checked,
            lost=self._counts["lost"],
            doubled=self._counts["doubled"],
            foreign=self._counts["foreign"],
            changed=self._counts["changed"],
            examples=tuple(self._examples),
        )
