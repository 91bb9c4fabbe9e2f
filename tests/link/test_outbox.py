"""What goes to the log when: one frame in flight a shard, again until it is acknowledged."""

import pytest

from city.filling import SealedFrame
from city.gateway_state import LogState
from link.outbox import ANSWER_TIMEOUT_S, LAST_RETRY_S, SLOW_S, Outbox


def frame(shard: int, number: int) -> SealedFrame:
    return SealedFrame(shard, b"data", f"g-1-{shard}-{number}", number, 1, 0, 10, [])


def sent_at(outbox: Outbox, now_s: float) -> list[str]:
    """Send what is due; return which frames those were."""
    ids: list[str] = []
    for lane, each in outbox.due(now_s):
        outbox.sent(lane, now_s)
        ids.append(each.message_id)
    return ids


@pytest.fixture
def outbox() -> Outbox:
    made = Outbox(shards=4)
    made.connected()
    return made


def test_frames_of_a_shard_go_one_by_one_and_shards_do_not_wait_for_each_other(
    outbox: Outbox,
) -> None:
    for shard, number in [(0, 1), (0, 2), (1, 1)]:
        outbox.put(frame(shard, number))
    assert sent_at(outbox, 1.0) == ["g-1-0-1", "g-1-1-1"]
    assert sent_at(outbox, 1.1) == []
    done = outbox.acknowledged(0, 0)
    assert done is not None
    assert done.message_id == "g-1-0-1"
    assert sent_at(outbox, 1.2) == ["g-1-0-2"]


def test_a_second_answer_to_a_frame_that_was_sent_twice_is_ignored(outbox: Outbox) -> None:
    outbox.put(frame(0, 1))
    sent_at(outbox, 1.0)
    assert outbox.acknowledged(0, 0) is not None
    outbox.put(frame(0, 2))
    assert outbox.acknowledged(0, 0) is None
    assert not outbox.empty


def test_a_frame_without_an_answer_goes_again_and_is_counted(outbox: Outbox) -> None:
    outbox.put(frame(0, 1))
    sent_at(outbox, 1.0)
    assert sent_at(outbox, 1.0 + ANSWER_TIMEOUT_S - 0.1) == []
    assert sent_at(outbox, 1.0 + ANSWER_TIMEOUT_S) == ["g-1-0-1"]
    assert (outbox.frames, outbox.resends) == (2, 1)


def test_a_new_connection_sends_everything_that_has_no_answer(outbox: Outbox) -> None:
    outbox.put(frame(0, 1))
    sent_at(outbox, 1.0)
    outbox.disconnected("no connection to the log")
    assert outbox.condition(1.1).state is LogState.AWAY
    outbox.connected()
    assert sent_at(outbox, 1.2) == ["g-1-0-1"]


def test_a_refused_frame_goes_again_soon_and_then_more_slowly(outbox: Outbox) -> None:
    outbox.put(frame(0, 1))
    now_s, waits = 1.0, list[float]()
    for _ in range(6):
        sent_at(outbox, now_s)
        outbox.refused(0, 0, "maximum bytes exceeded", now_s)
        due_s = outbox.next_due_s()
        assert due_s is not None
        waits.append(due_s - now_s)
        now_s = due_s
    assert waits == sorted(waits)
    assert waits[-1] == pytest.approx(LAST_RETRY_S)
    condition = outbox.condition(now_s)
    assert condition.state is LogState.FULL
    assert "maximum bytes exceeded" in condition.words


def test_a_log_that_does_not_answer_is_slow_and_one_that_does_is_ready(outbox: Outbox) -> None:
    outbox.put(frame(0, 1))
    sent_at(outbox, 1.0)
    states = [outbox.condition(now_s).state for now_s in (1.1, 1.1 + SLOW_S)]
    outbox.acknowledged(0, 0)
    states.append(outbox.condition(2.2).state)
    assert states == [LogState.READY, LogState.SLOW, LogState.READY]
