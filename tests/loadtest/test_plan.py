"""Schedules are even and honest, payloads can be made again, percentiles are right."""

import itertools

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.latency import LatencyRecorder
from loadtest.payloads import Fleet
from loadtest.plan import LoadPlan, PlanError, Schedule


class Item(msgspec.Struct, forbid_unknown_fields=True):
    q: str
    v: float
    u: str


class Native(msgspec.Struct, forbid_unknown_fields=True):
    t: int
    id: str
    obs: list[Item]


PLAN = LoadPlan(port=1, connections=3, devices_per_connection=2, in_flight=4, messages=1)


def read(packet: bytes, *, qos: int = 1) -> tuple[str, Native]:
    size = 2 if packet[1] < 128 else 3
    end = size + 2 + int.from_bytes(packet[size : size + 2], "big")
    payload = packet[end + (2 if qos else 0) :]
    return packet[size + 2 : end].decode(), msgspec.json.decode(payload, type=Native)


@pytest.mark.parametrize(
    "plan",
    [
        LoadPlan(port=1, connections=0, messages=1),
        LoadPlan(port=1, in_flight=65_536, messages=1),
        LoadPlan(port=1),
        LoadPlan(port=1, messages=5, rate_per_s=0.0),
        LoadPlan(port=1, messages=5, observations=7),
        LoadPlan(port=1, messages=5, first_ms=999),
    ],
)
def test_a_plan_that_cannot_be_run_is_refused(plan: LoadPlan) -> None:
    with pytest.raises(PlanError):
        plan.checked()


@pytest.mark.property
@given(st.floats(0.5, 100_000), st.integers(1, 500), st.floats(0, 20))
def test_connections_share_what_is_due(rate: float, connections: int, elapsed_s: float) -> None:
    schedule = Schedule(rate, connections)
    due = schedule.due(elapsed_s)
    shares = [schedule.due_of(number, due) for number in range(connections)]
    assert sum(shares) == due
    assert max(shares) - min(shares) <= 1


def test_a_message_is_due_at_its_own_instant_and_not_before() -> None:
    schedule = Schedule(10.0, 4)
    for connection, number in itertools.product(range(4), range(5)):
        due_s = schedule.first_s(connection) + number * schedule.step_s
        assert schedule.due_of(connection, schedule.due(due_s + 1e-6)) == number + 1
        if due_s:
            assert schedule.due_of(connection, schedule.due(due_s - 1e-6)) == number


@pytest.mark.property
@given(st.integers(0, 10_000), st.integers(0, 1_000), st.integers(1, 60))
def test_only_connections_with_something_new_are_touched(
    before: int, more: int, connections: int
) -> None:
    schedule = Schedule(1.0, connections)
    touched = [at % connections for at in schedule.touched(before, before + more)]
    changed = [
        number
        for number in range(connections)
        if schedule.due_of(number, before) != schedule.due_of(number, before + more)
    ]
    assert sorted(touched) == changed


def test_a_message_is_plain_native_json_and_always_the_same() -> None:
    fleet = Fleet(PLAN)
    packet = fleet.packets(2)
    topic, message = read(packet(7, fleet.middles[0]))
    assert topic == "madina/v1/load/d0000005/up"
    assert packet(7, fleet.middles[0]) == Fleet(PLAN).packets(2)(7, fleet.middles[0])
    device, sequence = fleet.message_of(2, 7)
    assert (fleet.device_name(device), sequence) == ("d0000005", 3)
    assert (message.id, fleet.sequence_at(message.t)) == (str(PLAN.first_ms + 3), 3)
    assert {item.q: item.v for item in message.obs} == fleet.values(device, sequence)


def test_each_device_says_later_times_and_new_ids() -> None:
    fleet = Fleet(PLAN)
    packet = fleet.packets(0)
    said: dict[str, list[tuple[int, str]]] = {}
    for number in range(3_000):
        topic, message = read(packet(number, fleet.middles[number % 4]))
        said.setdefault(topic, []).append((message.t, message.id))
    assert len(said) == 2
    for times in said.values():
        assert all(before < after for before, after in itertools.pairwise(times))


@pytest.mark.parametrize("observations", [1, 2, 6])
def test_all_messages_of_a_plan_have_one_size(observations: int) -> None:
    plan = msgspec.structs.replace(PLAN, observations=observations, qos=0)
    fleet = Fleet(plan)
    sizes = {len(fleet.packets(0)(number, fleet.middles[0])) for number in range(4_000)}
    assert len(sizes) == 1
    _, message = read(fleet.packets(0)(0, fleet.middles[0]), qos=0)
    assert len(message.obs) == observations


def test_percentiles_are_within_three_digits_of_exact_ones() -> None:
    values = np.random.default_rng(7).lognormal(-5, 1.5, 50_000)
    recorder = LatencyRecorder()
    for part in np.array_split(values, 7):
        recorder.seconds.extend(part.tolist())
        recorder.fold()
    summary = recorder.summary()
    assert summary.count == len(values)
    for found, level in ((summary.p50_ms, 50), (summary.p99_ms, 99), (summary.p99_9_ms, 99.9)):
        assert found == pytest.approx(np.percentile(values, level) * 1_000, rel=0.002)
    assert summary.max_ms == pytest.approx(values.max() * 1_000, rel=0.002)
    assert summary.mean_ms == pytest.approx(values.mean() * 1_000, rel=0.01)
