"""Pauses take their time from a window and from a wait, whatever their order."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.pauses import END_US, due_after, merged_pauses, overlap_us

SPANS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda each: (each[0], sum(each)))
)


@pytest.mark.property
@given(SPANS, st.integers(0, 60), st.integers(0, 60))
def test_an_overlap_is_what_is_paused_of_each_instant(
    spans: list[tuple[int, int]], start: int, length: int
) -> None:
    pauses = merged_pauses(spans)
    inside = [any(a <= at < b for a, b in spans) for at in range(start, start + length)]
    assert overlap_us(pauses, start, start + length) == sum(inside)
    assert all(b < c for (_, b), (c, _) in itertools.pairwise(pauses))


@pytest.mark.property
@given(SPANS, st.integers(0, 60), st.integers(1, 40))
def test_a_wait_is_over_once_so_much_unpaused_time_is_gone(
    spans: list[tuple[int, int]], start: int, wait: int
) -> None:
    pauses = merged_pauses(spans)
    due = due_after(pauses, start, wait)
    assert due - start - overlap_us(pauses, start, due) == wait


def test_a_pause_until_further_notice_never_ends() -> None:
    assert due_after(((5, END_US),), 3, 10) > END_US - 10
    assert due_after(((50, END_US),), 3, 10) == 13
