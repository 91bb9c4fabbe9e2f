"""Touched hours are the set of pairs that a loop over the rows finds."""

from __future__ import annotations

from collections import defaultdict

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from indicators.touched import HOUR_US, Touched
from store.interface import OBSERVATION_SCHEMA

DAY_US = 24 * HOUR_US
SERIES = st.integers(0, 2**31 - 1)
ROWS = st.lists(st.tuples(SERIES | st.integers(0, 3), st.integers(0, 60_000 * DAY_US)), max_size=50)


def touched(rows: list[tuple[int, int]], until_us: int) -> Touched:
    table = pa.table(
        {
            "series": pa.array([row[0] for row in rows], OBSERVATION_SCHEMA.field("series").type),
            "time_us": pa.array([row[1] for row in rows], OBSERVATION_SCHEMA.field("time_us").type),
        }
    )
    return Touched.before(table, until_us)


def expected(rows: list[tuple[int, int]], until_us: int) -> dict[int, list[int]]:
    hours: defaultdict[int, set[int]] = defaultdict(set)
    for series, time_us in rows:
        if time_us < until_us:
            hours[series].add(time_us // HOUR_US * HOUR_US)
    return {series: sorted(each) for series, each in hours.items()}


@given(rows=ROWS, until_us=st.integers(0, 60_000 * DAY_US))
def test_each_series_has_the_hours_of_what_is_older(
    rows: list[tuple[int, int]], until_us: int
) -> None:
    found = touched(rows, until_us)
    wanted = expected(rows, until_us)
    assert found.by_series(row[0] for row in rows) == wanted
    assert len(found) == sum(map(len, wanted.values()))


@given(first=ROWS, second=ROWS)
def test_kept_ones_are_merged(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> None:
    until_us = 60_001 * DAY_US
    kept = [touched(rows, until_us).keep() for rows in (first, second)]
    rows = first + second
    merged = Touched.merged(kept)
    assert merged.by_series(row[0] for row in rows) == expected(rows, until_us)


def test_series_that_nobody_wants_are_left_out() -> None:
    found = touched([(1, 0), (2, HOUR_US), (3, 0)], DAY_US)
    assert found.by_series([2, 7]) == {2: [HOUR_US]}
    assert Touched.merged(()).by_series([2]) == {}
