"""From what processes used to what a message costs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec import structs

from loadtest.capacity.calibration import PartRates, above_fixed_us, fitted, part_rates
from loadtest.capacity.trials import FORMATS, Trial, steady_rates, trials, wire_bytes
from loadtest.outcome.run import LoadRun
from loadtest.rig.crew import CrewProgress
from loadtest.rig.machine import Machine, PartTick
from loadtest.scenario.model import seconds_of
from loadtest.timing import Timings

SECONDS = (0.5, 1.5, 2.5, 3.5, 4.5)


def test_only_the_steady_part_of_a_run_counts() -> None:
    # A process that worked all of the first second, then half of the time.
    used = {at: 1.0 + 0.5 * max(0.0, at - 1.0) for at in SECONDS}
    ticks = [PartTick(at, cpu_s, int(at * 100)) for at, cpu_s in used.items()]
    found = part_rates({"node": ticks}, {at: int(1_000 * at) for at in SECONDS}, 4.0)
    assert found == PartRates(1_000.0, {"node": 0.5}, {"node": 350})


def test_one_look_is_no_rate() -> None:
    assert part_rates({}, {0.5: 0, 1.5: 10, 9.0: 20}, 4.0) is None


def test_a_process_that_came_late_is_left_out() -> None:
    ticks = [PartTick(3.5, 1.0, 1)]
    found = part_rates({"gateway-1": ticks}, dict.fromkeys(SECONDS, 5), 4.0)
    assert found is not None
    assert found.cores == {}


@given(fixed=some.floats(0, 1), cost_us=some.floats(0.1, 1_000))
def test_a_line_is_found_again(fixed: float, cost_us: float) -> None:
    def run(rate: float) -> PartRates:
        half = (fixed + rate * cost_us / 1e6) / 2
        return PartRates(rate, {"gateway-0": half, "gateway-1": half, "nats": 9.0}, {})

    line = fitted(run(1_000), run(10_000), "gateway-")
    assert line.us_a_message == pytest.approx(cost_us, rel=1e-3)
    assert line.cores(5_000) == pytest.approx(fixed + 5_000 * cost_us / 1e6, rel=1e-6)
    assert above_fixed_us(run(10_000), "gateway-", line) == pytest.approx(cost_us, rel=1e-3)


@given(low=some.floats(0, 1), high=some.floats(0, 1))
def test_noise_never_makes_a_cost_negative(low: float, high: float) -> None:
    slow, quick = PartRates(1_000, {"nats": low}, {}), PartRates(9_000, {"nats": high}, {})
    line = fitted(slow, quick, "nats")
    assert line.us_a_message >= 0
    assert line.fixed_cores >= 0
    assert line.cores(9_000) == pytest.approx(high)


def test_trials_know_every_format_and_keep_to_their_rates() -> None:
    planned = trials(10_000.0, 5.0)
    assert [each.role for each in planned[:4]] == ["own-slow", "own", "carried-slow", "carried"]
    assert {each.format for each in planned} == {*FORMATS}
    rates = {
        each.scenario.name: fleet.devices / seconds_of(fleet.every)
        for each in planned
        for fleet in each.scenario.fleets
    }
    assert max(rates.values()) == pytest.approx(10_000)
    # No device of a LoRaWAN network server is heard more often than its frame counter can say.
    lorawan = next(each for each in trials(30_000.0, 5.0) if each.format == "chirpstack-v3")
    assert seconds_of(lorawan.scenario.fleets[0].every) >= 0.1


def ran(trial: Trial, acked_per_s: float, **changed: object) -> LoadRun:
    """Return the record of a trial in which a second's messages were acknowledged each second."""
    scenario = trial.scenario
    history = [
        CrewProgress(
            elapsed_s=at, connected=1, due=0, sent=0, acked=int(at * acked_per_s), resent=0,
            waiting=0, lost_connections=0, cpu_s=0.0, lag_s=0.0,
        )
        for at in SECONDS
    ]  # fmt: skip
    run = LoadRun(
        scenario=scenario, target="", shard="0/1", started_at="", revision="",
        machine=Machine("", 2, 1, "", "", 0.0), spans=[], windows=[], processes=1, connections=1,
        connect_s=0.0, bytes_a_connection=0, dial_failures=0, seconds=5.0, cpu_s=0.0,
        interval_s=1.0, fleets=[], lag=Timings(1.0).record(), history=history, parts={},
        disk_bytes={}, stolen=0.0, bottleneck=[], phases=[],
    )  # fmt: skip
    return structs.replace(run, **changed)


@pytest.mark.parametrize(
    ("acked_per_s", "changed", "words"),
    [
        (1_000.0, {"bottleneck": ["the generator was late"]}, "generator was late"),
        (1_000.0, {"complaints": ["3 messages are lost"]}, "3 messages are lost"),
        (1_000.0, {"history": []}, "too short"),
        (800.0, {}, "1,000 messages a second were due and 800 were"),
    ],
)
def test_what_says_nothing_about_the_platform_is_refused(
    acked_per_s: float, changed: dict[str, object], words: str
) -> None:
    trial = next(each for each in trials(1_000.0, 5.0) if each.role == "carried")
    found = steady_rates(trial, ran(trial, acked_per_s, **changed))
    assert isinstance(found, str)
    assert words in found


def test_a_platform_that_keeps_up_is_measured() -> None:
    trial = next(each for each in trials(1_000.0, 5.0) if each.role == "carried")
    found = steady_rates(trial, ran(trial, 1_000.0))
    assert isinstance(found, PartRates)
    assert found.messages_per_s == 1_000.0


def test_bytes_on_the_wire_are_topic_and_payload() -> None:
    assert wire_bytes([(b"ab", b"cde"), None, (b"a", b"")]) == 3.0
