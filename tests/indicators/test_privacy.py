"""What the public gets of personal data: section 15e, one vector after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from indicators.contracts.model import Privacy
from indicators.privacy import CELL, Cell, may_leave, outward
from indicators.release import STEP_US, Release, current, released
from indicators.results import Finding, Stored
from indicators.rows import ResultRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from indicators.civil import Grain
    from indicators.rows import NullReason

COUNTS = Privacy("counts", 10)
HOMES = Privacy("households", 10, 0.5)
HOUR_US = 3_600_000_000
DAY = (0, 24 * HOUR_US)
# A figure that stays; one that is no news.
SUPPRESSED = "suppressed"
Shown = float | str | None


def row(
    area: str, value: float | None, window: tuple[int, int] = DAY, revision: int = 1
) -> ResultRow:
    reason: NullReason | None = "incomplete" if value is None else None
    return ResultRow(
        indicator="active.bike.count", version="1.0.0", area=area, start_us=window[0],
        end_us=window[1], tz="UTC", value=value, unrounded=value, band=None, main_input=None,
        completeness=1.0, n_used=1, n_expected=1, state="final", revision=revision, reason=reason,
        computed_us=0,
    )  # fmt: skip


def stored(  # noqa: PLR0913 - a revision has so much to say
    area: str,
    value: float | None,
    within: str = "",
    *,
    step: int = 1,
    meters: int = 1,
    largest: float | None = None,
    window: tuple[int, int] = DAY,
    grain: Grain = "day",
    revision: int = 1,
) -> Stored:
    most = (value or 0.0) if largest is None else largest
    cell = {
        "contributors": meters, "largest": most, "part_of": within.split("+") if within else []
    }  # fmt: skip
    told = row(area, value, window, revision)
    told = ResultRow(
        **{name: getattr(told, name) for name in told.__struct_fields__ if name != "computed_us"},
        computed_us=step * STEP_US - 1,
    )
    return Stored(0, Finding(told, grain, 0, lineage={CELL: cell}), None)


def public(
    privacy: Privacy, figures: Sequence[Stored], at_us: int = 1 << 60, grain: Grain = "day"
) -> dict[str, Shown]:
    """Return what is public of each area's figures of a grain."""
    releases = released(privacy, ("hour", "day", "month"), figures)
    return {key[0]: shown(releases, key, at_us) for key in wanted(figures, grain)}


def wanted(figures: Sequence[Stored], grain: Grain) -> list[tuple[str, int, int]]:
    rows = [each.finding.row for each in figures if each.finding.grain == grain]
    return [(each.area, each.start_us, each.end_us) for each in rows]


def shown(
    releases: Mapping[tuple[str, int, int], Sequence[Release]],
    key: tuple[str, int, int],
    at_us: int,
) -> Shown:
    found = current(releases, key, at_us)
    if found is None:
        return "nothing"
    return found.value if found.value is not None else found.reason


@pytest.mark.parametrize(
    ("count", "expected"),
    [(9, None), (10, 10), (13, 15), (0, 0), (1, None), (12, 10), (12.5, 15)],
)
def test_counts_below_ten_stay_and_the_others_are_rounded_to_five(
    count: float, expected: float | None
) -> None:
    figure, cell = row("place:a", count), Cell(1, count, ())
    leaves = may_leave(COUNTS, "hour", figure, cell)
    assert (outward(COUNTS, figure).value if leaves else None) == expected
    assert outward(COUNTS, figure).unrounded is None


@pytest.mark.parametrize(
    ("meters", "largest", "grain", "leaves"),
    [
        (12, 55.0, "day", False),
        (12, 50.0, "day", True),
        (9, 20.0, "day", False),
        (10, 20.0, "month", True),
        (10, 20.0, "hour", False),
    ],
)
def test_water_of_households_needs_ten_meters_none_above_half_and_a_day(
    meters: int, largest: float, grain: Literal["hour", "day", "month"], *, leaves: bool
) -> None:
    figure = row("district:old", 100.0)
    assert may_leave(HOMES, grain, figure, Cell(meters, largest, ())) is leaves


def test_what_nobody_knows_the_makers_of_stays_and_so_do_providers() -> None:
    assert not may_leave(COUNTS, "day", row("city", 500), None)
    assert not may_leave(COUNTS, "day", row("provider:acme", 500), Cell(3, 200, ()))
    assert may_leave(COUNTS, "day", row("city", None), None)


def test_the_next_smallest_stays_too_so_that_nothing_can_be_subtracted_out() -> None:
    figures = [stored("city", 56)] + [
        stored(f"district:{name}", count, "city")
        for name, count in (("a", 40), ("b", 12), ("c", 4))
    ]
    assert public(COUNTS, figures) == {
        "city": 55, "district:a": 40, "district:b": SUPPRESSED, "district:c": SUPPRESSED,
    }  # fmt: skip


def test_hidden_parts_are_ten_together_and_what_is_inside_of_them_is_hidden_too() -> None:
    figures = [
        stored("city", 79),
        stored("place:a", 40, "city"),
        stored("place:b", 33, "city"),
        stored("place:c", 3, "city"),
        stored("place:d", 3, "city"),
        stored("device:x/b1", 33, "place:b"),
    ]  # fmt: skip
    assert public(COUNTS, figures) == {
        "city": 80, "place:a": 40, "place:b": SUPPRESSED, "place:c": SUPPRESSED,
        "place:d": SUPPRESSED, "device:x/b1": SUPPRESSED,
    }  # fmt: skip


def test_a_total_gives_way_where_its_parts_are_public_already() -> None:
    parts = [stored("place:a", 40, "city"), stored("place:b", 12, "city")]
    figures = [*parts, stored("place:c", 4, "city"), stored("city", 56, step=2)]
    found = public(COUNTS, figures)
    assert (found["city"], found["place:a"], found["place:c"]) == (SUPPRESSED, 40, SUPPRESSED)


def test_a_part_that_comes_after_its_total_stays() -> None:
    figures = [stored("city", 56), stored("place:a", 40, "city", step=2)]
    assert public(COUNTS, figures) == {"city": 55, "place:a": SUPPRESSED}


def test_a_day_with_one_hidden_hour_gives_way() -> None:
    hours = [
        stored("city", count, window=(at * HOUR_US, (at + 1) * HOUR_US), grain="hour")
        for at, count in enumerate((30, 4, 22))
    ]
    assert public(COUNTS, [*hours, stored("city", 56, step=2)])["city"] == SUPPRESSED
    more = stored("city", 8, window=(3 * HOUR_US, 4 * HOUR_US), grain="hour")
    assert public(COUNTS, [*hours, more, stored("city", 64, step=2)])["city"] == 65


def test_hidden_days_of_the_same_nine_meters_are_no_more_than_nine_meters() -> None:
    days = [
        stored("city", 10.0, meters=meters, largest=1.0, window=(at * DAY[1], (at + 1) * DAY[1]))
        for at, meters in enumerate((12, 9, 9))
    ]
    month = stored("city", 30.0, meters=12, largest=3.0, window=(0, 31 * DAY[1]), grain="month")
    assert public(HOMES, [*days, month], grain="month")["city"] == SUPPRESSED


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (12, 15, 10),
        (12, 22, 20),
        (19, 28, 20),
        (100, 103, 105),
        (25, 4, SUPPRESSED),
        (12, 4, 10),
        (9, 40, SUPPRESSED),
        (None, 13, 15),
    ],
)
def test_a_restatement_near_the_limit_is_public_if_ten_or_more_changed(
    first: float | None, second: float, expected: Shown
) -> None:
    figures = [stored("city", first), stored("city", second, step=2, revision=2)]
    assert public(COUNTS, figures)["city"] == expected


def test_small_changes_add_up_until_they_are_ten() -> None:
    counts = (12, 15, 18, 21, 24)
    figures = [
        stored("city", count, step=at, revision=at) for at, count in enumerate(counts, start=1)
    ]
    seen = [public(COUNTS, figures, at * STEP_US)["city"] for at in (0, 1, 2, 3, 4, 5)]
    assert seen == ["nothing", 10, 10, 10, 10, 25]


def test_one_late_meter_is_not_the_difference_of_two_published_sums() -> None:
    first = stored("city", 40.0, meters=30, largest=3.0)
    late = stored("city", 41.3, meters=31, largest=3.0, step=2, revision=2)
    many = stored("city", 60.0, meters=42, largest=3.0, step=3, revision=3)
    assert public(HOMES, [first, late])["city"] == 40.0
    assert public(HOMES, [first, late, many])["city"] == 60.0


def test_a_hidden_figure_says_so_and_nothing_else() -> None:
    (told,) = released(COUNTS, ("day",), [stored("city", 7)])[("city", *DAY)]
    assert (told.row.value, told.row.unrounded, told.row.reason) == (None, None, SUPPRESSED)
    (zero,) = released(COUNTS, ("day",), [stored("city", 0)])[("city", *DAY)]
    (lacking,) = released(COUNTS, ("day",), [stored("city", None)])[("city", *DAY)]
    assert (zero.row.value, lacking.row.reason) == (0, "incomplete")
