"""What a simulated machine does: nothing is lost, and it takes as long as it must."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.capacity.calibration import Line, Step
from loadtest.simulate.costs import Costs, Design
from loadtest.simulate.load import Burst, Load, LoadError, Part, Standstill
from loadtest.simulate.run import saturation_per_s, simulate

MOST = 10_000.0


@pytest.mark.property
@settings(max_examples=15, deadline=None)
@given(
    rate=st.floats(100, 150_000),
    times=st.floats(1, 4),
    part=st.sampled_from(("gateway", "log", "ingest", "store")),
    lasts=st.floats(0.1, 2),
)
def test_what_is_due_is_applied_or_waits_somewhere_at_every_instant(
    rate: float, times: float, part: Part, lasts: float
) -> None:
    part_cost, step = Line(1, 0.1), Step(0.001, 1.0)
    costs = Costs(
        cores=2, generator=part_cost, gateway=part_cost, log=part_cost, reading=part_cost,
        work=step, commit=step, wait=step,
    )  # fmt: skip
    load = Load(
        rate_per_s=rate,
        seconds=3.0,
        bursts=(Burst(0.5, 1.0, times),),
        standstills=(Standstill(part, 1.0, lasts),),
    )
    found = simulate(load, costs)
    assert found.lasted_s is not None
    assert found.samples[-1].applied == int(load.due(3.0))
    for sample, queues in zip(found.samples, found.queues, strict=True):
        places = (queues.devices, queues.gateway, queues.log, queues.ingest)
        assert min(places) >= 0
        assert sum(places) + sample.applied == sample.due


def test_a_machine_is_as_quick_as_its_slowest_part(only_store: Costs) -> None:
    assert saturation_per_s(only_store) == pytest.approx(MOST, rel=0.02)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_an_outage_drains_in_its_length_times_load_over_what_is_free(
    only_store: Costs, share: float
) -> None:
    still = Standstill("store", 5.0, 4.0)
    load = Load(rate_per_s=MOST * share, seconds=30.0, standstills=(still,))
    found = simulate(load, only_store)
    assert found.drain_s == pytest.approx(4.0 * share / (1 - share), abs=0.35)
    assert found.lost_capacity == pytest.approx(4.0 * MOST, rel=0.02)


def test_the_backlog_of_an_idle_machine_is_what_comes_between_two_batches(usual: Costs) -> None:
    found = simulate(Load(rate_per_s=1_000.0, seconds=20.0), usual)
    assert found.applied_per_s == pytest.approx(1_000, rel=0.01)
    # A rest of 0.1 s, a beat, and a batch that takes little: never more than a fifth of a second.
    assert 50 < found.backlog_p50 < 120
    assert found.backlog_p50 < found.backlog_p99 < 200


def test_more_than_it_can_do_grows_as_long_as_it_comes(usual: Costs) -> None:
    most = saturation_per_s(usual)
    found = simulate(Load(rate_per_s=most * 2, seconds=10.0), usual)
    assert found.applied_per_s < most * 1.1
    assert found.lasted_s is not None
    assert found.lasted_s > 15
    assert found.samples[900].backlog > found.samples[300].backlog > found.samples[100].backlog


@pytest.mark.parametrize(
    ("part", "place"),
    [("gateway", "gateway"), ("log", "gateway"), ("ingest", "log"), ("store", "log")],
)
def test_messages_wait_before_what_stands_still(usual: Costs, part: Part, place: str) -> None:
    load = Load(rate_per_s=30_000.0, seconds=8.0, standstills=(Standstill(part, 2.0, 3.0),))
    found = simulate(load, usual, Design(window=10**9, ahead_bytes=1_000_000))
    at = next(each for each in found.queues if each.elapsed_s >= 4.9)
    assert getattr(at, place) > 50_000
    assert found.drain_s is not None


def test_devices_wait_themselves_where_their_windows_are_full(usual: Costs) -> None:
    load = Load(rate_per_s=30_000.0, seconds=8.0, standstills=(Standstill("log", 2.0, 3.0),))
    found = simulate(load, usual, Design(window=20_000))
    at = next(each for each in found.queues if each.elapsed_s >= 4.9)
    assert at.gateway <= 20_000 < at.devices


def test_the_same_seed_says_the_same(usual: Costs) -> None:
    load = Load(rate_per_s=30_000.0, seconds=5.0)
    assert simulate(load, usual) == simulate(load, usual)
    assert simulate(load, usual, seed=2).samples != simulate(load, usual).samples


@pytest.mark.parametrize(
    ("load", "words"),
    [
        (Load(rate_per_s=0), "rate 0"),
        (Load(rate_per_s=1, seconds=0.1), "0.1 seconds"),
        (Load(rate_per_s=1, bursts=(Burst(40, 1, 2),)), "not within"),
        (Load(rate_per_s=1, bursts=(Burst(1, 1, 0.5),)), "less than the rate"),
        (Load(rate_per_s=1, standstills=(Standstill("log", 1, 0),)), "not within"),
    ],
)
def test_loads_that_mean_nothing_are_refused(usual: Costs, load: Load, words: str) -> None:
    with pytest.raises(LoadError, match=words):
        simulate(load, usual)
