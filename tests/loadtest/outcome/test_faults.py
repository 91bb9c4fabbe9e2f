"""What is expected of a fault is held against what came of it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from loadtest.outcome.charts import charts_of
from loadtest.outcome.faults import Backlog, FaultOutcome, caught_up
from loadtest.outcome.findings import Account
from loadtest.outcome.html import report_html
from loadtest.outcome.judge import budget_checks, complaints_of
from loadtest.outcome.run import LoadRun, Window
from loadtest.scenario.model import Expected, Fault

NewRun = Callable[..., LoadRun]
KILL = FaultOutcome(name="kill of log", at_s=5.0, ended_s=5.0, away_s=1.0)
FREEZE = FaultOutcome(name="freeze of node", at_s=10.0, ended_s=12.0)
EMPTY = Account(
    sent=0, promised=0, good=0, good_sent=0, repeats=0, malformed=0, wrong_units=0, accepted=0,
    quarantined=0, duplicate=0, rejected=0, lost=0, doubled=0, pending=0, difference=0,
)  # fmt: skip


def looked(*waiting: int | None) -> list[Backlog]:
    """Return what was on the log each second from 5 s on."""
    return [Backlog(5.0 + at, each, 0) for at, each in enumerate(waiting)]


def times(backlog: list[Backlog], settled_s: float | None = 40.0) -> list[float | None]:
    found = caught_up({0: KILL, 1: FREEZE}, backlog, 100, settled_s)
    return [each.catch_up_s for each in found.values()]


@pytest.mark.parametrize(
    ("backlog", "expected"),
    [
        # A second's messages are always on their way.
        (looked(*[100] * 20), [0.0, 0.0]),
        # Gone at 8 s and at 15 s.
        (looked(None, None, 900, 100, 0, 0, 0, 0, 101, 101, 99, 0, 0), [3.0, 3.0]),
        # The first one was not over when the second began: known is only when all was.
        (looked(*[500] * 10, 0), [35.0, 3.0]),
        # What waits to the end is gone once everything is.
        (looked(0, 0, 0, 0, 0, 0, 0, 500, 500), [0.0, 28.0]),
        # It looks well again, and is not.
        (looked(500, 0, 500, 0, 0, 0, 0), [3.0, 28.0]),
    ],
)
def test_catching_up_counts_from_the_end_of_a_fault_until_the_backlog_is_gone(
    backlog: list[Backlog], expected: list[float]
) -> None:
    assert times(backlog) == expected


def test_devices_that_wait_are_backlog_too() -> None:
    assert times([Backlog(6.0, 0, 101), Backlog(7.5, 0, 0), Backlog(12.0, 0, 0)]) == [2.5, 0.0]


def test_what_nobody_has_seen_is_not_told() -> None:
    assert times([], settled_s=None) == [None, None]
    assert times(looked(None), settled_s=None) == [None, None]


def hurt(run: LoadRun, expect: Expected, **found: object) -> LoadRun:
    fault = Fault(at=5, do="kill", part="log", expect=expect)
    scenario = msgspec.structs.replace(run.scenario, faults=[fault])
    run = msgspec.structs.replace(run, **{"scenario": scenario, "account": EMPTY, **found})
    return msgspec.structs.replace(run, budgets=budget_checks(run, scenario.budgets))


def outcome(catch_up_s: float | None) -> dict[int, FaultOutcome]:
    return {0: msgspec.structs.replace(KILL, catch_up_s=catch_up_s)}


@pytest.mark.parametrize(
    ("expect", "found", "complaints"),
    [
        (Expected(catch_up="2s"), {"faults": outcome(2.0)}, []),
        (Expected(), {}, []),
        (
            Expected(catch_up="2s"),
            {"faults": outcome(2.5)},
            ["budget kill of log: catch_up: 2.5, wanted <= 2 s"],
        ),
        (
            Expected(catch_up="2s"),
            {"faults": outcome(None)},
            ["budget kill of log: catch_up: not told, wanted <= 2 s"],
        ),
        # Stopped before it was done.
        (
            Expected(catch_up="2s"),
            {},
            ["budget kill of log: catch_up: not told, wanted <= 2 s"],
        ),
        (
            Expected(),
            {"account": msgspec.structs.replace(EMPTY, lost=3)},
            ["3 promised messages are not there", "budget faults: lost: 3, wanted <= 0"],
        ),
        (Expected(lost=3), {"account": msgspec.structs.replace(EMPTY, lost=3)}, []),
        (
            Expected(lost=3),
            {"account": msgspec.structs.replace(EMPTY, lost=4)},
            [
                "4 promised messages are not there, 3 were expected",
                "budget faults: lost: 4, wanted <= 3",
            ],
        ),
        (
            Expected(),
            {"account": msgspec.structs.replace(EMPTY, difference=1)},
            ["1 is the ledger's own difference", "budget faults: difference: 1, wanted <= 0"],
        ),
        (
            Expected(),
            {"account": None},
            [
                "budget faults: lost: not told, wanted <= 0",
                "budget faults: difference: not told, wanted <= 0",
            ],
        ),
    ],
)
def test_an_expectation_that_was_not_kept_fails_the_run(
    new_run: NewRun, expect: Expected, found: dict[str, object], complaints: list[str]
) -> None:
    assert complaints_of(hurt(new_run(0.01), expect, **found)) == complaints


def test_several_faults_may_lose_what_they_may_lose_together(new_run: NewRun) -> None:
    faults = [
        Fault(at=at, do="kill", part="broker", expect=Expected(lost=lost))
        for at, lost in ((5, 3), (10, 0), (15, 4))
    ]
    run = new_run(0.01)
    scenario = msgspec.structs.replace(run.scenario, faults=faults)
    for lost, holds in ((7, True), (8, False)):
        account = msgspec.structs.replace(EMPTY, lost=lost)
        done = msgspec.structs.replace(run, scenario=scenario, account=account)
        done = msgspec.structs.replace(done, budgets=budget_checks(done, scenario.budgets))
        (check,) = (each for each in done.budgets if each.name == "faults: lost")
        assert (check.wanted, check.met) == ("<= 7", holds)
        assert (complaints_of(done) == []) == holds


def test_a_page_never_says_that_what_was_expected_to_be_lost_is_there(new_run: NewRun) -> None:
    run = hurt(new_run(0.01), Expected(lost=7), account=msgspec.structs.replace(EMPTY, lost=3))
    page = report_html(run)
    assert "Holds." in page
    assert "3 are not in the ledger, of 7 that the faults may cost" in page
    assert "each of them is in the ledger" not in page


def test_a_kill_is_drawn_as_an_instant_and_a_freeze_as_its_time(new_run: NewRun) -> None:
    windows = [Window("kill of log", 5, 10, instant=True), Window("freeze of node", 10, 12)]
    run = msgspec.structs.replace(new_run(0.01), windows=windows)
    layout = charts_of(run)[0].layout
    shapes = msgspec.convert(layout["shapes"], list[dict[str, object]])
    assert [(each["type"], each["x0"], each["x1"]) for each in shapes[:2]] == [
        ("line", 5, 5),
        ("rect", 10, 12),
    ]
