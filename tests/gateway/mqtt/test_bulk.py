"""Reading in bulk gives what reading one by one gives, however the bytes are divided."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.rig import Rig, packets_in
from gateway.mqtt.encode import encode
from gateway.mqtt.packets import Ack, Connect, Kind, Packet, Ping, Publish
from gateway.mqtt.properties import Properties
from gateway.mqtt.publishes import Batch, PublishReader, record_flag
from gateway.mqtt.reasons import Level, MqttError
from gateway.mqtt.wire import ConnectionSettings

LEVELS = st.sampled_from(list(Level))
TOPICS = st.sampled_from(
    [b"a", b"a/b", b"madina/v1/acme/meter-7/up", b"x" * 200, "\u6c34".encode()]
)
PAYLOADS = st.binary(max_size=20) | st.sampled_from([b"x" * 120, b"y" * 127, b"\0" * 16_384])
PROPERTIES = st.sampled_from(
    [Properties(), Properties(content_type="t"), Properties(user_properties=(("k", "v"),))]
)


@st.composite
def publishes(draw: st.DrawFn, level: Level) -> Publish:
    qos = draw(st.integers(0, 2))
    return Publish(
        draw(TOPICS),
        draw(PAYLOADS),
        qos,
        draw(st.integers(1, 65_535)) if qos else 0,
        draw(st.booleans()),
        bool(qos) and draw(st.booleans()),
        draw(PROPERTIES) if level == Level.V5 else Properties(),
    )


def packets(level: Level) -> st.SearchStrategy[list[Packet]]:
    others = st.sampled_from([Ping(Kind.PINGREQ), Ack(Kind.PUBREL, 3)])
    return st.lists(st.one_of(publishes(level), publishes(level), others), max_size=12)


def divided(draw: st.DrawFn, data: bytes) -> list[bytes]:
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    edges = [0, *cuts, len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@pytest.mark.property
@given(st.data())
def test_any_division_of_the_bytes_gives_the_same(data: st.DataObject) -> None:
    level = data.draw(LEVELS)
    stream = b"".join(encode(each, level) for each in data.draw(packets(level)))
    stream += data.draw(st.just(b"") | st.binary(max_size=10))
    pieces = data.draw(st.composite(divided)(stream))
    bytewise = [bytes((each,)) for each in stream[:3_000]] + [stream[3_000:]]
    results: list[tuple[object, ...]] = []
    for parts in ([stream], pieces, bytewise):
        rig = Rig(ConnectionSettings(receive_maximum=65_535))
        device = rig.connected(level, Connect(level, b"d"))
        for part in parts:
            device.connection.received(part)
        extras = [each.extras and each.extras.user_properties for each in rig.messages]
        taken = [
            (each.topic, each.payload, each.flag, each.acknowledgement) for each in rig.messages
        ]
        rig.confirm()
        acknowledged = sorted(
            (each.kind, each.identifier) for each in device.answers() if isinstance(each, Ack)
        )
        results.append((taken, extras, acknowledged, device.closed))
    assert results[0] == results[1] == results[2]


@pytest.mark.property
@given(st.data())
def test_bulk_and_one_by_one_agree(data: st.DataObject) -> None:
    level = data.draw(LEVELS)
    wanted = data.draw(st.lists(publishes(level), max_size=12))
    stream = b"".join(encode(each, level) for each in wanted)
    reader, batch, at = PublishReader(level, 262_144), Batch(), 0
    while at < len(stream):
        start = len(batch.topics)
        at = reader.read(stream, at, batch)
        for index in range(start, len(batch.topics)):
            packet = wanted[index]
            qos = packet.qos
            assert qos < 2
            assert packet.properties == Properties()
            assert batch.flags[index] == record_flag(qos, retain=packet.retain, dup=packet.dup)
            ack = encode(Ack(Kind.PUBACK, packet.identifier), level) if qos else b""
            assert batch.acknowledgements[index] == ack
        if at < len(stream):
            packet = wanted[len(batch.topics)]
            batch.add(packet.topic, packet.payload, 0, b"")
            at += len(encode(packet, level))
    assert [each.topic for each in wanted] == batch.topics
    assert [each.payload for each in wanted] == batch.payloads
    assert set(batch.fresh) <= set(batch.topics)


@pytest.mark.property
@given(LEVELS, st.binary(max_size=200), st.integers(0, 3))
def test_any_bytes_are_read_like_one_by_one_or_left(level: Level, noise: bytes, first: int) -> None:
    """What bulk reading takes, reading one by one takes the same way, topics' validity apart."""
    data = bytes((0x30 | first << 1,)) + noise
    batch = Batch()
    end = PublishReader(level, 262_144).read(data, 0, batch)
    try:
        alone = packets_in(data[:end], level)
    except MqttError:
        # A topic that is none: the caller looks at every fresh one.
        assert batch.fresh
        return
    assert [(each.topic, each.payload) for each in alone if isinstance(each, Publish)] == list(
        zip(batch.topics, batch.payloads, strict=True)
    )


def test_a_topic_that_differs_from_the_one_before_is_fresh() -> None:
    level = Level.V3
    names = [b"a", b"a", b"b", b"b", b"a"]
    data = b"".join(encode(Publish(name, b"x"), level) for name in names)
    reader, batch = PublishReader(level, 262_144), Batch()
    reader.read(data, 0, batch)
    assert batch.fresh == [b"a", b"b", b"a"]
    batch = Batch()
    reader.read(encode(Publish(b"a", b"x"), level), 0, batch)
    assert batch.fresh == []
    reader.forget()
    reader.read(encode(Publish(b"a", b"x"), level), 0, batch)
    assert batch.fresh == [b"a"]


def test_a_topic_of_a_packet_that_is_left_is_not_remembered() -> None:
    level = Level.V5
    aliased = encode(Publish(b"a", b"x", properties=Properties(topic_alias=1)), level)
    reader, batch = PublishReader(level, 262_144), Batch()
    assert reader.read(aliased, 0, batch) == 0
    assert batch.fresh == []
    reader.read(encode(Publish(b"a", b"x"), level), 0, batch)
    assert batch.fresh == [b"a"]


@pytest.mark.parametrize(
    ("level", "packet"),
    [
        (Level.V3, "32 09 0003 612f62 0000 6869"),
        (Level.V3, "32 04 0003 6162"),
        (Level.V3, "30 04 0009 6162"),
        (Level.V5, "30 05 0003 612f62"),
        (Level.V5, "30 87 00 0003 612f62 00 68"),
        (Level.V3, "38 07 0003 612f62 6869"),
    ],
)
def test_a_faulty_packet_ends_bulk_reading_and_the_connection(level: Level, packet: str) -> None:
    rig = Rig()
    device = rig.connected(level)
    good = encode(Publish(b"a/b", b"1"), level)
    device.send_bytes(good + bytes.fromhex(packet) + good)
    assert [each.payload for each in rig.messages] == [b"1"]
    assert device.closed


def test_a_partial_packet_costs_linear_work() -> None:
    rig = Rig()
    device = rig.connected(Level.V3)
    data = encode(Publish(b"a", b"x" * 250_000, 1, 1), Level.V3)
    for start in range(0, len(data), 100):
        device.connection.received(data[start : start + 100])
    assert len(rig.messages[0].payload) == 250_000
