"""Water of homes through the API: ten meters, none above half, and never one late meter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from city.clock import SimulatedClock
from indicators.release import STEP_US
from registry.records import DeviceDraft, PlaceDraft
from store.interface import Batch, Series

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa
    from conftest import City

pytestmark = pytest.mark.live

WATER = "/v1/indicators/water.consumption"
# 2026-03-10 00:00 in Madrid.
DAY_US = 1_773_097_200_000_000
HOUR_US = 3_600_000_000
DAY = "2026-03-10"
DAYS = {"from": DAY, "to": DAY, "grain": "day"}
Meters = dict[str, tuple[str, float]]


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(DAY_US + 48 * HOUR_US)


@pytest.fixture
def used(
    city: City, idle: Batch, rows: Callable[..., pa.Table], clock: SimulatedClock
) -> Callable[[Meters], None]:
    """Return a function that lets meters (place, use in m3) measure a day, and computes it."""
    known: list[str] = []

    def use(meters: Meters) -> None:
        for meter, (place, amount) in meters.items():
            number = len(known)
            known.append(meter)
            if place not in {each.name for each in city.registry.places.page(after=None, limit=9)}:
                city.registry.places.create("a test", PlaceDraft(place, district="old"))
            draft = DeviceDraft(
                "acme", meter, kind="meter", place=place, expected_interval_s=3_600.0
            )
            city.registry.devices.create("a test", draft)
            series = Series(number, "acme", meter, "volume", "m3", "number")
            values = [(DAY_US + hour * HOUR_US, amount * hour / 24) for hour in range(25)]
            batch = msgspec.structs.replace(
                idle, observations=rows(*values, series=number), series=[series]
            )
            city.apply(batch)
        body = {**DAYS, "cause": "late_data"}
        assert city.admin.post(f"{WATER}/compute", json=body).status_code == 200
        clock.advance(2 * STEP_US)

    return use


def public(city: City) -> dict[str, float | str]:
    found = city.api.get(f"{WATER}/values", params=DAYS).json()["values"]
    return {each["area"]: each["reason"] or each["value"] for each in found}


def test_ten_homes_are_published_and_no_home_and_no_small_block_is(
    city: City, used: Callable[[Meters], None]
) -> None:
    blocks = {f"a{at}": ("tower", 1.0) for at in range(10)}
    used({**blocks, **{f"b{at}": ("cottages", 2.0) for at in range(3)}})
    found = public(city)
    assert (found["city"], found["district:old"]) == (16.0, 16.0)
    assert found["place:cottages"] == found["place:tower"] == "suppressed"
    assert {each for area, each in found.items() if area.startswith("device:")} == {"suppressed"}


def test_a_home_that_uses_more_than_half_hides_the_sum(
    city: City, used: Callable[[Meters], None]
) -> None:
    used({**{f"a{at}": ("tower", 1.0) for at in range(11)}, "pool": ("tower", 13.0)})
    assert set(public(city).values()) == {"suppressed"}


def test_what_one_late_meter_used_is_not_the_difference_of_two_published_sums(
    city: City, used: Callable[[Meters], None]
) -> None:
    used({f"a{at}": ("tower", 1.0) for at in range(12)})
    assert public(city)["city"] == 12.0
    used({"late": ("tower", 3.0)})
    assert public(city)["city"] == 12.0
    answer = city.admin.get(f"{WATER}/values", params={**DAYS, "area": "city"})
    assert answer.json()["values"][0]["value"] == 15.0


def test_a_home_without_enough_data_is_incomplete_and_not_suppressed(
    city: City, used: Callable[[Meters], None], idle: Batch
) -> None:
    city.registry.places.create("a test", PlaceDraft("tower", district="old"))
    draft = DeviceDraft("acme", "silent", kind="meter", place="tower", expected_interval_s=3_600.0)
    city.registry.devices.create("a test", draft)
    series = Series(99, "acme", "silent", "volume", "m3", "number")
    city.apply(msgspec.structs.replace(idle, series=[series]))
    used({"a1": ("tower", 1.0)})
    found = public(city)
    assert found["device:acme/silent"] == "incomplete"
    assert found["device:acme/a1"] == "suppressed"
