"""Devices: accepted once, named without doubt, seen by whom they belong to."""

from typing import Any

import msgspec
import pytest

from city.scope import EVERYTHING, Scope
from registry.errors import (
    AlreadyThereError,
    AmbiguousDeviceError,
    InvalidFactError,
    NotThereError,
)
from registry.records import AuditQuery, DeviceDraft, DeviceQuery, ImportResult
from registry.registry import Registry

ACME = Scope(frozenset({"acme"}))


def statuses(registry: Registry) -> dict[str, str]:
    page = registry.devices.page(EVERYTHING, DeviceQuery())
    return {f"{each.provider}/{each.id}": each.status for each in page}


def test_accepting_twice_changes_nothing(registry: Registry) -> None:
    assert registry.accept([("acme", "a"), ("acme", "b"), ("acme", "a")]) == 2
    revision = registry.changes(0).newest
    assert registry.accept([("acme", "a"), ("acme", "b")]) == 0
    assert registry.changes(0).newest == revision
    assert len(registry.audit.page(AuditQuery(subject="2 devices"))) == 1


def test_accepting_makes_pending_devices_active_and_keeps_the_retired(registry: Registry) -> None:
    registry.devices.create("a test", DeviceDraft("acme", "waits", kind="air", status="pending"))
    registry.devices.create("a test", DeviceDraft("acme", "gone", status="retired"))
    assert registry.accept([("acme", "waits"), ("acme", "gone"), ("acme", "new")]) == 2
    assert statuses(registry) == {
        "acme/gone": "retired",
        "acme/new": "active",
        "acme/waits": "active",
    }
    assert registry.devices.get(EVERYTHING, "acme", "waits").kind == "air"


def test_one_name_that_cannot_be_accepts_none(registry: Registry) -> None:
    with pytest.raises(InvalidFactError) as refused:
        registry.accept([("acme", "good"), ("acme", "no/good")])
    assert refused.value.field == "id"
    assert statuses(registry) == {}


def test_a_bare_id_is_enough_where_one_provider_has_it(registry: Registry) -> None:
    registry.accept([("acme", "a"), ("other", "b")])
    assert registry.devices.find(EVERYTHING, "a").provider == "acme"
    registry.accept([("other", "a")])
    with pytest.raises(AmbiguousDeviceError) as doubtful:
        registry.devices.find(EVERYTHING, "a")
    assert doubtful.value.providers == ("acme", "other")
    assert registry.devices.find(EVERYTHING, "other/a").provider == "other"
    assert registry.devices.find(ACME, "a").provider == "acme"


def test_a_scope_hides_the_devices_of_others(registry: Registry) -> None:
    registry.accept([("acme", "a"), ("other", "b")])
    assert [each.id for each in registry.devices.page(ACME, DeviceQuery())] == ["a"]
    assert registry.devices.counts(ACME).active == 1
    for read in (
        lambda: registry.devices.get(ACME, "other", "b"),
        lambda: registry.devices.find(ACME, "b"),
        lambda: registry.devices.change("a test", ACME, ("other", "b"), {"name": "x"}),
    ):
        with pytest.raises(NotThereError):
            read()


def test_importing_says_what_became_of_each(registry: Registry) -> None:
    drafts = [DeviceDraft("acme", f"d-{n}", kind="air") for n in range(3)]
    assert registry.devices.put("a test", drafts) == ImportResult(3, 0, 0)
    changed = DeviceDraft("acme", "d-1", kind="noise")
    mixed = [drafts[0], changed, DeviceDraft("acme", "d-9")]
    assert registry.devices.put("a test", mixed) == ImportResult(1, 1, 1)
    assert registry.devices.get(EVERYTHING, "acme", "d-1").kind == "noise"


def test_an_import_with_an_unknown_place_changes_nothing(registry: Registry) -> None:
    drafts = [DeviceDraft("acme", "a"), DeviceDraft("acme", "b", place="nowhere")]
    with pytest.raises(NotThereError) as missing:
        registry.devices.put("a test", drafts)
    assert (missing.value.kind, missing.value.name) == ("place", "nowhere")
    assert statuses(registry) == {}


def test_the_same_device_is_not_registered_twice(registry: Registry) -> None:
    registry.devices.create("a test", DeviceDraft("acme", "a"))
    with pytest.raises(AlreadyThereError):
        registry.devices.create("a test", DeviceDraft("acme", "a"))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"id": ""}, "id"),
        ({"id": "a" * 129}, "id"),
        ({"id": "a b"}, "id"),
        ({"id": "%2f"}, "id"),
        ({"kind": "Air"}, "kind"),
        ({"lat": 1.0}, "lat"),
        ({"lat": 1.0, "lon": 181.0}, "lon"),
        ({"expected_interval_s": 0.0}, "expected_interval_s"),
        ({"expected_interval_s": float("nan")}, "expected_interval_s"),
        ({"tags": ("t",) * 33}, "tags"),
        ({"tags": ("max_rate=fast",)}, "tags"),
        ({"provider": "a/b"}, "name"),
        ({"provider": "indicators"}, "name"),
    ],
)
def test_what_a_device_cannot_be_is_named(
    registry: Registry, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidFactError) as refused:
        registry.devices.create(
            "a test", msgspec.structs.replace(DeviceDraft("acme", "a"), **fields)
        )
    assert refused.value.field == field
    assert statuses(registry) == {}


def test_text_finds_ids_and_names_whatever_the_case_and_takes_no_pattern(
    registry: Registry,
) -> None:
    registry.devices.put(
        "a test", [DeviceDraft("acme", "meter-7", name="Plaza 100%"), DeviceDraft("acme", "x")]
    )
    for text in ("METER", "plaza", "100%"):
        assert [each.id for each in registry.devices.page(EVERYTHING, DeviceQuery(text=text))] == [
            "meter-7"
        ]
    assert registry.devices.page(EVERYTHING, DeviceQuery(text="_")) == []


def test_many_devices_are_accepted_in_one_call(registry: Registry) -> None:
    names = [("acme", f"d-{number}") for number in range(5_000)]
    assert registry.accept(names) == 5_000
    assert registry.devices.counts(EVERYTHING).active == 5_000
