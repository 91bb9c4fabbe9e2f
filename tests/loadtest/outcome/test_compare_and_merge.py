"""Two runs are told apart where they differ, and shards add up to the run they are of."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from loadtest.outcome.compare import compared
from loadtest.outcome.html import report_html
from loadtest.outcome.merge import MergeError, merge_runs
from loadtest.outcome.run import FleetOutcome, LoadRun, Window
from loadtest.rig.crew import CrewProgress
from loadtest.rig.machine import PartTick, this_machine
from loadtest.scenario.curve import spans_of
from loadtest.scenario.file import read_scenario
from loadtest.timing import Timings

SCENARIO = read_scenario(
    "name: x\ntitle: <b>Bold</b> & quick\nfleets:\n - {name: a, devices: 100, every: 1s}\n"
    "phases:\n - {kind: hold, seconds: 30s}\n",
    "x",
)


def ran(latency_s: float, *, seed: int = 1, shard: str = "0/1", share: int = 1) -> LoadRun:
    chance = np.random.default_rng(seed)
    timings, count = Timings(1.0), 3_000 // share
    seconds = chance.lognormal(np.log(latency_s), 0.5, count)
    timings.add(np.linspace(0, 29.9, count), seconds)
    record = timings.record()
    ticks = [
        CrewProgress(
            elapsed_s=at, connected=100, due=100 * at, sent=100 * at, acked=100 * at, resent=0,
            waiting=0, lost_connections=0, cpu_s=0.1 * at, lag_s=0.001,
        )
        for at in range(1, 31)
    ]  # fmt: skip
    fleet = FleetOutcome(
        fleet="a", qos=1, scheduled=count, sent=count, acked=count, refused=0, resent=0,
        lost_connections=0, unexpected_acks=0, late=0, latency=record, service=record,
    )  # fmt: skip
    return LoadRun(
        scenario=SCENARIO, target="h:1", shard=shard, started_at="2026-03-04T05:06:07.000000Z",
        revision="abc", machine=this_machine(), spans=spans_of(SCENARIO.phases),
        windows=[Window("outage of a", 5, 10)], processes=1, connections=100 // share,
        connect_s=0.1, bytes_a_connection=1, dial_failures=0, seconds=30, cpu_s=3, interval_s=1,
        fleets=[fleet], lag=record, history=ticks,
        parts={"gateway-0": [PartTick(at, 0.01 * at, 2**26) for at in range(1, 31)]},
        disk_bytes={5: 2**20}, stolen=0.0, bottleneck=[], phases=[],
    )  # fmt: skip


def test_the_same_again_is_the_same_and_twice_as_slow_is_worse() -> None:
    before = ran(0.01)
    again = {each.figure: each for each in compared(before, ran(0.01, seed=2))}
    assert {each.verdict for each in again.values()} == {"same"}
    slow = {each.figure: each for each in compared(before, ran(0.02, seed=3))}
    p99 = slow["PUBACK p99, ms"]
    assert p99.verdict == "worse"
    assert p99.low < p99.change < p99.high
    assert p99.change == pytest.approx(1.0, abs=0.3)
    assert slow["acknowledged/s"].verdict == "same"
    quick = {each.figure: each for each in compared(ran(0.02), before)}
    assert quick["PUBACK p50, ms"].verdict == "better"


def test_a_latency_that_a_run_refuses_to_tell_is_compared_with_nothing() -> None:
    refused = msgspec.structs.replace(ran(0.01), bottleneck=["the generator was late"])
    figures = {each.figure for each in compared(ran(0.01), refused)}
    assert figures == {"acknowledged/s", "gateway-0 CPU, us a message"}
    page = report_html(msgspec.structs.replace(refused, complaints=refused.bottleneck))
    assert "the generator was late" in page
    assert "Latency by percentile" not in page
    assert "not told" in page


def test_shards_add_up_and_a_missing_one_is_named() -> None:
    shards = [ran(0.01, seed=at, shard=f"{at}/3", share=3) for at in range(3)]
    whole = merge_runs([shards[2], shards[0], shards[1]])
    assert (whole.total("acked"), whole.connections) == (3_000, 99)
    assert whole.latency.summary().count == 3_000
    assert whole.history[-1].acked == 3 * 3_000
    assert whole.complaints == []
    with pytest.raises(MergeError, match=r"not all shards are there: 1/3"):
        merge_runs([shards[0], shards[2]])
    with pytest.raises(MergeError, match="there twice"):
        merge_runs([shards[0], shards[0]])
    other = msgspec.structs.replace(shards[1], scenario=msgspec.structs.replace(SCENARIO, seed=9))
    with pytest.raises(MergeError, match=r"shard 1/3 is of another scenario"):
        merge_runs([shards[0], other, shards[2]])


def test_a_record_is_kept_whole_and_its_page_needs_no_internet() -> None:
    run = ran(0.01)
    assert msgspec.json.decode(msgspec.json.encode(run), type=LoadRun) == run
    page = report_html(run)
    assert "&lt;b&gt;Bold&lt;/b&gt; &amp; quick" in page
    assert "<b>Bold" not in page
    for loads in ('src="http', "src='http", 'href="http', "@import", "<link"):
        assert loads not in page.partition("<script>/**")[0]
