"""Packets are those of the specifications, read back by an independent decoder."""

import mqtt5
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.packets import (
    ConnectFields,
    Version,
    as_duplicate,
    connect_packet,
    packet_ids,
    publish_packet,
    variable_integer,
)

TOPICS = st.text(st.characters(codec="ascii", exclude_characters="+#\0"), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("fields", "golden"),
    [
        (ConnectFields("d1", keep_alive_s=60, clean=True), "100e00044d51545404 02 003c 00026431"),
        (
            ConnectFields("d1", keep_alive_s=0, user="u", password="p"),  # noqa: S106
            "101400044d51545404 c0 0000 00026431 000175 000170",
        ),
        (
            ConnectFields("d1", version=5, keep_alive_s=10, clean=True),
            "100f00044d51545405 02 000a 00 00026431",
        ),
    ],
)
def test_a_connect_packet_has_the_golden_bytes(fields: ConnectFields, golden: str) -> None:
    assert connect_packet(fields) == bytes.fromhex(golden)


@pytest.mark.parametrize(
    ("qos", "version", "golden"),
    [
        (0, 4, "3007 0003 612f62 6869"),
        (1, 4, "3209 0003 612f62 0001 6869"),
        (0, 5, "3008 0003 612f62 00 6869"),
        (1, 5, "320a 0003 612f62 0001 00 6869"),
    ],
)
def test_a_publish_packet_has_the_golden_bytes(qos: int, version: Version, golden: str) -> None:
    middle = packet_ids(1, qos=qos, version=version)[0]
    assert publish_packet(b"a/b", b"hi", middle, version=version) == bytes.fromhex(golden)


@pytest.mark.parametrize(
    ("value", "golden"),
    [(0, "00"), (127, "7f"), (128, "8001"), (16_383, "ff7f"), (268_435_455, "ffffff7f")],
)
def test_lengths_are_written_as_the_specification_shows(value: int, golden: str) -> None:
    assert variable_integer(value) == bytes.fromhex(golden)


def test_a_duplicate_differs_in_one_bit_only() -> None:
    packet = publish_packet(b"a", b"x", packet_ids(1, qos=1, version=4)[0], version=4)
    assert as_duplicate(packet) == bytes((packet[0] | 8,)) + packet[1:]


@pytest.mark.property
@given(TOPICS, st.binary(max_size=300), st.integers(1, 65_535), st.booleans())
def test_another_decoder_reads_what_was_written(
    topic: str, payload: bytes, number: int, duplicate: bool
) -> None:
    middle = packet_ids(65_535, qos=1, version=5)[number - 1]
    packet = publish_packet(topic.encode(), payload, middle, version=5)
    read, size = mqtt5.read(memoryview(as_duplicate(packet) if duplicate else packet))
    assert isinstance(read, mqtt5.PublishPacket)
    assert (read.topic, read.payload, read.packet_id) == (topic, payload, number)
    assert (read.duplicate, size) == (duplicate, len(packet))


def test_another_decoder_reads_the_introduction() -> None:
    fields = ConnectFields("d1", version=5, keep_alive_s=30, user="acme", password="secret")  # noqa: S106
    read, _ = mqtt5.read(memoryview(connect_packet(fields)))
    assert isinstance(read, mqtt5.ConnectPacket)
    assert (read.client_id, read.username, read.password) == ("d1", "acme", b"secret")
    assert (read.keep_alive, read.clean_start, read.session_expiry_interval) == (30, False, 3600)
