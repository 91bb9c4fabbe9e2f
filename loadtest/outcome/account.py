"""What should have become of every message of a run: by number, for any number of devices."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from city.ledger import Balance
from loadtest.outcome.findings import Account
from loadtest.outcome.tally import Sums, Tally, account_from, ledger_counts
from loadtest.rig.order import FleetResult, Order
from loadtest.scenario.model import Scenario
from loadtest.stream.content import WRONG_UNIT, FleetContent

__all__ = ["FleetRecord", "account_of", "fleet_records", "tally_of"]

Numbers = NDArray[np.int64]
Marks = NDArray[np.bool_]
CHUNK: Final = 1 << 18


class FleetRecord:
    """A fleet, and what is known of each of its messages.

    Attributes:
        content: What they say.
        due: Messages of the fleet that were due.
    """

    def __init__(self, content: FleetContent, results: list[tuple[FleetResult, int, int]]) -> None:
        """Put together what processes know.

        Args:
            content: Of the fleet.
            results: Of each process, with its number and how many there are.
        """
        self.content = content
        self.due = max((each.due for each, _, _ in results), default=0)
        self._next = np.zeros(content.numbering.connections, dtype=np.int64)
        self._known = np.zeros(content.numbering.connections, dtype=np.bool_)
        unpromised: list[int] = []
        for result, worker, workers in results:
            self._next[worker::workers] = result.next
            self._known[worker::workers] = True
            for kept in (result.open, result.refusals):
                for connection, locals_ in kept.items():
                    unpromised += (content.numbering.number(connection, at) for at in locals_)
        self._unpromised = np.array(sorted(unpromised), dtype=np.int64)

    def knows(self, device: int) -> bool:
        """Say whether a device is one of these processes', not of another machine's."""
        return bool(self._known[device % self.content.numbering.connections])

    def sent(self, numbers: Numbers) -> Marks:
        """Return which messages were sent, whatever they say; void ones count as sent."""
        numbering = self.content.numbering
        devices, sequences = numbering.of(numbers)
        places = devices % numbering.connections
        shares = -(-(numbering.devices - places) // numbering.connections)
        return sequences * shares + devices // numbering.connections < self._next[places]

    def promised(self, numbers: Numbers) -> Marks:
        """Return which messages have their PUBACK or PUBCOMP."""
        if not self.content.rule.qos:
            return np.zeros(len(numbers), dtype=np.bool_)
        return self.sent(numbers) & ~np.isin(numbers, self._unpromised)

    def chunks(self) -> Iterator[Numbers]:
        """Yield all numbers that were due."""
        for start in range(0, self.due, CHUNK):
            yield np.arange(start, min(start + CHUNK, self.due), dtype=np.int64)


def fleet_records(
    scenario: Scenario, orders: list[Order], results: list[list[FleetResult]]
) -> list[FleetRecord]:
    """Return what is known of each fleet.

    Args:
        scenario: What was done.
        orders: Of each process.
        results: Of each process, by fleet.
    """
    return [
        FleetRecord(
            FleetContent(rule, scenario, orders[0].now_ms),
            [
                (result, order.worker, order.workers)
                for order, each in zip(orders, results, strict=True)
                for result in each
                if result.fleet == rule.name
            ],
        )
        for rule in scenario.fleets
    ]


def tally_of(records: list[FleetRecord], before: Balance, after: Balance) -> Tally:
    """Count every message of a machine by what should become of it.

    Args:
        records: Of all fleets; nothing else sent for their providers meanwhile, but other machines
            of the same run.
        before: Balance of their providers before the run.
        after: The same once nothing is pending.
    """
    sums = Sums()
    for record in records:
        for numbers in record.chunks():
            _count(record, numbers, sums)
    return Tally(sums, ledger_counts(before), ledger_counts(after))


def account_of(records: list[FleetRecord], before: Balance, after: Balance) -> Account:
    """Compare every message of a run with the ledger from before and after it; see `tally_of`."""
    return account_from(tally_of(records, before, after))


def _count(record: FleetRecord, numbers: Numbers, sums: Sums) -> None:
    fates = record.content.fates(numbers)
    sent = record.sent(numbers) & ~fates.void
    promised = record.promised(numbers) & ~fates.void
    good = ~fates.repeat & ~fates.malformed
    sums.sent += int(sent.sum())
    sums.promised += int(promised.sum())
    sums.good += int((promised & good).sum())
    sums.good_sent += int((sent & good).sum())
    sums.repeats += int((sent & fates.repeat).sum())
    sums.malformed += int((sent & fates.malformed).sum())
    sums.malformed_promised += int((promised & fates.malformed).sum())
    sums.wrong_units += int((sent & ~fates.malformed & (fates.variant == WRONG_UNIT)).sum())
