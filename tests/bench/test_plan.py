"""The parts of `BENCH=plan`: what it compares, and that the platform and its disk do as it asks."""

from __future__ import annotations

import os

import pytest

from bench.cpu import machine_s
from bench.plan.comparison import costs_measured
from bench.plan.errors import Compared, compared_drain, compared_load, disturbed, goals_of, table
from bench.plan.loads import Outage, RealRun, Sender, message_bytes
from bench.plan.platform import running_platform
from bench.result import BenchFailed
from loadtest.capacity.batches import Batch, Look
from loadtest.simulate.backlog import Sample
from loadtest.simulate.load import Load, Standstill
from loadtest.simulate.run import Outcome, simulate


def real_run(rate_per_s: float, outage: Outage | None = None, others: float = 0.0) -> RealRun:
    """Return a run of ten seconds with a batch each 0.1 s, as a machine would do it."""
    batch = Batch(int(rate_per_s / 10), 0.01 + rate_per_s * 1e-7, 0.005 + rate_per_s * 3e-7, 0.005)
    messages = int(rate_per_s * 10)
    samples = [
        Sample(at / 100, at * int(rate_per_s / 100), at // 10 * int(rate_per_s / 10))
        for at in range(1_000)
    ]
    used = {"generator": 0.1, "gateway": 0.2, "log": 0.2, "node": 2.0}
    return RealRun(
        rate_per_s=rate_per_s,
        seconds=10.0,
        samples=samples,
        used_s={part: each + messages * 2e-6 for part, each in used.items()},
        lasted_s=10.0,
        ingest=Look(10.0, 100, messages, 1.0, 1.0, 0.5),
        batches=[batch] * 50,
        late_ms=20.0,
        outage=outage,
        others=others,
        stolen=0.0,
    )


def predicted(outage: Outage | None = None) -> Outcome:
    costs = costs_measured([real_run(5_000)], [real_run(20_000)])
    stills = () if outage is None else (Standstill("store", outage.at_s, outage.lasts_s),)
    return simulate(Load(rate_per_s=10_000, seconds=20.0, standstills=stills), costs)


def test_costs_are_lines_through_two_rates() -> None:
    costs = costs_measured([real_run(5_000)], [real_run(20_000)])
    assert costs.cores == len(os.sched_getaffinity(0))
    assert costs.gateway.us_a_message == pytest.approx(2.0)
    assert costs.gateway.fixed_cores == pytest.approx(0.02)
    assert costs.work.us_a_message == pytest.approx(3.0)
    assert costs.wait.us_a_message == pytest.approx(1.0)
    assert costs.checkpoint is None
    assert 100 < costs.message_bytes == message_bytes() < 200


def test_throughput_and_backlog_are_compared_and_missed_where_they_are_missed() -> None:
    throughput, backlog = compared_load("25%", [real_run(10_000)] * 3, predicted())
    assert throughput.measured == pytest.approx(10_000, rel=0.01)
    assert throughput.error < 0.02
    assert backlog.measured == pytest.approx(900, rel=0.1)
    wrong = Compared("knee", "flood", "messages/s", 100.0, 130.0)
    drain = Compared("drain time", "50%", "s", 10.0, 9.0)
    goals = {each.id: each for each in goals_of([throughput, backlog, wrong, drain], noisy=False)}
    assert goals["throughput"].met
    assert goals["drain time"].met
    assert not goals["knee"].met
    assert goals["knee"].measured == pytest.approx(30)
    assert not any(each.met for each in goals_of([throughput, backlog, wrong, drain], noisy=True))
    assert [*table([wrong])][-1].endswith("| 30.0% | missed |")


def test_an_outage_that_never_drained_proves_nothing() -> None:
    # Samples that never fall behind are back at once; those of a run without outage say nothing.
    found = compared_drain("50%", [real_run(10_000, Outage(4, 2))], predicted(Outage(4, 2)))
    assert found.measured < 0.2
    with pytest.raises(BenchFailed, match="nothing stood still"):
        compared_drain("50%", [real_run(10_000)], predicted())


def test_a_run_beside_somebody_elses_says_so() -> None:
    assert disturbed(real_run(1_000)) == ""
    assert "0.70 cores" in disturbed(real_run(1_000, others=0.7))


def test_what_all_processors_did_is_counted() -> None:
    before = machine_s()
    sum(range(3_000_000))
    spent = machine_s().since(before)
    assert 0 <= spent.busy_s <= spent.all_s + 0.1


@pytest.mark.live
def test_a_real_platform_is_loaded_watched_and_has_its_store_stand_still() -> None:
    with running_platform() as platform:
        sender = Sender(platform)
        run = sender.run(2_000.0, 5.0, Outage(1.0, 2.0))
    assert run.samples[-1].applied == run.ingest.messages == pytest.approx(10_000, rel=0.01)
    assert run.outage is not None
    frozen = [each for each in run.samples if 1.5 < each.elapsed_s < 2.9]
    assert frozen[-1].backlog > frozen[0].backlog
    assert run.used_s.keys() == {"gateway", "log", "node", "generator"}
    assert run.batches
