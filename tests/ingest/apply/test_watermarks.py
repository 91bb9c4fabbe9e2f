"""Duplicates, conflicts and late arrivals against a plain reference, over any cut into batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.apply.rows import Row, rows_of
from ingest.apply.watermarks import Verdict, Watermarks
from store.interface import OBSERVATION_SCHEMA

if TYPE_CHECKING:
    from ingest.apply.rows import Rows

pytestmark = pytest.mark.property

SENT = st.tuples(
    st.integers(0, 3), st.integers(-2, 4), st.sampled_from([0.0, -0.0, 1.5, "true", '"x"'])
)
BATCHES = st.lists(st.lists(SENT, max_size=12), max_size=6)


class Shelf:
    """What the store holds, as tables; the questions of `store.interface.Store` that are asked."""

    def __init__(self) -> None:
        self.first: list[pa.Table] = [OBSERVATION_SCHEMA.empty_table()]
        self.others: list[pa.Table] = [OBSERVATION_SCHEMA.empty_table()]

    def put(self, rows: Rows, verdicts: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> None:
        self.first.append(rows.table(verdicts == Verdict.STORED))
        self.others.append(rows.table(verdicts == Verdict.CONFLICT))

    def watermarks(self) -> pa.Table:
        newest: dict[int, dict[str, object]] = {}
        for row in pa.concat_tables(self.first).to_pylist():
            if row["time_us"] >= newest.get(row["series"], row)["time_us"]:
                newest[row["series"]] = row
        return pa.Table.from_pylist(list(newest.values()), OBSERVATION_SCHEMA)

    def find(self, late: pa.Table) -> pa.Table:
        return self._at(self.first, late)

    def find_conflicts(self, late: pa.Table) -> pa.Table:
        return self._at(self.others, late)

    def _at(self, tables: list[pa.Table], late: pa.Table) -> pa.Table:
        asked = {(row["series"], row["time_us"]) for row in late.to_pylist()}
        rows = pa.concat_tables(tables).to_pylist()
        found = [row for row in rows if (row["series"], row["time_us"]) in asked]
        return pa.Table.from_pylist(found, OBSERVATION_SCHEMA)


@example(batches=[[(0, 0, 1.5)], [(0, 1, 1.5), (0, 0, 1.5)]], restart=False)
@given(batches=BATCHES, restart=st.booleans())
def test_any_cut_gives_what_one_look_at_a_time_gives(
    batches: list[list[tuple[int, int, float | str]]], *, restart: bool
) -> None:
    shelf = Shelf()
    marks = Watermarks(shelf)  # pyright: ignore[reportArgumentType] - the part of it that is asked
    expected: list[Verdict] = []
    found: list[int] = []
    first: dict[tuple[int, int], object] = {}
    seen: set[tuple[int, int, object]] = set()
    for batch in batches:
        rows = rows_of([_row(at, *sent) for at, sent in enumerate(batch)])
        verdicts = marks.judge(rows)
        shelf.put(rows, verdicts)
        found += verdicts.tolist()
        expected += [_reference(sent, first, seen) for sent in batch]
        if restart:
            marks = Watermarks(shelf)  # pyright: ignore[reportArgumentType] - same
    assert found == expected


def _row(at: int, series: int, time_us: int, value: float | str) -> Row:
    other = value if isinstance(value, str) else None
    return Row(
        message=at,
        series=series,
        time_us=time_us,
        value=None if isinstance(value, str) else value,
        flag=2,
        received_us=0,
        end_us=None,
        other=other,
        metadata=None,
    )


def _reference(
    sent: tuple[int, int, float | str],
    first: dict[tuple[int, int], object],
    seen: set[tuple[int, int, object]],
) -> Verdict:
    series, time_us, value = sent
    known = first.setdefault((series, time_us), value)
    if sent in seen:
        return Verdict.DUPLICATE
    seen.add(sent)
    return Verdict.STORED if known == value else Verdict.CONFLICT
