"""Two runs are told apart where they differ, and shards add up to the run they are of."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from loadtest.outcome.compare import compared
from loadtest.outcome.html import report_html
from loadtest.outcome.merge import MergeError, merge_runs
from loadtest.outcome.run import LoadRun
from loadtest.outcome.tally import LedgerCounts, Sums, Tally

NewRun = Callable[..., LoadRun]


def test_the_same_again_is_the_same_and_twice_as_slow_is_worse(new_run: NewRun) -> None:
    before = new_run(0.01)
    again = {each.figure: each for each in compared(before, new_run(0.01, seed=2))}
    assert {each.verdict for each in again.values()} == {"same"}
    slow = {each.figure: each for each in compared(before, new_run(0.02, seed=3))}
    p99 = slow["PUBACK p99, ms"]
    assert p99.verdict == "worse"
    assert p99.low < p99.change < p99.high
    assert p99.change == pytest.approx(1.0, abs=0.3)
    assert slow["acknowledged/s"].verdict == "same"
    quick = {each.figure: each for each in compared(new_run(0.02), before)}
    assert quick["PUBACK p50, ms"].verdict == "better"


def test_a_latency_that_a_run_refuses_to_tell_is_compared_with_nothing(new_run: NewRun) -> None:
    refused = msgspec.structs.replace(new_run(0.01), bottleneck=["the generator was late"])
    figures = {each.figure for each in compared(new_run(0.01), refused)}
    assert figures == {"acknowledged/s", "gateway-0 CPU, us a message"}
    page = report_html(msgspec.structs.replace(refused, complaints=refused.bottleneck))
    assert "the generator was late" in page
    assert "Latency by percentile" not in page
    assert "not told" in page


def test_shards_add_up_and_a_missing_one_is_named(new_run: NewRun) -> None:
    shards = [new_run(0.01, seed=at, shard=f"{at}/3", share=3) for at in range(3)]
    whole = merge_runs([shards[2], shards[0], shards[1]])
    assert (whole.total("acked"), whole.connections) == (3_000, 99)
    assert whole.latency.summary().count == 3_000
    assert whole.history[-1].acked == 3 * 3_000
    assert whole.complaints == []
    with pytest.raises(MergeError, match=r"not all shards are there: 1/3"):
        merge_runs([shards[0], shards[2]])
    with pytest.raises(MergeError, match="there twice"):
        merge_runs([shards[0], shards[0]])
    other = msgspec.structs.replace(
        shards[1], scenario=msgspec.structs.replace(shards[1].scenario, seed=9)
    )
    with pytest.raises(MergeError, match=r"shard 1/3 is of another scenario"):
        merge_runs([shards[0], other, shards[2]])


def test_shards_are_held_together_against_the_ledger_that_all_of_them_saw(new_run: NewRun) -> None:
    # Each machine began and ended at another moment of one ledger, which had 500 before.
    seen = [(500, 1_900), (640, 3_499), (520, 2_800)]
    shards = [
        msgspec.structs.replace(
            new_run(0.01, seed=at, shard=f"{at}/3", share=3),
            tally=Tally(
                Sums(sent=1_000, promised=1_000, good=1_000, good_sent=1_000),
                LedgerCounts(before, 0, 0, 0, 0, 0),
                LedgerCounts(after, 0, 0, 0, 0, 0),
            ),
        )
        for at, (before, after) in enumerate(seen)
    ]
    whole = merge_runs(shards)
    assert whole.account is not None
    assert (whole.account.good, whole.account.accepted, whole.account.lost) == (3_000, 2_999, 1)
    assert whole.complaints == ["1 promised messages are not there"]
    unasked = msgspec.structs.replace(shards[1], tally=None)
    assert merge_runs([shards[0], unasked, shards[2]]).account is None


def test_a_record_is_kept_whole_and_its_page_needs_no_internet(new_run: NewRun) -> None:
    run = new_run(0.01)
    assert msgspec.json.decode(msgspec.json.encode(run), type=LoadRun) == run
    page = report_html(run)
    assert "&lt;b&gt;Bold&lt;/b&gt; &amp; quick" in page
    assert "<b>Bold" not in page
    for loads in ('src="http', "src='http", 'href="http', "@import", "<link"):
        assert loads not in page.partition("<script>/**")[0]
