"""Whatever is counted, whenever it comes: nothing below the gate leaves or can be worked out."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from indicators.contracts.model import Privacy
from indicators.privacy import CELL
from indicators.release import STEP_US, current, released
from indicators.results import Finding, Stored
from indicators.rows import ResultRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from indicators.civil import Grain

COUNTS = Privacy("counts", 10)
HOUR_US = 3_600_000_000
HOURS = 3
WHOLE = (0, HOURS * HOUR_US)
# Places by district; one stands in none.
PLACES = {
    "place:a": "district:n", "place:b": "district:n", "place:c": "district:n",
    "place:d": "district:s", "place:e": "district:s", "place:f": "city",
}  # fmt: skip
PARENT = {**PLACES, "district:n": "city", "district:s": "city"}
Key = tuple[str, int, int]
Table = dict[Key, int]


def whole_city(places: Mapping[str, Sequence[int]]) -> Table:
    """Return every figure of some hours and of the day, from the counts of places."""
    found: Table = {}
    for place, counts in places.items():
        for at, count in enumerate(counts):
            area: str | None = place
            while area is not None:
                for start_us, end_us in ((at * HOUR_US, (at + 1) * HOUR_US), WHOLE):
                    key = (area, start_us, end_us)
                    found[key] = found.get(key, 0) + count
                area = PARENT.get(area)
    return found


def revision(key: Key, count: int, step: int, number: int = 1) -> Stored:
    area, start_us, end_us = key
    grain: Grain = "day" if (start_us, end_us) == WHOLE else "hour"
    row = ResultRow(
        indicator="active.ped.count", version="1.0.0", area=area, start_us=start_us, end_us=end_us,
        tz="UTC", value=float(count), unrounded=float(count), band=None, main_input=None,
        completeness=1.0, n_used=1, n_expected=1, state="final", revision=number, reason=None,
        computed_us=step * STEP_US - 1,
    )  # fmt: skip
    part_of = [PARENT[area]] if area in PARENT else []
    cell = {"contributors": 1, "largest": count, "part_of": part_of}
    return Stored(0, Finding(row, grain, -9 * STEP_US, lineage={CELL: cell}), None)


def equations(table: Table) -> list[dict[Key, int]]:
    """Return what adds up to what: each sums to nothing."""
    found: list[dict[Key, int]] = []
    for total in table:
        area, start_us, end_us = total
        inside = [
            (name, start_us, end_us)
            for name, parent in PARENT.items()
            if parent == area and (name, start_us, end_us) in table
        ]
        if inside:
            found.append({total: -1, **dict.fromkeys(inside, 1)})
        if (start_us, end_us) == WHOLE:
            hours = [(area, at * HOUR_US, (at + 1) * HOUR_US) for at in range(HOURS)]
            found.append({total: -1, **dict.fromkeys(hours, 1)})
    return found


def worked_out(table: Table, hidden: set[Key]) -> set[Key]:
    """Return the hidden figures that follow from exact shown ones: by elimination."""
    order = sorted(hidden)
    rows = [[Fraction(each.get(key, 0)) for key in order] for each in equations(table)]
    told: set[Key] = set()
    first = 0
    for column in range(len(order)):
        pivot = next((at for at in range(first, len(rows)) if rows[at][column]), None)
        if pivot is None:
            continue
        rows[first], rows[pivot] = rows[pivot], rows[first]
        lead = rows[first][column]
        rows[first] = [each / lead for each in rows[first]]
        for at, other in enumerate(rows):
            if at != first and other[column]:
                factor = other[column]
                rows[at] = [x - factor * y for x, y in zip(other, rows[first], strict=True)]
        first += 1
    for row in rows:
        if sum(bool(each) for each in row) == 1:
            told.add(order[next(at for at, each in enumerate(row) if each)])
    return told


places = st.fixed_dictionaries(
    {name: st.lists(st.integers(0, 40), min_size=HOURS, max_size=HOURS) for name in PLACES}
)


def hidden_of(table: Table, steps: Mapping[Key, int]) -> set[Key]:
    """Return the figures that are not public in the end."""
    revisions = [revision(key, count, steps[key]) for key, count in table.items()]
    releases = released(COUNTS, ("hour", "day"), revisions)
    shown = {key: current(releases, key, 1 << 60) for key in table}
    return {key for key, row in shown.items() if row is None or row.value is None}


@settings(max_examples=300, deadline=None)
@given(places, st.permutations(range(HOURS)), st.sampled_from((-1, HOURS)))
def test_no_hidden_count_can_be_worked_out_of_all_that_is_public(
    counted: dict[str, list[int]], order: list[int], day: int
) -> None:
    """The areas of a window are public together, the hours in any order, the day first or last."""
    table = whole_city(counted)
    steps = {key: day if key[1:] == WHOLE else order[key[1] // HOUR_US] for key in table}
    told = worked_out(table, hidden_of(table, steps))
    assert not {key for key in told if 0 < table[key] < COUNTS.k}


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(whole_city(dict.fromkeys(PLACES, [1] * HOURS)))),
            st.integers(0, 60),
            st.integers(1, 5),
        ),
        max_size=40,
    )
)
def test_nothing_below_ten_leaves_and_what_was_published_stays_so(
    history: list[tuple[Key, int, int]],
) -> None:
    ordered = sorted(history, key=lambda each: each[2])
    revisions: list[Stored] = []
    numbers: dict[Key, int] = {}
    for key, count, step in ordered:
        numbers[key] = numbers.get(key, 0) + 1
        revisions.append(revision(key, count, step, numbers[key]))
    whole = released(COUNTS, ("hour", "day"), revisions)
    for row in (each.row for found in whole.values() for each in found):
        assert row.unrounded is None
        assert row.value is None or row.value == 0 or row.value >= COUNTS.k
        assert row.value is None or row.value % 5 == 0
        assert (row.reason == "suppressed") is (row.value is None)
    # Asked of an archive before more came, it was the same.
    for step in range(1, 6):
        until = [each for each in revisions if each.finding.row.computed_us <= step * STEP_US]
        then = released(COUNTS, ("hour", "day"), until)
        for key in numbers:
            assert current(then, key, step * STEP_US) == current(whole, key, step * STEP_US)
