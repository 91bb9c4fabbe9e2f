"""Any packet that can be written is read back; any bytes are read or refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.rig import packets_in
from gateway.mqtt.encode import encode
from gateway.mqtt.packets import (
    Ack,
    Connect,
    Kind,
    Packet,
    Publish,
    Subscribe,
    Subscription,
    Will,
)
from gateway.mqtt.primitives import Cursor, encode_varint
from gateway.mqtt.properties import Properties
from gateway.mqtt.reasons import Level, MqttError

V3, V5 = Level.V3, Level.V5


@given(st.integers(0, 268_435_455))
def test_lengths_round_trip(value: int) -> None:
    data = encode_varint(value)
    cursor = Cursor(data, 0, len(data))
    assert cursor.varint() == value
    assert not cursor.left


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
topics = texts.filter(lambda text: text and not set(text) & set("+#")).map(str.encode)
numbers = st.integers(1, 65_535)
long_numbers = st.integers(0, 2**32 - 1)
message_properties = st.builds(
    Properties,
    payload_format=st.none() | st.integers(0, 1),
    message_expiry_s=st.none() | long_numbers,
    content_type=st.none() | texts,
    response_topic=st.none() | topics.map(bytes.decode),
    correlation_data=st.none() | st.binary(max_size=20),
    user_properties=st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
)
connects = st.builds(
    Connect,
    level=st.just(V5),
    client=texts.map(str.encode),
    clean=st.booleans(),
    keep_alive_s=st.integers(0, 65_535),
    user=st.none() | texts,
    password=st.none() | st.binary(max_size=20),
    will=st.none()
    | st.builds(
        Will, topics, st.binary(max_size=20), st.integers(0, 2), st.booleans(), message_properties
    ),
    properties=st.builds(
        Properties,
        session_expiry_s=st.none() | long_numbers,
        receive_maximum=st.none() | numbers,
        maximum_packet_size=st.none() | st.integers(1, 2**32 - 1),
        topic_alias_maximum=st.none() | numbers,
        request_problem_information=st.none() | st.integers(0, 1),
    ),
)
publishes = st.builds(
    Publish,
    topics,
    st.binary(max_size=300),
    st.just(1),
    numbers,
    st.booleans(),
    st.booleans(),
    message_properties,
)
acks = st.builds(
    Ack,
    st.sampled_from([Kind.PUBREL, Kind.PUBCOMP]),
    numbers,
    st.sampled_from([0x00, 0x92]),
    st.builds(Properties, reason_string=st.none() | texts),
)
subscribes = st.builds(
    Subscribe,
    numbers,
    st.lists(st.builds(Subscription, topics, st.integers(0, 2)), min_size=1).map(tuple),
    st.builds(Properties, subscription_identifiers=st.just(()) | st.tuples(st.integers(1, 99))),
)


@pytest.mark.property
@given(connects | publishes | acks | subscribes)
def test_packets_of_5_round_trip(packet: Packet) -> None:
    assert packets_in(encode(packet, V5), V5) == [packet]


@pytest.mark.property
@given(st.sampled_from(list(Level)), st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(level: Level, body: bytes) -> None:
    for first in range(0, 256, 3):
        data = bytes((first,)) + encode_varint(len(body)) + body
        with contextlib.suppress(MqttError):
            packets_in(data, level)
