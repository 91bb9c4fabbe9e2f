"""When devices are being worked on: kept, told, taken back, and refused where it cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from city.pauses import END_US
from city.scope import EVERYTHING, Scope
from registry.errors import InvalidFactError, NotThereError
from registry.records import AuditQuery, MaintenanceDraft

if TYPE_CHECKING:
    from registry.registry import Registry

DRAFT = MaintenanceDraft("acme", "a", 100, 200, "new filter")


@pytest.fixture
def city(registry: Registry) -> Registry:
    registry.accept([("acme", "a"), ("acme", "b")])
    return registry


def test_periods_come_together_and_sites_know_them(city: Registry) -> None:
    assert city.sites.all().sites[0].pauses == ()
    made = city.maintenance.create("test", DRAFT)
    city.maintenance.create("test", msgspec.structs.replace(DRAFT, from_us=150, until_us=None))
    city.maintenance.create("test", msgspec.structs.replace(DRAFT, device="b"))
    pauses = city.maintenance.pauses(0)
    assert pauses == {("acme", "a"): ((100, END_US),), ("acme", "b"): ((100, 200),)}
    assert city.maintenance.pauses(200) == {("acme", "a"): ((150, END_US),)}
    assert [each.pauses for each in city.sites.all().sites] == [((100, END_US),), ((100, 200),)]
    city.maintenance.remove("test", EVERYTHING, made.id)
    assert city.sites.all().sites[0].pauses == ((150, END_US),)
    actions = [each.action for each in city.audit.page(AuditQuery(subject="acme/a"))]
    assert actions == ["maintenance.removed", "maintenance.created", "maintenance.created"]


@pytest.mark.parametrize(
    ("parts", "field"), [({"until_us": 100}, "until"), ({"note": "n" * 201}, "note")]
)
def test_what_cannot_be_is_refused(city: Registry, parts: dict[str, int | str], field: str) -> None:
    with pytest.raises(InvalidFactError) as refused:
        city.maintenance.create("test", msgspec.structs.replace(DRAFT, **parts))
    assert refused.value.field == field


def test_only_what_is_there_and_may_be_seen(city: Registry) -> None:
    with pytest.raises(NotThereError):
        city.maintenance.create("test", msgspec.structs.replace(DRAFT, device="nobody"))
    made = city.maintenance.create("test", DRAFT)
    water = Scope(frozenset({"water"}))
    with pytest.raises(NotThereError):
        city.maintenance.remove("test", water, made.id)
    assert city.maintenance.page(water, None, after=0, limit=9) == []
    assert city.maintenance.page(EVERYTHING, ("acme", "b"), after=0, limit=9) == []
    assert city.maintenance.page(EVERYTHING, None, after=0, limit=9) == [made]
