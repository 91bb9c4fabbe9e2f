"""Places become a district by the contract's rule, and too few of them are said to be few."""

import msgspec
import pytest

from indicators.contracts import load
from indicators.rows import Mark, ResultRow
from indicators.spatial import of_district, of_place

AIR = load().get("air.aqi.us.pm25", "2024.1.0")
NOISE = load().get("noise.lden", "1.0.0")


def row(value: float | None, *marks: Mark) -> ResultRow:
    return ResultRow(
        indicator=AIR.id, version=AIR.version, area="place:a", start_us=0, end_us=1, tz="UTC",
        value=value, unrounded=None, band=None if value is None else f"band of {value}",
        main_input=None, completeness=0.5 if value is None else 0.9, n_used=12, n_expected=24,
        state="final", revision=1, reason="incomplete" if value is None else None, computed_us=0,
        marks=marks,
    )  # fmt: skip


def test_a_district_has_the_air_of_its_worst_place() -> None:
    found = of_district(AIR, [row(51), row(102), row(None), row(50)])
    assert (found.value, found.band, found.marks) == (102, "band of 102", ())


@pytest.mark.parametrize("values", [[51], [51, 40]])
def test_fewer_than_three_places_are_marked(values: list[float]) -> None:
    found = of_district(AIR, [*map(row, values), row(None)])
    assert (found.value, found.marks) == (51, ("few_sites",))


def test_marks_of_what_was_compared_are_kept() -> None:
    rows = [row(649, "beyond_aqi", "retrospective"), row(50, "suspect_included"), row(20)]
    assert of_district(AIR, rows).marks == ("suspect_included", "beyond_aqi")


def test_without_a_valid_place_there_is_no_number() -> None:
    assert of_district(AIR, []).reason == "min_sites"
    found = of_district(AIR, [row(None)])
    assert (found.value, found.reason, found.completeness) == (None, "min_sites", 0.5)
    assert of_place(AIR, [row(None)]).reason == "incomplete"


def test_noise_of_a_district_is_no_level() -> None:
    rows = [msgspec.structs.replace(row(60), indicator=NOISE.id)] * 3
    assert of_district(NOISE, rows).reason == "not_applicable"
    assert of_district(NOISE, rows[:2]).reason == "min_sites"
    assert of_place(NOISE, rows[:1]).value == 60
    assert of_place(NOISE, rows[:2]).reason == "not_applicable"


def test_a_place_of_several_devices_is_not_few() -> None:
    assert of_place(AIR, [row(51), row(40)]).marks == ()


def test_a_concentration_of_a_district_is_the_median_of_three_places_or_none() -> None:
    mean = load().get("air.mean.pm25", "1.0.0")
    rows = [
        msgspec.structs.replace(row(value), unrounded=value + 0.04) for value in (10, 20.25, 40)
    ]
    found = of_district(mean, rows)
    assert (found.value, found.unrounded, found.n_used) == (20.3, 20.29, 36)
    assert of_district(mean, rows[:2]).reason == "min_sites"
    # Two devices at one place are enough.
    assert of_place(mean, rows[:2]).value == 15.2


def test_a_sum_says_when_a_part_of_it_is_missing() -> None:
    volume = load().get("traffic.volume", "1.0.0")
    lanes = [msgspec.structs.replace(row(value), unrounded=value) for value in (120, 80)]
    assert (of_place(volume, lanes).value, of_place(volume, lanes).marks) == (200, ())
    found = of_place(volume, [lanes[0], row(None)])
    assert (found.value, found.marks, found.n_used, found.n_expected) == (
        120, ("at_least",), 24, 48
    )  # fmt: skip
    estimated = msgspec.structs.replace(lanes[1], marks=("estimated", "retrospective"))
    assert of_district(volume, [lanes[0], estimated]).marks == ("estimated", "few_sites")
