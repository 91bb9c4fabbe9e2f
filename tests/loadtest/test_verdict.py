"""A verdict finds what was lost, doubled, made up or changed, and nothing else."""

from collections.abc import Callable, Iterable

import msgspec
import pytest

from city.ledger import Balance, MessageCounts, ObservationCounts
from loadtest.latency import LatencySummary
from loadtest.payloads import Fleet
from loadtest.plan import LoadPlan
from loadtest.report import LoadReport
from loadtest.verdict import Findings, Verdict, fates, judge, reconcile

PLAN = LoadPlan(port=1, connections=2, devices_per_connection=2, messages=11, in_flight=3)
NOTHING = LatencySummary(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
# Connection 1 sent its number 4, device 2's third message, without getting a PUBACK.
REPORT = LoadReport(
    plan=PLAN,
    seconds=1.0,
    cpu_s=0.0,
    connect_seconds=0.0,
    bytes_a_connection=0,
    scheduled=None,
    sent=11,
    acked=10,
    resent=0,
    refused=0,
    lost_connections=0,
    unexpected_acks=0,
    latency=NOTHING,
    service=NOTHING,
    sent_by_connection=[6, 5],
    unacked={1: [4]},
)
Rows = dict[tuple[str, str], list[tuple[int, float]]]


class Shelf:
    """What a platform would have stored."""

    def __init__(self) -> None:
        fleet = Fleet(PLAN)
        self.rows: Rows = {}
        for connection, sent in enumerate(REPORT.sent_by_connection):
            for number in range(sent):
                device, sequence = fleet.message_of(connection, number)
                for quantity, value in fleet.values(device, sequence).items():
                    series = self.rows.setdefault(
                        (f"load/{fleet.device_name(device)}", quantity), []
                    )
                    series.append((PLAN.first_ms + sequence, value))

    def stored(self, device: str, quantity: str) -> Iterable[tuple[int, float]]:
        return self.rows[device, quantity]


def test_only_what_was_acknowledged_was_promised() -> None:
    known = {fate.device: (set(fate.sent), set(fate.promised)) for fate in fates(REPORT)}
    assert known == {
        0: ({0, 1, 2}, {0, 1, 2}),
        1: ({0, 1, 2}, {0, 1, 2}),
        2: ({0, 1, 2}, {0, 1}),
        3: ({0, 1}, {0, 1}),
    }


def test_a_refused_message_and_one_of_qos_0_were_never_promised() -> None:
    refused = msgspec.structs.replace(REPORT, unacked={}, refusals={0: [1]}, refused=1)
    assert {fate.device: set(fate.promised) for fate in fates(refused)}[1] == {1, 2}
    carefree = msgspec.structs.replace(REPORT, plan=msgspec.structs.replace(PLAN, qos=0))
    assert not any(fate.promised for fate in fates(carefree))


def remove_promised(rows: Rows) -> None:
    del rows["load/d0000001", "pm2_5"][1]


def remove_open(rows: Rows) -> None:
    del rows["load/d0000002", "pm2_5"][2]


def double(rows: Rows) -> None:
    rows["load/d0000000", "temperature"].append(rows["load/d0000000", "temperature"][0])


def make_up(rows: Rows) -> None:
    rows["load/d0000003", "temperature"].append((PLAN.first_ms + 2, 20.0))


def change(rows: Rows) -> None:
    time_ms, value = rows["load/d0000003", "temperature"][0]
    rows["load/d0000003", "temperature"][0] = (time_ms, value + 0.1)


def leave(rows: Rows) -> None:
    assert rows


@pytest.mark.parametrize(
    ("tamper", "lost", "doubled", "foreign", "changed"),
    [
        (leave, 0, 0, 0, 0),
        (remove_open, 0, 0, 0, 0),
        (remove_promised, 1, 0, 0, 0),
        (double, 0, 1, 0, 0),
        (make_up, 0, 0, 1, 0),
        (change, 0, 0, 0, 1),
    ],
)
def test_each_fault_of_a_platform_is_found(
    tamper: Callable[[Rows], None], lost: int, doubled: int, foreign: int, changed: int
) -> None:
    shelf = Shelf()
    tamper(shelf.rows)
    found = reconcile(REPORT, shelf)
    assert (found.lost, found.doubled, found.foreign, found.changed) == (
        lost, doubled, foreign, changed,
    )  # fmt: skip
    assert found.holds == (not found.examples)
    assert isinstance(found, Findings)


def balance(accepted: int, stored: int, *, pending: int = 0, decoded: int | None = None) -> Balance:
    received = accepted + pending
    return Balance(
        MessageCounts(received=received, accepted=accepted, pending=pending),
        ObservationCounts(decoded=stored if decoded is None else decoded, stored=stored),
    )


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (balance(110, 220), ()),
        (balance(111, 222), ()),
        (balance(109, 218), ("1 messages were acknowledged and are not there",)),
        (balance(112, 224), ("1 messages are there twice",)),
        (balance(110, 219), ("1 observations of accepted messages are not stored",)),
        (balance(110, 220, pending=2), ("2 messages wait on the log",)),
        (balance(110, 220, decoded=223), ("the ledger's own difference is 3",)),
    ],
)
def test_sums_are_judged_from_before_to_after(after: Balance, words: tuple[str, ...]) -> None:
    verdict = judge(REPORT, balance(100, 200), after)
    assert isinstance(verdict, Verdict)
    assert verdict.words == words
    assert verdict.holds == (not words)
