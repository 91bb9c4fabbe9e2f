"""The bench of faults: one row a run, and a run that failed or lost is a missed goal."""

import msgspec
import pytest

from bench import faults
from bench.faults import Told

WELL = Told(
    complaints=[],
    account=faults.Account(promised=4_000, lost=0, doubled=0, difference=0),
    faults=[faults.Fault(away_s=0.61, catch_up_s=None)],
    latency=faults.Latency(max_ms=1_234.0),
)


def missed(told: Told) -> list[str]:
    found = {("DuckDB", "log-killed"): WELL, ("DuckDB", "log-frozen"): told}
    return [goal.id for goal in faults.judged(found).goals if not goal.met]


@pytest.mark.parametrize(
    ("account", "complaints", "goals"),
    [
        ({}, [], []),
        ({"lost": 1}, ["1 promised messages are not there"], ["nothing lost", "as expected"]),
        ({"doubled": 2}, ["2 messages are there twice"], ["nothing lost", "as expected"]),
        ({"difference": 1}, ["1 is the ledger's own difference"], ["ledger", "as expected"]),
        ({}, ["budget kill of log: catch_up: 31, wanted <= 30 s"], ["as expected"]),
    ],
)
def test_what_went_wrong_in_one_run_is_a_missed_goal(
    account: dict[str, int], complaints: list[str], goals: list[str]
) -> None:
    changed = msgspec.structs.replace(WELL.account, **account)
    assert missed(msgspec.structs.replace(WELL, account=changed, complaints=complaints)) == goals


def test_the_table_has_what_is_known() -> None:
    quiet = msgspec.structs.replace(WELL, latency=None)
    rows = [*faults.table({("DuckDB", "log-killed"): WELL, ("DuckDB", "log-frozen"): quiet})]
    assert rows[2:] == [
        "| DuckDB | `log-killed` | 0 of 4,000 | 0.6 | - | 1.2 |",
        "| DuckDB | `log-frozen` | 0 of 4,000 | 0.6 | - | - |",
    ]
