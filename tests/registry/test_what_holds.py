"""What holds for a device: its own words, its place's, its profile's, and where it stands."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.scope import EVERYTHING, Scope
from registry.errors import InvalidFactError, NotThereError
from registry.geography import Outlines
from registry.records import (
    AuditQuery,
    CalibrationDraft,
    DeviceDraft,
    DeviceQuery,
    DistrictDraft,
    PlaceDraft,
    ProfileDraft,
    QuantityLimits,
)
from registry.registry import Registry

BY = "a test"


def square(west: float, south: float, size: float = 1.0) -> dict[str, Any]:
    east, north = west + size, south + size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


WEST, EAST = DistrictDraft("west", square(8, 47)), DistrictDraft("east", square(9, 47))


def district_of(registry: Registry, device: str) -> str | None:
    """Return the district that people, ingest and indicators see, which is one."""
    told = {each.id: each.district for each in registry.changes(0).devices}
    sites = {each.device: each.district for each in registry.sites.all().sites}
    shown = registry.devices.get(EVERYTHING, "acme", device).in_district
    assert told[device] == sites[device] == shown
    return shown


def test_a_district_follows_from_the_position_unless_somebody_said_it(registry: Registry) -> None:
    registry.districts.put(BY, [WEST, EAST])
    registry.places.create(BY, PlaceDraft("corner", lat=47.5, lon=9.5))
    for draft in (
        DeviceDraft("acme", "own", lat=47.5, lon=8.5),
        DeviceDraft("acme", "said", lat=47.5, lon=8.5, district="north"),
        DeviceDraft("acme", "placed", place="corner"),
        DeviceDraft("acme", "outside", lat=10.0, lon=8.5),
    ):
        registry.devices.create(BY, draft)
    found = {name: district_of(registry, name) for name in ("own", "said", "placed", "outside")}
    assert found == {"own": "west", "said": "north", "placed": "east", "outside": None}
    page = registry.devices.page(EVERYTHING, DeviceQuery(district="east"))
    assert [each.id for each in page] == ["placed"]
    registry.devices.change(BY, EVERYTHING, ("acme", "own"), {"lon": 9.5})
    assert district_of(registry, "own") == "east"


def test_new_outlines_move_what_stands_there_and_tell_ingest_only_of_that(
    registry: Registry,
) -> None:
    registry.places.create(BY, PlaceDraft("corner", lat=47.5, lon=9.5))
    registry.devices.create(BY, DeviceDraft("acme", "own", lat=47.5, lon=8.5))
    registry.devices.create(BY, DeviceDraft("acme", "placed", place="corner"))
    registry.devices.create(BY, DeviceDraft("acme", "nowhere"))
    before = registry.changes(0).revision
    assert registry.districts.put(BY, [WEST, EAST]).created == 2
    assert {each.id for each in registry.changes(before).devices} == {"own", "placed"}
    assert (district_of(registry, "own"), district_of(registry, "placed")) == ("west", "east")
    before = registry.changes(0).revision
    assert registry.districts.put(BY, [WEST, EAST]).unchanged == 2
    assert registry.changes(before).complete
    assert not registry.changes(before).devices
    registry.districts.remove(BY, "east")
    assert district_of(registry, "placed") is None
    assert [each.action for each in registry.audit.page(AuditQuery(limit=2))] == [
        "district.removed",
        "districts.imported",
    ]


@pytest.mark.parametrize(
    ("geometry", "words"),
    [
        ({"type": "Point", "coordinates": [8, 47]}, "none of Polygon"),
        ({"type": "Polygon", "coordinates": [[[8, 47], [9, 47]]]}, "cannot be read"),
        ({"type": "Polygon", "coordinates": []}, "no coordinates"),
        ({"type": "Polygon"}, "cannot be read"),
        (square(2_680_000, 1_250_000), "no degrees"),
        (
            {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]},
            "rings cross",
        ),
    ],
)
def test_an_outline_that_is_none_is_refused_and_nothing_of_the_file_is_taken(
    registry: Registry, geometry: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidFactError, match=words) as refused:
        registry.districts.put(BY, [WEST, DistrictDraft("odd", geometry)])
    assert "odd" in str(refused.value)
    assert registry.districts.all() == []


@pytest.mark.property
@given(st.lists(st.tuples(st.floats(46, 49), st.floats(7, 11)), max_size=20))
def test_many_positions_are_found_as_one_by_one(positions: list[tuple[float, float]]) -> None:
    outlines = Outlines({"west": square(8, 47), "east": square(9, 47)})
    expected = [
        ("east" if 9 <= lon <= 10 else "west" if 8 <= lon <= 9 else None)
        if 47 <= lat <= 48
        else None
        for lat, lon in positions
    ]
    assert outlines.districts(positions) == expected


def test_what_a_device_does_not_say_its_profile_says_and_ingest_follows(registry: Registry) -> None:
    limits = {"pm2_5": QuantityLimits(unit="ug/m3", sensor_max=1000.0)}
    registry.profiles.create(
        BY, ProfileDraft("sds011", kind="air", expected_interval_s=150.0, quantities=limits)
    )
    registry.devices.create(BY, DeviceDraft("acme", "a", profile="sds011"))
    registry.devices.create(
        BY, DeviceDraft("acme", "b", profile="sds011", kind="dust", expected_interval_s=60.0)
    )

    def told(since: int = 0) -> dict[str, tuple[str, float | None]]:
        devices = registry.changes(since).devices
        return {each.id: (each.kind, each.expected_interval_s) for each in devices}

    assert told() == {"a": ("air", 150.0), "b": ("dust", 60.0)}
    before = registry.changes(0).revision
    registry.profiles.change(BY, "sds011", {"expected_interval_s": 300.0})
    assert told(before) == {"a": ("air", 300.0), "b": ("dust", 60.0)}
    assert registry.profiles.get("sds011").quantities == limits
    with pytest.raises(InvalidFactError, match="acme/a"):
        registry.profiles.remove(BY, "sds011")
    with pytest.raises(NotThereError, match="profile 'unheard'"):
        registry.devices.create(BY, DeviceDraft("acme", "c", profile="unheard"))


@pytest.mark.parametrize(
    ("quantity", "limits", "words"),
    [
        ("PM 2.5", QuantityLimits(), "no quantity"),
        ("pm2_5", QuantityLimits(unit="smoots"), "no unit"),
        ("pm2_5", QuantityLimits(sensor_min=5.0, sensor_max=1.0), "sensor_min"),
    ],
)
def test_limits_that_cannot_be_are_refused(
    registry: Registry, quantity: str, limits: QuantityLimits, words: str
) -> None:
    with pytest.raises(InvalidFactError, match=words):
        registry.profiles.create(BY, ProfileDraft("odd", quantities={quantity: limits}))


def test_of_two_calibrations_one_is_valid_at_a_time(registry: Registry) -> None:
    registry.devices.create(BY, DeviceDraft("acme", "a"))
    first = CalibrationDraft("acme", "a", "pm2_5", 100, 200, factor=1.2, note="against station 4")
    made = registry.calibrations.create(BY, first)
    registry.calibrations.create(BY, CalibrationDraft("acme", "a", "pm2_5", 200, offset=-3.0))
    for overlapping in (
        CalibrationDraft("acme", "a", "pm2_5", 150, 160),
        CalibrationDraft("acme", "a", "pm2_5", 50, 101),
        CalibrationDraft("acme", "a", "pm2_5", 500),
    ):
        with pytest.raises(InvalidFactError, match="remove it first"):
            registry.calibrations.create(BY, overlapping)
    registry.calibrations.create(BY, CalibrationDraft("acme", "a", "pm10", 150, 160))
    with pytest.raises(NotThereError):
        registry.calibrations.remove(BY, Scope(frozenset({"other"})), made.id)
    registry.calibrations.remove(BY, EVERYTHING, made.id)
    left = registry.calibrations.page(EVERYTHING, ("acme", "a"), after=0, limit=10)
    assert [each.quantity for each in left] == ["pm2_5", "pm10"]
    assert registry.audit.page(AuditQuery(limit=1))[0].action == "calibration.removed"
    with pytest.raises(NotThereError):
        registry.calibrations.create(BY, CalibrationDraft("acme", "unheard", "pm10", 150))
