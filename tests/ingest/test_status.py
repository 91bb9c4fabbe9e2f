"""What ingest tells about itself while the store stands still."""

from ingest.log.shards import Shards
from ingest.seams import Applied
from ingest.status import StatusBoard


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_store_that_does_not_answer_is_said_so_until_it_does() -> None:
    clock, shards = Hand(), Shards(1)
    board = StatusBoard(clock)
    board.started()
    board.store_asked()
    clock.now_s += 4.0
    board.look(shards)
    assert board.status.words == "not connected yet"
    board.log_ready()
    clock.now_s += 56.0
    board.look(shards)
    assert board.status.store == "busy"
    assert board.status.words == "the store has had a batch for 60 s: is its disk slow?"
    board.store_answered()
    board.applied(Applied({0: 1}, 1, 1, 0, 0.0, 60.0))
    board.look(shards)
    assert (board.status.store, board.status.words) == ("ready", "")


def test_a_refusal_stays_said_between_two_attempts() -> None:
    clock = Hand()
    board = StatusBoard(clock)
    board.log_ready()
    board.store_asked()
    board.store_busy("duckdb cannot write now: disk full; retry in 1 s")
    board.store_answered()
    clock.now_s += 60.0
    board.look(Shards(1))
    assert board.status.words.startswith("duckdb cannot write now")
