"""Confirmations: one write a connection, and one connection's fault is nobody else's."""

from collections.abc import Callable
from typing import Protocol

import pytest

from city.backlog import Backlog
from city.clock import SimulatedClock
from city.filling import SealedFrame, Waiting
from city.intake import Publisher
from link.confirmer import Confirmer

START_US = 1_772_619_330_000_000


class Recording(Publisher, Protocol):
    """What the `new_publisher` fixture makes."""

    acknowledgements: list[bytes]
    size_bytes: int


class Broken:
    """A connection with a defect."""

    def confirmed(self, acknowledgements: bytes, size_bytes: int) -> None:
        raise RuntimeError("a defect")


def frame(shard: int, *waiting: Waiting) -> SealedFrame:
    return SealedFrame(shard, b"data", "id", 1, 1, START_US, 50, [*waiting])


@pytest.fixture
def backlog() -> Backlog:
    made = Backlog(1_000)
    made.hold(100)
    return made


def test_frames_that_were_answered_together_make_one_write_a_connection(
    backlog: Backlog, new_publisher: Callable[[], Recording]
) -> None:
    turns: list[Callable[[], None]] = []
    clock = SimulatedClock(START_US)
    confirmer = Confirmer(backlog, clock, turns.append)
    first, second = new_publisher(), new_publisher()
    confirmer.confirm(frame(0, Waiting(first, [b"1", b"2"], 10), Waiting(second, [b"3"], 5)))
    confirmer.confirm(frame(1, Waiting(first, [b"4"], 7)))
    assert (first.acknowledgements, len(turns)) == ([], 1)
    clock.advance(30_000)
    turns[0]()
    assert first.acknowledgements == [b"124"]
    assert second.acknowledgements == [b"3"]
    assert (first.size_bytes, second.size_bytes) == (17, 5)
    assert (backlog.held_bytes, confirmer.latency_s) == (0, 0.03)


def test_a_connection_with_a_defect_keeps_nobody_waiting(
    backlog: Backlog, new_publisher: Callable[[], Recording]
) -> None:
    confirmer = Confirmer(backlog, SimulatedClock(START_US), lambda _: None)
    fine = new_publisher()
    confirmer.confirm(frame(0, Waiting(Broken(), [b"1"], 1), Waiting(fine, [b"2"], 2)))
    confirmer.flush()
    assert fine.acknowledgements == [b"2"]
    assert backlog.held_bytes == 50
