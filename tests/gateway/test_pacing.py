"""Pacing: who sends slowly is read at once, who sends fast is read once a beat, nothing is lost."""

import asyncio
from collections.abc import Callable
from unittest.mock import Mock

import pytest

from gateway.pacing import LONG_READ_BYTES, READ_OUT_S, Pacer
from gateway.server_socket import DeviceSocket, Reception

BEAT_S = 0.02


class Beats:
    """A clock, and what is to be called when."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.due: list[tuple[float, Callable[[], None]]] = []
        self.read_outs: list[float] = []

    def read_out(self) -> None:
        self.read_outs.append(self.now_s)

    def later(self, wait_s: float, work: Callable[[], None]) -> None:
        self.due.append((self.now_s + wait_s, work))

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        ripe = [each for each in self.due if each[0] <= self.now_s]
        self.due = [each for each in self.due if each[0] > self.now_s]
        for _, work in ripe:
            work()


class Transport(asyncio.Transport):
    """What a transport is told about reading."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 5)})
        self.reading = True
        self.closing = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        assert self.reading, "paused twice"
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading, "resumed twice"
        self.reading = True


@pytest.fixture
def beats() -> Beats:
    return Beats()


@pytest.fixture
def pacer(beats: Beats) -> Pacer:
    return Pacer(BEAT_S, lambda: beats.now_s, beats.later, beats.read_out)


@pytest.fixture
def transport() -> Transport:
    return Transport()


@pytest.fixture
def socket(transport: Transport) -> DeviceSocket:
    made = DeviceSocket(Mock(spec=Reception, **{"arrived.return_value": 1.0}))
    made.connection_made(transport)
    return made


def test_who_sends_slowly_is_always_read(
    beats: Beats, pacer: Pacer, socket: DeviceSocket, transport: Transport
) -> None:
    for _ in range(5):
        pacer.read(socket, 150)
        assert transport.reading
        beats.wait(2 * BEAT_S)
    assert not beats.due


def test_who_sends_fast_is_read_once_a_beat(
    beats: Beats, pacer: Pacer, socket: DeviceSocket, transport: Transport
) -> None:
    pacer.read(socket, 150)
    beats.wait(BEAT_S / 10)
    pacer.read(socket, 150)
    for _ in range(5):
        assert not transport.reading
        beats.wait(BEAT_S)
        assert transport.reading
        # What had gathered is there at once, so the next look is a beat away.
        pacer.read(socket, 600)
    beats.wait(BEAT_S)
    beats.wait(2 * BEAT_S)
    pacer.read(socket, 150)
    assert transport.reading


def test_what_a_beat_brought_has_waited_already(
    beats: Beats, pacer: Pacer, socket: DeviceSocket
) -> None:
    pacer.read(socket, 150)
    pacer.read(socket, 150)
    beats.wait(BEAT_S)
    assert beats.read_outs == []
    beats.wait(READ_OUT_S)
    assert beats.read_outs == [beats.now_s]


def test_a_long_read_is_worth_its_call(
    beats: Beats, pacer: Pacer, socket: DeviceSocket, transport: Transport
) -> None:
    pacer.read(socket, LONG_READ_BYTES)
    pacer.read(socket, LONG_READ_BYTES)
    assert transport.reading
    assert not beats.due


def test_reading_needs_both_the_beat_and_the_backlog(
    beats: Beats, pacer: Pacer, socket: DeviceSocket, transport: Transport
) -> None:
    for _ in range(2):
        pacer.read(socket, 150)
    socket.pause_reading()
    beats.wait(BEAT_S)
    assert not transport.reading
    socket.resume_reading()
    assert transport.reading
    socket.pause_reading()
    pacer.read(socket, 150)
    socket.resume_reading()
    assert not transport.reading
    beats.wait(BEAT_S)
    assert transport.reading


def test_who_is_gone_is_not_read_again(
    beats: Beats, pacer: Pacer, socket: DeviceSocket, transport: Transport
) -> None:
    for _ in range(2):
        pacer.read(socket, 150)
    transport.closing = True
    beats.wait(BEAT_S)
    assert not transport.reading
