"""A connection's window under answers that a good server does not give."""

import asyncio
from time import perf_counter
from typing import cast

import mqtt5
import pytest

from loadtest.connection import Connection, ConnectionRole
from loadtest.packets import packet_ids

CONNACK = b"\x20\x03\x00\x00\x00"


class Wire:
    """The other end of a connection: only what it was given, and whether it was broken off."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.broken_off = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def abort(self) -> None:
        self.broken_off = True


@pytest.fixture
def role() -> ConnectionRole:
    return ConnectionRole(packet_ids(3, qos=1, version=5), qos=1, version=5, step_s=None)


def opened(role: ConnectionRole, connack: bytes = CONNACK) -> tuple[Connection, Wire]:
    wire = Wire()
    connection = Connection(role, b"hello", lambda _, middle: b"\x32" + middle)
    connection.connection_made(cast("asyncio.Transport", wire))
    connection.data_received(connack)
    return connection, wire


def test_only_messages_that_are_in_flight_can_be_acknowledged(role: ConnectionRole) -> None:
    connection, _ = opened(role)
    connection.due = 1
    connection.pump(0.0)
    (number,) = connection.unacknowledged()
    connection.data_received(b"\x40\x02\x00\x00\x40\x02\x00\x07\x40\x02\xff\xff\x40\x02\x00\x01")
    assert number == 0
    assert (role.scores.acked, role.scores.unexpected) == (0, 4)
    connection.data_received(b"\x40\x02\x00\x03")
    assert role.scores.acked == 1
    assert connection.unacknowledged() == []


def test_a_refused_message_is_named_and_never_sent_again(role: ConnectionRole) -> None:
    connection, wire = opened(role)
    connection.due = 2
    connection.pump(0.0)
    connection.data_received(b"\x40\x03\x00\x03\x87\x40\x03\x00\x00\x87\x40\x03\x09\x09\x87")
    assert connection.refusals == [0]
    assert (role.scores.refused, role.scores.unexpected) == (1, 2)
    connection.connection_lost(None)
    connection.connection_made(cast("asyncio.Transport", wire))
    connection.data_received(CONNACK)
    assert role.scores.resent == 1
    assert connection.unacknowledged() == [1]
    # The same packet with the DUP flag.
    assert wire.written[-1] == b"\x3a" + role.middles[1]


def test_a_window_is_no_wider_than_the_server_allows(role: ConnectionRole) -> None:
    wire = Wire()
    connection = Connection(role, b"hello", lambda _, middle: middle)
    connection.connection_made(cast("asyncio.Transport", wire))
    connection.due = 9
    connection.data_received(mqtt5.ConnAckPacket(receive_max=2).write())
    assert connection.next == 2
    connection.data_received(b"\x40\x02\x00\x01")
    assert connection.next == 3


def test_latency_counts_from_when_a_message_was_due() -> None:
    role = ConnectionRole(packet_ids(1, qos=1, version=4), qos=1, version=4, step_s=2.0)
    connection, _ = opened(role, b"\x20\x02\x00\x00")
    connection.first_due_s = perf_counter() - 60.0
    connection.due = 3
    connection.pump(perf_counter())
    for _ in range(3):
        connection.data_received(b"\x40\x02\x00\x01")
    assert role.scores.latency.seconds == pytest.approx([60.0, 58.0, 56.0], abs=0.5)
    assert max(role.scores.service.seconds) < 0.5


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"\x20\x03\x00\x87\x00", "connection refused with reason 0x87"),
        (b"\xe0\x02\x8e\x00", "disconnected with reason 0x8e"),
        (b"\x30\x02\x00\x00", "packet type 3"),
    ],
)
def test_a_refusal_ends_the_connection_and_is_remembered(
    role: ConnectionRole, answer: bytes, words: str
) -> None:
    connection, wire = opened(role)
    connection.data_received(answer)
    assert wire.broken_off
    assert words in role.scores.last_refusal
    assert connection.is_attached


def test_nothing_is_sent_before_the_server_lets_it_in(role: ConnectionRole) -> None:
    wire = Wire()
    connection = Connection(role, b"hello", lambda _, middle: middle)
    connection.connection_made(cast("asyncio.Transport", wire))
    connection.due = 3
    connection.pump(0.0)
    assert wire.written == [b"hello"]
    connection.data_received(CONNACK)
    assert connection.next == 3
