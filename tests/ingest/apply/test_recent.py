"""Keys of messages without a time: packed, they answer as a queue of them does."""

import tracemalloc
from collections import defaultdict, deque
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from city.frame import Door, RecordFlag
from ingest.apply.recent import KEPT, Repetition, TimelessMessages
from ingest.apply.stretch import Message
from store.interface import RecentKey

DEVICES = 200
# More than the keys themselves, and far less than an object for each of them.
BYTES_A_DEVICE = 16 * KEPT


def _message(payload: bytes, flags: int = 0) -> Message:
    return Message(
        place=0,
        id="0-1-0",
        origin=0,
        shard=0,
        minute_us=0,
        topic="t",
        payload=payload,
        flags=flags,
        received_us=0,
        client="c",
        content_type="",
        door=Door.ENDPOINT,
    )


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 80), st.booleans()), max_size=300))
def test_it_answers_as_a_queue_of_payloads_does(sent: list[tuple[str, int, bool]]) -> None:
    """Also behind the last 64 of a device, and by device."""
    remembered = TimelessMessages(())
    plain = defaultdict[str, deque[int]](lambda: deque(maxlen=KEPT))
    for device, number, again in sent:
        flags = RecordFlag.DUP if again else 0
        found = remembered.look(_message(b"%d" % number, flags), "acme", device, None)
        if again and number in plain[device]:
            assert found is Repetition.DUPLICATE
            continue
        plain[device].append(number)
        assert found is (Repetition.POSSIBLE if again else Repetition.NEW)


def test_the_65th_message_pushes_the_first_one_out() -> None:
    """The last 64 of a device are looked at, as the store keeps them."""
    remembered = TimelessMessages(())
    for number in range(KEPT + 1):
        remembered.look(_message(b"%d" % number), "acme", "meter", None)
    second, first = (_message(b"%d" % each, RecordFlag.DUP) for each in (1, 0))
    assert remembered.look(second, "acme", "meter", None) is Repetition.DUPLICATE
    assert remembered.look(first, "acme", "meter", None) is Repetition.POSSIBLE


def test_keys_that_were_stored_are_known_after_a_restart() -> None:
    """What one process has added, the next one takes from the store."""
    before = TimelessMessages(())
    before.look(_message(b"x"), "acme", "meter", None)
    before.look(_message(b"y"), "acme", "meter", "id-7")
    after = TimelessMessages(before.take_added())
    again = _message(b"x", RecordFlag.DUP)
    assert after.look(again, "acme", "meter", None) is Repetition.DUPLICATE
    assert after.look(_message(b"z"), "acme", "meter", "id-7") is Repetition.DUPLICATE


def test_a_key_across_two_others_is_not_taken_for_one() -> None:
    """The end of one key and the start of the next are the bytes of a third one."""
    message = _message(b"x", RecordFlag.DUP)
    sought = TimelessMessages(())
    sought.look(message, "acme", "meter", None)
    key = sought.take_added()[0].key.to_bytes(8, "little")
    pair = b"\x01\x02\x03" + key + b"\x04\x05\x06\x07\x08"
    halves = (int.from_bytes(each, "little") for each in (pair[:8], pair[8:]))
    known = TimelessMessages(RecentKey("acme", "meter", each, 0) for each in halves)
    assert known.look(message, "acme", "meter", None) is Repetition.POSSIBLE


def test_a_device_costs_little_more_than_its_keys() -> None:
    """However long it sends."""

    def keys() -> Iterator[RecentKey]:
        for number in range(DEVICES * KEPT * 2):
            key = (number * 0x9E3779B97F4A7C15) % 2**64
            yield RecentKey("acme", f"meter-{number % DEVICES}", key, 0)

    tracemalloc.start()
    try:
        kept = TimelessMessages(keys())
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used / DEVICES < BYTES_A_DEVICE, f"{used / DEVICES:.0f} bytes a device"
    assert kept.take_added() == []
