"""One run of the whole way, small: it is verified, and a run that lost something is not."""

from __future__ import annotations

import msgspec
import pytest

from bench.endpoint import slope
from bench.endpoint_rig import run_nats, run_ours
from bench.ingest_process import How
from bench.result import BenchFailed
from bench.rig import RigRun, run_rig, running_rig, verify
from loadtest.plan import LoadPlan

PLAN = LoadPlan(port=0, connections=10, messages=3_000)


@pytest.mark.live
@pytest.mark.parametrize(
    "how",
    [
        How(),
        How(checks="none"),
        How(checks="no-ledger"),
        How(store="duckdb", delays=True),
        How(store="influxdb"),
    ],
    ids=["as it is", "no checks", "no ledger", "duckdb", "influxdb"],
)
def test_a_run_is_verified_whatever_is_left_out(how: How) -> None:
    run = run_rig(PLAN, how)
    assert run.report.acked == run.facts.store.applied == 3_000
    assert run.facts.store.digest.rows == 6_000
    assert run.facts.delay.count == (6_000 if how.delays else 0)
    assert all(run.cpu_s[name] >= 0 for name in ("gateway", "ingest", "log", "generator"))


@pytest.fixture(scope="module")
def run() -> RigRun:
    """Return one verified run."""
    return run_rig(PLAN)


@pytest.mark.live
def test_a_message_that_was_sent_and_is_not_stored_fails_a_run(run: RigRun) -> None:
    verify(run.facts, run.report)
    sent = run.report.sent_by_connection
    report = msgspec.structs.replace(run.report, sent_by_connection=[sent[0] + 1, *sent[1:]])
    with pytest.raises(BenchFailed, match="301 were sent"):
        verify(run.facts, report)


@pytest.mark.live
def test_a_ledger_that_does_not_balance_fails_a_run(run: RigRun) -> None:
    store = msgspec.structs.replace(run.facts.store, accepted=2_999, quarantined=0)
    with pytest.raises(BenchFailed, match="ledger"):
        verify(msgspec.structs.replace(run.facts, store=store), run.report)


@pytest.mark.live
def test_two_loads_on_one_rig_are_verified_together() -> None:
    later = msgspec.structs.replace(PLAN, first_ms=PLAN.first_ms + 1_000_000)
    with running_rig(PLAN, How(delays=True)) as rig:
        rig.run(PLAN)
        run = rig.run(later)
    assert run.facts.store.applied == 6_000
    assert run.facts.delay.count == 6_000, "delays are those of the second load"


@pytest.mark.live
def test_a_program_that_ends_fails_a_run() -> None:
    with running_rig(PLAN) as rig:
        rig.programs["ingest"].process.kill()
        with pytest.raises(BenchFailed, match="ingest ended"):
            rig.run(PLAN)


@pytest.mark.live
def test_both_endpoints_store_what_they_acknowledged() -> None:
    for sample in (run_ours(PLAN), run_nats(PLAN)):
        assert sample.messages == 3_000
        assert sample.cost > 0


def test_the_slope_of_a_cost_is_its_exponent() -> None:
    assert slope([(10, 5.0), (100, 5.0), (1_000, 5.0)]) == pytest.approx(0)
    assert slope([(10, 1.0), (100, 10.0), (1_000, 100.0)]) == pytest.approx(1)
