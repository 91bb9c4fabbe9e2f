"""States hold until the next report and no longer than they may; ratios are of sums."""

from datetime import date
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.civil import Window, windows
from indicators.columns import observations
from indicators.compute import from_observations, from_rows
from indicators.contracts import load
from indicators.contracts.model import Contract
from indicators.formulas.asked import Asked
from indicators.formulas.held import held
from indicators.rows import Outcome, ResultRow
from indicators.spatial import of_district, of_place

UTC = ZoneInfo("UTC")
DAY = date(2025, 6, 2)
OCCUPANCY = load().get("parking.occupancy", "1.0.0")
AVAILABLE = load().get("parking.available", "1.0.0")
REPORTS = st.lists(
    st.tuples(st.integers(-60, 120), st.integers(0, 9)), max_size=12, unique_by=lambda pair: pair[0]
)
PAUSES = st.sampled_from([(), ((10, 25),), ((-5, 3), (40, 61))])


@given(one=REPORTS, other=REPORTS, holds=st.tuples(st.integers(1, 50), st.integers(1, 50)),
       pauses=PAUSES)  # fmt: skip
def test_each_instant_has_the_newest_state_that_still_holds(
    one: list[tuple[int, int]],
    other: list[tuple[int, int]],
    holds: tuple[int, int],
    pauses: tuple[tuple[int, int], ...],
) -> None:
    series = [
        observations([t for t, _ in each], [v for _, v in each], interval_us=1, pauses=pauses)
        for each in (one, other)
    ]
    found = held(series, Window(0, 60), holds)
    seen = {
        at: tuple(states)
        for start, end, states in zip(found.start_us, found.end_us, found.state.T, strict=True)
        for at in range(start, end)
    }
    wanted: dict[int, tuple[int, ...]] = {}
    for at in range(60):
        newest = [max((t for t, _ in each if t <= at), default=None) for each in (one, other)]
        worked_on = any(start <= at < end for start, end in pauses)
        states = [
            dict(each)[t]
            for each, t, hold in zip((one, other), newest, holds, strict=True)
            if t is not None and at < t + hold
        ]
        if len(states) == 2 and not worked_on:
            wanted[at] = tuple(states)
    assert seen == wanted
    assert found.known_us == len(wanted)


def ratio(numerator: float, denominator: float, start_us: int = 0, end_us: int = 1) -> ResultRow:
    value = 100 * numerator / denominator
    return ResultRow(
        indicator=OCCUPANCY.id, version="1.0.0", area="place:a", start_us=start_us, end_us=end_us,
        tz="UTC", value=round(value, 1), unrounded=value, band=None, main_input=None,
        completeness=1, n_used=1, n_expected=1, state="final", revision=1, reason=None,
        computed_us=0, numerator=numerator, denominator=denominator,
    )  # fmt: skip


def nothing(reason: str) -> ResultRow:
    row = msgspec.structs.replace(
        ratio(0, 1), value=None, unrounded=None, numerator=None, denominator=None, n_used=0
    )
    return msgspec.convert({**msgspec.structs.asdict(row), "reason": reason}, ResultRow)


def test_a_district_has_the_ratio_of_the_sums_and_not_the_mean_of_ratios() -> None:
    found = of_district(OCCUPANCY, [ratio(9, 10), ratio(10, 100)])
    assert (found.value, found.unrounded) == (17.3, pytest.approx(100 * 19 / 110))
    assert (found.numerator, found.denominator, found.marks) == (19, 110, ("few_sites",))
    assert of_place(OCCUPANCY, [ratio(9, 10), ratio(10, 100)]).unrounded == found.unrounded
    alone = of_place(OCCUPANCY, [ratio(9, 10), nothing("incomplete")])
    assert (alone.value, alone.numerator, alone.denominator) == (90, 9, 10)


def test_a_place_of_places_is_the_same_in_any_order_of_adding() -> None:
    inner = of_place(OCCUPANCY, [ratio(9, 10), ratio(10, 100)])
    row = msgspec.structs.replace(ratio(inner.numerator or 0, inner.denominator or 0))
    found = of_district(OCCUPANCY, [row, ratio(5, 50)])
    assert found.unrounded == of_district(
        OCCUPANCY, [ratio(9, 10), ratio(10, 100), ratio(5, 50)]
    ).unrounded  # fmt: skip


def test_a_month_has_the_ratio_of_its_days_sums() -> None:
    monthly = msgspec.structs.replace(
        OCCUPANCY, grains=("day", "month"), completeness={"day": 0.75, "month": 0.75}
    )
    month = next(windows("month", date(2025, 6, 1), date(2025, 6, 1), UTC))
    days = [*windows("day", date(2025, 6, 1), date(2025, 6, 30), UTC)]
    rows = [ratio(9, 10, days[0].start_us, days[0].end_us)]
    rows += [ratio(10, 100, day.start_us, day.end_us) for day in days[1:25]]
    rows += [
        msgspec.structs.replace(nothing("not_applicable"), start_us=d.start_us, end_us=d.end_us)
        for d in days[25:28]
    ]
    found = from_rows(Asked(monthly, "month", month, UTC), rows)
    assert (found.numerator, found.denominator) == (249, 2410)
    assert (found.value, found.n_used, found.n_expected) == (10.3, 28, 30)
    short = from_rows(Asked(monthly, "month", month, UTC), rows[:22])
    assert (short.value, short.reason) == (None, "incomplete")


def test_a_car_park_without_bays_is_left_out_and_lacks_nowhere() -> None:
    rows = [ratio(9, 10), nothing("not_applicable"), ratio(10, 100)]
    assert of_district(OCCUPANCY, rows).denominator == 110
    free = [msgspec.structs.replace(ratio(1, 1), value=each, unrounded=each) for each in (7.0, 8.0)]
    found = of_district(AVAILABLE, [*free, nothing("not_applicable")])
    assert (found.value, found.marks) == (15, ("few_sites",))
    lacking = of_district(AVAILABLE, [*free, nothing("incomplete")])
    assert (lacking.value, lacking.marks) == (15, ("at_least", "few_sites"))


def computed(
    contract: Contract, minutes: list[int], free: list[float], total: list[float],
    pauses: tuple[tuple[int, int], ...] = (),
) -> Outcome:  # fmt: skip
    """Compute the hour from 00:00 of reports at minutes of it; devices report each 15 minutes."""
    hour = next(windows("hour", DAY, DAY, UTC))
    times = [hour.start_us + each * 60_000_000 for each in minutes]
    out = tuple((hour.start_us + a * 60_000_000, hour.start_us + b * 60_000_000) for a, b in pauses)
    series = [
        observations(times, values, interval_us=900_000_000, pauses=out) for values in (free, total)
    ]
    return from_observations(Asked(contract, "hour", hour, UTC), *series)


def test_a_report_holds_for_four_intervals() -> None:
    assert computed(OCCUPANCY, [-15], [5], [20]).completeness == 0.75
    late = computed(OCCUPANCY, [-16], [5], [20])
    assert (late.value, late.reason) == (None, "incomplete")
    assert computed(AVAILABLE, [1], [5], [20]).value == 5
    assert computed(AVAILABLE, [-1], [5], [20]).reason == "incomplete"


def test_what_is_out_of_service_leaves_both_sums() -> None:
    worked_on = computed(OCCUPANCY, [30], [5], [20], pauses=((0, 30),))
    assert (worked_on.denominator, worked_on.completeness) == (20 * 1_800, 1)
    opened = computed(OCCUPANCY, [0, 45], [0, 5], [0, 20])
    assert (opened.value, opened.denominator, opened.completeness) == (75, 20 * 900, 1)
    closed = computed(OCCUPANCY, [-20], [0], [0])
    assert (closed.value, closed.reason) == (None, "not_applicable")
    assert computed(OCCUPANCY, [], [], []).reason == "incomplete"
