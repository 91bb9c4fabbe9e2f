"""An account finds what was lost, doubled, made up or changed, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import pytest

from city.ledger import Balance, MessageCounts, ObservationCounts
from loadtest.outcome.account import account_of
from loadtest.outcome.read_back import StoredValue, checked_devices, read_back
from loadtest.rig.fleet_load import fleet_format
from loadtest.scenario.curve import spans_of
from loadtest.scenario.model import Expected

if TYPE_CHECKING:
    from conftest import Made

    from loadtest.outcome.account import FleetRecord
    from loadtest.outcome.findings import Findings
    from loadtest.scenario.model import Scenario

SPOILT = """
name: x
fleets:
 - {name: a, devices: 40, every: 1s, mode: multiplexed, connections: 5,
    habits: {duplicates: 0.2, malformed: 0.1, wrong_unit: 0.2, missing: 0.1}}
phases:
 - {kind: hold, seconds: 30s}
"""
NOTHING = Balance(MessageCounts(), ObservationCounts())
# Connection 3 has no PUBACK for its messages 8 and 9.
OPEN = {3: [8, 9]}


def perfect(records: list[FleetRecord], **changes: int) -> Balance:
    """Return the ledger of a platform that has everything, but for some changes."""
    expected = account_of(records, NOTHING, NOTHING)
    counts = {
        "accepted": expected.good_sent,
        "quarantined": expected.malformed,
        "duplicate": expected.repeats,
    }
    for name, change in changes.items():
        counts[name] += change
    accepted = counts["accepted"] * 2
    return Balance(
        MessageCounts(received=sum(counts.values()), **counts),
        ObservationCounts(
            decoded=accepted + expected.repeats * 2,
            stored=accepted - expected.wrong_units,
            duplicate=expected.repeats * 2,
            rejected=expected.wrong_units,
        ),
    )


def test_sums_of_a_platform_that_has_everything_hold(ran: Callable[..., Made]) -> None:
    _, _, records = ran(SPOILT, OPEN)
    account = account_of(records, NOTHING, perfect(records))
    assert account.complaints(Expected()) == []
    assert account.sent == account.good_sent + account.repeats + account.malformed
    assert account.promised < account.sent <= account.promised + 2
    # Every habit took place, so the sums above are of something.
    assert min(account.repeats, account.malformed, account.wrong_units) > 20


@pytest.mark.parametrize(
    ("change", "words"),
    [
        # Without a PUBACK they may be there or not.
        ({"accepted": -2}, []),
        ({"accepted": -3}, ["1 promised messages are not there"]),
        ({"accepted": 1}, ["1 messages are there twice"]),
        ({"quarantined": -3}, ["3 promised messages are not there"]),
        ({"quarantined": 1}, ["1 messages were quarantined without being malformed"]),
    ],
)
def test_one_message_too_few_or_too_many_is_found(
    ran: Callable[..., Made], change: dict[str, int], words: list[str]
) -> None:
    _, _, records = ran(SPOILT, OPEN)
    ledger = perfect(records, **change)
    assert account_of(records, NOTHING, ledger).complaints(Expected()) == words


class Shelf:
    """What a platform would have stored."""

    def __init__(self, record: FleetRecord, scenario: Scenario, name: Callable[[int], str]) -> None:
        self.rows: dict[str, list[StoredValue]] = {}
        content = record.content
        for numbers in record.chunks():
            said = content.content(numbers)
            due_ms = (content.curve.due_s(numbers) * 1_000).astype(int)
            for at, device in enumerate(said.devices.tolist()):
                row = self.rows.setdefault(f"load/{name(device)}", [])
                row += [
                    StoredValue(
                        signal.quantity,
                        int(said.time_ms[at]),
                        values[at] / 10**signal.digits,
                        1_000_000 + int(due_ms[at]),
                    )
                    for signal, values in zip(content.kind.signals, said.values, strict=True)
                ]

    def stored(self, device: str, from_ms: int) -> Iterable[StoredValue]:
        return [row for row in self.rows[device] if row.time_ms >= from_ms]


def leave(rows: list[StoredValue]) -> None:
    assert rows


def remove(rows: list[StoredValue]) -> None:
    del rows[4]


def double(rows: list[StoredValue]) -> None:
    rows.append(rows[4])


def move(rows: list[StoredValue]) -> None:
    rows.append(StoredValue("pm2_5", rows[4].time_ms + 1, rows[4].value, rows[4].received_ms))


def change(rows: list[StoredValue]) -> None:
    rows[4] = StoredValue("pm2_5", rows[4].time_ms, rows[4].value + 0.1, rows[4].received_ms)


def delay(rows: list[StoredValue]) -> None:
    rows[4] = StoredValue("pm2_5", rows[4].time_ms, rows[4].value, rows[4].received_ms + 9_000)


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (leave, {}),
        (remove, {"lost": 1, "wrong answers": 1}),
        (double, {"doubled": 1, "wrong answers": 1}),
        (move, {"foreign": 1, "wrong answers": 1}),
        (change, {"changed": 1, "wrong answers": 1}),
        # Received behind messages 3 to 11, and more than 5 s after it was due.
        (delay, {"out of order": 1, "late": 1}),
    ],
)
def test_each_fault_of_a_store_is_found_and_named(
    ran: Callable[..., Made],
    tamper: Callable[[list[StoredValue]], None],
    expected: dict[str, int],
) -> None:
    scenario, orders, records = ran(
        "name: x\nfleets:\n - {name: a, devices: 6, every: 1s}\n"
        "phases:\n - {kind: hold, seconds: 10s}\n - {kind: hold, seconds: 20s}\n"
    )
    form = fleet_format(scenario.fleets[0], records[0].content, orders[0].stems["a"])
    shelf = Shelf(records[0], scenario, form.name)
    tamper(shelf.rows["load/a-00000002"])
    devices = checked_devices(records, [form], None)
    found = read_back(devices, shelf, spans_of(scenario.phases), [], 1_000_000)
    assert found.devices == 6
    assert counts(found) == expected
    # A late value is no lost one: only the others fail a run.
    assert bool(found.complaints(Expected())) == bool(expected and "late" not in expected)
    # A lost message that was expected excuses its day's mean; nothing else is excused.
    if tamper is not remove:
        assert found.complaints(Expected(lost=1)) == found.complaints(Expected())
    if "lost" in expected:
        assert found.complaints(Expected(lost=1)) == []
        (lost,) = found.lost_messages
        assert (lost.device, lost.sequence, lost.window) == ("load/a-00000002", 2, "1 hold 1")


def counts(found: Findings) -> dict[str, int]:
    every = {
        "lost": found.lost, "doubled": found.doubled, "foreign": found.foreign,
        "changed": found.changed, "out of order": found.out_of_order,
        "late": sum(found.late.values()), "wrong answers": found.answers_wrong,
    }  # fmt: skip
    return {name: count for name, count in every.items() if count}
