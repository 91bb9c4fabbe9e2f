"""Packing: nothing lost, nothing reordered within a shard, everybody told exactly once."""

from collections import defaultdict
from collections.abc import Callable
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.access import ShardRule, ShardRules
from city.backlog import Backlog
from city.clock import US_PER_MINUTE, SimulatedClock
from city.filling import Origin, SealedFrame
from city.frame import ControlKind, Extras, Frame, RecordFlag, decode_frame
from city.packer import MAX_CONTROLS, REMEMBERED_TOPICS, Packer
from city.subjects import shard_of

START_US = 1_772_619_330_000_000
FRAME_BYTES = 400
SHARDS = 3
ORIGIN = Origin("gw-1", START_US)


class Recording(Protocol):
    """What the `publisher` fixture gives."""

    acknowledgements: list[bytes]
    size_bytes: int

    def confirmed(self, acknowledgements: bytes, size_bytes: int) -> None: ...


class Bench:
    """A packer whose frames are kept."""

    def __init__(self, frame_bytes: int = FRAME_BYTES) -> None:
        self.clock = SimulatedClock(START_US)
        self.backlog = Backlog(10**9)
        self.sealed: list[SealedFrame] = []
        self.armed = 0
        self.packer = Packer(
            ORIGIN,
            shards=SHARDS,
            frame_bytes=frame_bytes,
            clock=self.clock,
            backlog=self.backlog,
            opened=self.arm,
            sealed=self.sealed.append,
        )

    def arm(self) -> None:
        self.armed += 1

    def take(self, publisher: Recording, topics: list[bytes], payloads: list[bytes]) -> None:
        count = len(topics)
        acknowledgements = [b"\x40\x02" + payload[:2] for payload in payloads]
        self.packer.take(
            publisher, b"c", topics, payloads, b"\x01" * count, acknowledgements, 10 * count + 3
        )

    def frames(self) -> list[Frame]:
        self.packer.seal_all()
        return [decode_frame(each.data) for each in self.sealed]


@pytest.fixture
def bench() -> Bench:
    return Bench()


TOPICS = st.sampled_from([b"a", b"b", b"madina/v1/acme/m1/up", b"madina/v1/acme/m2/up", b"t" * 90])
MESSAGES = st.lists(st.tuples(TOPICS, st.binary(max_size=500)), min_size=1, max_size=12)
STEPS = st.lists(st.one_of(MESSAGES, st.integers(0, 90_000_000), st.none()), max_size=25)


@given(STEPS)
def test_frames_hold_every_message_in_order_and_everybody_is_told_once(  # noqa: PLR0915 - one story, told through
    steps: list[list[tuple[bytes, bytes]] | int | None],
) -> None:
    bench = Bench()
    sent: defaultdict[int, list[tuple[bytes, bytes]]] = defaultdict(list)
    sizes: defaultdict[int, int] = defaultdict(int)
    told: list[bytes] = []
    expected: list[bytes] = []
    for number, step in enumerate(steps):
        if step is None:
            bench.packer.seal_messages()
        elif isinstance(step, int):
            bench.clock.advance(step)
        else:
            acknowledgements = [b"%d-%d" % (number, index) for index in range(len(step))]
            expected += acknowledgements
            sizes[number] = len(step) * 7 + 5
            publisher = Numbered(number)
            bench.packer.take(
                publisher,
                b"client-%d" % number,
                [topic for topic, _ in step],
                [payload for _, payload in step],
                bytes(index % 32 for index in range(len(step))),
                acknowledgements,
                sizes[number],
            )
            for message in step:
                sent[shard_of(message[0], SHARDS)].append(message)
    frames = bench.frames()
    packed: defaultdict[int, list[tuple[bytes, bytes]]] = defaultdict(list)
    for frame, sealed in zip(frames, bench.sealed, strict=True):
        assert frame.count_before == len(packed[frame.shard])
        packed[frame.shard] += zip(frame.topics, frame.payloads, strict=True)
        assert frame.count_after == sealed.count_after == len(packed[frame.shard])
        assert len(sealed.data) <= FRAME_BYTES + 120 or sealed.messages == 1
        minutes = {run.received_us // US_PER_MINUTE for run in frame.runs}
        assert minutes == {frame.received_us // US_PER_MINUTE}
        for waiting in sealed.waiting:
            assert isinstance(waiting.publisher, Numbered)
            told += waiting.acknowledgements
            sizes[waiting.publisher.number] -= waiting.size_bytes
    assert packed == sent
    assert sorted(told) == sorted(expected)
    assert set(sizes.values()) <= {0}
    assert bench.backlog.held_bytes == sum(each.held_bytes for each in bench.sealed)
    assert len({each.message_id for each in bench.sealed}) == len(bench.sealed)


class Numbered:
    """A connection that is only told apart."""

    def __init__(self, number: int) -> None:
        self.number = number

    def confirmed(self, acknowledgements: bytes, size_bytes: int) -> None: ...


def test_a_read_of_one_topic_stays_one_run(bench: Bench, publisher: Recording) -> None:
    bench.take(publisher, [b"a"] * 3, [b"1", b"2", b"3"])
    (frame,) = bench.frames()
    assert [(run.client, run.count) for run in frame.runs] == [(b"c", 3)]


def test_a_frame_is_sealed_before_it_grows_past_its_size(
    bench: Bench, publisher: Recording
) -> None:
    for _ in range(5):
        bench.take(publisher, [b"a"], [b"x" * 150])
    assert [each.messages for each in bench.sealed] == [2, 2]


def test_a_message_larger_than_a_frame_has_a_frame_of_its_own(
    bench: Bench, publisher: Recording
) -> None:
    bench.take(publisher, [b"a"] * 3, [b"1", b"x" * 1_000, b"3"])
    assert [frame.payloads for frame in bench.frames()] == [[b"1"], [b"x" * 1_000], [b"3"]]


def test_a_new_minute_starts_new_frames(bench: Bench, publisher: Recording) -> None:
    bench.take(publisher, [b"a"], [b"1"])
    bench.clock.advance(US_PER_MINUTE)
    bench.take(publisher, [b"a"], [b"2"])
    assert [frame.received_us - START_US for frame in bench.frames()] == [0, US_PER_MINUTE]


def test_the_linger_starts_with_the_first_message_and_again_after_it_is_over(
    bench: Bench, publisher: Recording
) -> None:
    bench.take(publisher, [b"a"], [b"1"])
    bench.take(publisher, [b"b"], [b"2"])
    assert bench.armed == 1
    bench.packer.seal_messages()
    bench.take(publisher, [b"a"], [b"3"])
    assert bench.armed == 2


def test_control_records_ride_along_and_are_not_counted(bench: Bench, publisher: Recording) -> None:
    bench.packer.control(ControlKind.CONNECT, "c", "")
    bench.packer.seal_messages()
    assert bench.sealed == []
    bench.packer.seal_all()
    bench.packer.control(ControlKind.DISCONNECT, "c", "keep-alive")
    frames = bench.frames()
    assert [each.controls[0].kind for each in frames] == ["connect", "disconnect"]
    assert [each.count_after for each in frames] == [0, 0]
    assert len({each.message_id for each in bench.sealed}) == 2


def test_control_records_go_when_their_minute_is_over(bench: Bench) -> None:
    bench.packer.control(ControlKind.CONNECT, "c", "")
    bench.packer.tick()
    assert bench.sealed == []
    bench.clock.advance(US_PER_MINUTE)
    bench.packer.tick()
    assert [each.messages for each in bench.sealed] == [0]


def test_control_records_are_bounded_and_the_rest_is_counted(bench: Bench) -> None:
    for _ in range(MAX_CONTROLS + 5):
        bench.packer.control(ControlKind.CONNECT, "c", "")
    assert bench.packer.dropped_controls == 5


def test_properties_follow_their_message_to_its_place_in_the_frame(
    bench: Bench, publisher: Recording
) -> None:
    bench.take(publisher, [b"a"], [b"0"])
    extras = (Extras(0, "text/plain"), Extras(2, "", (("k", "v"),)))
    flags = bytes([RecordFlag.QOS_1] * 3)
    bench.packer.take(publisher, b"c", [b"a"] * 3, [b"1", b"2", b"3"], flags, [b""] * 3, 3, extras)
    (frame,) = bench.frames()
    named = {frame.payloads[each.index]: each.content_type for each in frame.extras}
    assert named == {b"1": "text/plain", b"3": ""}


def test_routes_name_the_levels_that_share_a_shard(bench: Bench, publisher: Recording) -> None:
    bench.packer.use_rules(ShardRules((ShardRule("spBv1.0/#", (2, 4)),)))
    topics = [b"spBv1.0/g/NBIRTH/edge"] + [b"spBv1.0/g/DDATA/edge/%d" % each for each in range(9)]
    bench.take(publisher, topics, [b"x"] * 10)
    assert {frame.shard for frame in bench.frames()} == {shard_of(b"g/edge", SHARDS)}


def test_remembered_topics_are_bounded(publisher: Recording) -> None:
    bench = Bench(frame_bytes=1_000_000)
    for number in range(0, REMEMBERED_TOPICS + 10, 5):
        topics = [b"%d" % each for each in range(number, number + 5)]
        bench.take(publisher, topics, [b""] * 5)
    assert bench.packer.remembered_topics <= REMEMBERED_TOPICS


def test_connections_wait_when_the_backlog_is_full_and_go_on_when_half_of_it_is_free() -> None:
    backlog = Backlog(100)
    seen: list[bool] = []
    changes: list[Callable[[], None]] = [
        lambda: backlog.hold(99),
        lambda: backlog.hold(1),
        lambda: backlog.release(40),
        lambda: backlog.release(11),
        lambda: backlog.disk("the disk is full"),
        lambda: backlog.disk(""),
    ]
    for change in changes:
        change()
        seen.append(backlog.full)
    assert seen == [False, True, True, False, True, False]
    assert backlog.turned_full == 2
