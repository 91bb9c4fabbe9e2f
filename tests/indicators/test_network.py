"""What has come of what should have: slots of an interval, numbers of messages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from indicators.civil import Window
from indicators.formulas.network import REORDERED, availability, delivery

MINUTE_US = 60_000_000
DAY = Window(0, 1_440 * MINUTE_US)


def test_vector_1422_of_1440_slots() -> None:
    found = availability([n * MINUTE_US for n in range(1_422)], MINUTE_US, DAY)
    assert (found.used, found.expected, found.completeness) == (1_422, 1_440, 0.9875)


def test_vector_two_messages_in_one_slot_and_an_empty_one() -> None:
    found = availability([0, 1], MINUTE_US, Window(0, 2 * MINUTE_US))
    assert found.completeness == 0.5


def test_maintenance_has_no_slots() -> None:
    pauses = ((0, 720 * MINUTE_US),)
    found = availability([n * MINUTE_US for n in range(1_440)], MINUTE_US, DAY, pauses)
    assert (found.used, found.expected) == (720, 720)


def test_vector_numbers_5_6_8_8() -> None:
    found = delivery([5, 6, 8, 8])
    assert found is not None
    assert (found.received, found.missing, found.share) == (3, 1, 3 / 4)
    assert delivery([]) is None


def test_a_device_that_counts_anew_misses_nothing_between() -> None:
    found = delivery([100, 101, 103, 0, 1, 2])
    assert found is not None
    assert (found.received, found.missing, found.restarts) == (6, 1, 1)


@given(
    st.lists(st.integers(0, 10_000), min_size=1, max_size=60, unique=True),
    st.integers(0, 50),
    st.randoms(use_true_random=False),
)
def test_duplicates_and_small_changes_of_place_change_nothing(
    sent: list[int], doubled: int, chance: object
) -> None:
    numbers = sorted(sent)
    wanted = delivery(numbers)
    assert wanted is not None
    assert (wanted.received, wanted.restarts) == (len(numbers), 0)
    again = numbers[doubled % len(numbers)]
    assert delivery(sorted([*numbers, again])) == wanted
    at = doubled % len(numbers)
    swapped = [*numbers[:at], *reversed(numbers[at : at + 2]), *numbers[at + 2 :]]
    near = len(numbers) < at + 2 or numbers[at + 1] - numbers[at] <= REORDERED
    assert not near or delivery(swapped) == wanted
