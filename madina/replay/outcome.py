"""What became of a replay: rows, messages and observations, by the ledger before and after it."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from city.instants import text_us
from loadtest.replay.notes import Notes, Skipped
from loadtest.replay.player import PlayReport
from madina.api import Api
from madina.errors import CommandError

__all__ = ["Counts", "ReplayOutcome", "Replayed", "arrived", "counts", "outcome_of", "settled"]

# Entries of the quarantine that are looked at for their reasons; each may bring its 64 KiB.
REASONS_OF: Final = 10_000
SETTLED_S: Final = 600.0
LOOK_S: Final = 0.1


class ReplayOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of every row.

    Attributes:
        rows: Readings in the files; those not sent are in `skipped_rows`, with the reason.
        skipped: Rows and values that were not sent, the first thousand.
        missing: Values that are absent, by column.
        devices: How many the data name.
        without_position: How many of them nothing gives a place.
        faults: What is said of devices and could not be used.
        sent: Messages; `received` by the platform, of which `accepted`, `quarantined`, `duplicate`.
        difference: Messages sent, less those received; what came twice after a lost connection
            is in `resent`, and does not count.
        quarantined_by, rejected_by: Reasons of messages, and of single observations.
        finished: All there was to send was sent.
        words: What does not hold; empty where every message is accounted for.
    """

    provider: str
    route: str
    rows: int
    skipped_rows: dict[str, int]
    skipped_values: dict[str, int]
    skipped: list[Skipped]
    missing: dict[str, int]
    devices: int
    registered: int
    without_position: int
    faults: list[str]
    sent: int
    acknowledged: int
    resent: int
    received: int
    accepted: int
    quarantined: int
    duplicate: int
    difference: int
    ledger_difference: int
    observations: dict[str, int]
    quarantined_by: dict[str, int]
    rejected_by: dict[str, int]
    seconds: float
    rate_per_s: float
    finished: bool
    words: list[str]

    @property
    def holds(self) -> bool:
        """Whether all of it was sent, and every message is accounted for."""
        return self.finished and not self.words


class Counts(msgspec.Struct, frozen=True):
    """The members of `GET /v1/ledger`."""

    messages: dict[str, int]
    observations: dict[str, int]
    difference: dict[str, int]


class Replayed(msgspec.Struct, frozen=True):
    """A replay that is over.

    Attributes:
        registered: Devices that were new.
        began_us: When the first message was sent, at the earliest.
        before, after: The ledger of its provider and route.
    """

    provider: str
    route: str
    notes: Notes
    registered: int
    began_us: int
    report: PlayReport
    before: Counts
    after: Counts


def counts(api: Api, provider: str | None, route: str | None) -> Counts:
    """Ask for the ledger.

    Args:
        api: Of the platform.
        provider: Whose messages; None for everybody's.
        route: Messages of which route; None for all.

    Raises:
        CommandError: The API refuses.
    """
    return msgspec.convert(api.get("/v1/ledger", {"provider": provider, "route": route}), Counts)


def arrived(before: Counts, after: Counts) -> int:
    """Return how many messages were decided between two looks at the ledger."""
    names = ("accepted", "quarantined", "duplicate")
    return sum(after.messages[name] - before.messages[name] for name in names)


def settled(api: Api, provider: str | None, route: str, before: Counts, sent: int) -> Counts:
    """Return the ledger once it speaks of all that was sent, or has nothing more to read.

    Args:
        api: Of the platform.
        provider: Whose messages; None for everybody's.
        route: Messages of which route.
        before: Its ledger before they were sent.
        sent: How many were.

    Raises:
        CommandError: Messages wait on the log for too long.
    """
    give_up_s = time.monotonic() + SETTLED_S
    while True:
        # First what waits: what is read in between only makes the second answer better.
        pending = counts(api, None, None).messages["pending"]
        found = counts(api, provider, route)
        if not pending or arrived(before, found) >= sent:
            return found
        if time.monotonic() > give_up_s:
            raise CommandError(f"{pending} messages wait on the log, for {SETTLED_S:g} s by now")
        time.sleep(LOOK_S)


def outcome_of(api: Api, done: Replayed) -> ReplayOutcome:
    """Return what a replay came to.

    Args:
        api: Of the platform, which is asked for the reasons of what it did not accept.
        done: The replay.

    Raises:
        CommandError: The API refuses.
    """
    notes, report, before, after = done.notes, done.report, done.before, done.after
    grown = {name: after.messages[name] - before.messages[name] for name in after.messages}
    observed = {
        name: after.observations[name] - before.observations[name] for name in after.observations
    }
    received = arrived(before, after)
    # A packet that was sent again may have come twice; it is the same message.
    difference = report.sent - min(max(received - report.resent, report.sent), received)
    ledger = sum(abs(each) for each in after.difference.values())
    return ReplayOutcome(
        provider=done.provider,
        route=done.route,
        rows=notes.rows,
        skipped_rows={**notes.skipped_rows},
        skipped_values={**notes.skipped_values},
        skipped=notes.skipped,
        missing={**notes.missing},
        devices=len(notes.devices),
        registered=done.registered,
        without_position=sum(each.lat is None for each in notes.devices.values()),
        faults=notes.faults,
        sent=report.sent,
        acknowledged=report.acked,
        resent=report.resent,
        received=received,
        accepted=grown["accepted"],
        quarantined=grown["quarantined"],
        duplicate=grown["duplicate"],
        difference=difference,
        ledger_difference=ledger,
        observations=observed,
        quarantined_by=_reasons(api, done, "held", grown["quarantined"]),
        rejected_by=_reasons(api, done, "partial", observed["rejected"]),
        seconds=report.seconds,
        rate_per_s=report.rate_per_s,
        finished=report.finished,
        words=[*_words(report, difference, ledger)],
    )


def _words(report: PlayReport, difference: int, ledger: int) -> Iterator[str]:
    why = f": {report.last_refusal}" if report.last_refusal else ""
    if report.acked < report.sent - report.refused:
        yield f"{report.sent - report.refused - report.acked} messages have no PUBACK{why}"
    if report.refused:
        yield f"{report.refused} messages were refused{why}"
    if difference > 0:
        yield f"{difference} messages were sent and are not in the ledger"
    if difference < 0:
        yield f"{-difference} messages are in the ledger and were not sent by this replay"
    if ledger:
        yield f"the ledger's own difference is {ledger}"


def _reasons(api: Api, done: Replayed, state: str, count: int) -> dict[str, int]:
    """Count reasons among the entries of the quarantine that this replay made."""
    if not count:
        return {}
    asked: dict[str, Any] = {"state": state, "route": done.route}
    found: Counter[str] = Counter()
    for entry in api.items("/v1/quarantine", asked, REASONS_OF):
        if text_us(str(entry["received_at"])) < done.began_us:
            break
        reasons = msgspec.convert(entry["reasons"], list[dict[str, str]])
        found.update([each["reason"] for each in reasons] or [str(entry["reason"])])
    return {**found}
