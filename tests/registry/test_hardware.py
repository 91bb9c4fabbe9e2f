"""Devices that are replaced: one series, both on record, and nothing that contradicts itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from city.scope import EVERYTHING, Scope
from registry.errors import InvalidFactError, NotThereError
from registry.records import AuditQuery, DeviceDraft, HardwareDraft

if TYPE_CHECKING:
    from registry.registry import Registry

AT_US = 1_772_600_000_000_000
DRAFT = HardwareDraft("acme", "a", "b", AT_US, "struck by a lorry")


@pytest.fixture
def city(registry: Registry) -> Registry:
    registry.accept([("acme", "a"), ("acme", "other")])
    return registry


def test_both_are_on_record_and_told_to_ingest(city: Registry) -> None:
    before = city.changes(0).revision
    made = city.hardware.replace("test", DRAFT)
    assert [(each.hardware, each.from_us, each.until_us, each.note) for each in made] == [
        ("a", None, AT_US, ""),
        ("b", AT_US, None, "struck by a lorry"),
    ]
    told = city.changes(before).hardware
    assert [(each.device, each.hardware) for each in told] == [("a", "a"), ("a", "b")]
    assert [each.covers(AT_US) for each in told] == [False, True]
    again = city.hardware.replace(
        "test", msgspec.structs.replace(DRAFT, hardware="c", at_us=AT_US + 5)
    )
    assert [each.until_us for each in again] == [AT_US, AT_US + 5, None]
    assert city.hardware.device_of(EVERYTHING, "acme", "c") == "a"
    ended = city.changes(told[-1].revision).hardware
    assert [(each.number, each.until_us) for each in ended] == [
        (told[1].number, AT_US + 5),
        (3, None),
    ]
    (_, first) = city.audit.page(AuditQuery(subject="acme/a"))[:2]
    assert first.detail.startswith("a -> b from 2026-03-04")


def test_what_was_repaired_may_come_back(city: Registry) -> None:
    city.hardware.replace("test", DRAFT)
    made = city.hardware.replace(
        "test", msgspec.structs.replace(DRAFT, hardware="a", at_us=AT_US + 9)
    )
    assert [each.hardware for each in made] == ["a", "b", "a"]
    # And the other one may stand elsewhere.
    moved = HardwareDraft("acme", "other", "b", AT_US + 9)
    assert city.hardware.replace("test", moved)[-1].hardware == "b"


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"hardware": "other"}, "hardware"),
        ({"hardware": "b"}, "hardware"),
        ({"hardware": "c", "at_us": AT_US}, "at"),
        ({"device": "other"}, "hardware"),
        ({"hardware": "x/y"}, "id"),
        ({"hardware": "c", "at_us": AT_US + 1, "note": "n" * 201}, "note"),
    ],
)
def test_what_contradicts_itself_is_refused(
    city: Registry, parts: dict[str, str | int], field: str
) -> None:
    before = city.hardware.replace("test", DRAFT)
    with pytest.raises(InvalidFactError) as refused:
        city.hardware.replace("test", msgspec.structs.replace(DRAFT, **parts))
    assert refused.value.field == field
    assert city.hardware.of(EVERYTHING, "acme", "a") == before


def test_only_devices_that_are_there_are_replaced(city: Registry) -> None:
    with pytest.raises(NotThereError):
        city.hardware.replace("test", msgspec.structs.replace(DRAFT, device="nobody"))
    with pytest.raises(NotThereError):
        city.hardware.device_of(EVERYTHING, "acme", "b")
    city.hardware.replace("test", DRAFT)
    with pytest.raises(NotThereError):
        city.hardware.device_of(Scope(frozenset({"water"})), "acme", "b")
    assert city.hardware.of(Scope(frozenset({"water"})), "acme", "a") == []


def test_hardware_in_a_place_is_no_device_of_its_own(city: Registry) -> None:
    city.hardware.replace("test", DRAFT)
    with pytest.raises(InvalidFactError, match="in the place of acme/a"):
        city.devices.create("test", DeviceDraft("acme", "b"))
    with pytest.raises(InvalidFactError, match="in the place of acme/a"):
        city.accept([("acme", "b")])
