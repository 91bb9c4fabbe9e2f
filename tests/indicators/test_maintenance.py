"""Time under maintenance is not missing, and what a device sends then does not count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from city.scope import Scope
from indicators.touched import Touched
from registry.records import MaintenanceDraft

if TYPE_CHECKING:
    from conftest import Town

    from registry.database import Change

SCOPE = Scope()
DAY_MEAN = "air.mean.pm25"


def worked_on(town: Town, first: float, last: float) -> None:
    """Say that the device was worked on between some hours of the day, and have it computed."""
    from_us, until_us = (town.day_us + round(hour * town.hour_us) for hour in (first, last))
    touched = Touched.within([0], from_us, until_us)
    town.registry.maintenance.create(
        "test",
        MaintenanceDraft("acme", "a", from_us, until_us),
        lambda change: town.arrivals.announce_with(change, (), touched, "device_metadata"),
    )


def test_a_day_with_maintenance_is_restated_by_the_hours_that_are_expected(town: Town) -> None:
    town.device("a", "center")
    # 12 of 24 hours are too few; the other twelve were spent on the bench, at 900.
    town.write("a", "pm2_5", {hour: 900.0 if hour >= 12 else 10.0 for hour in range(15)})
    town.at(26)
    town.step()
    (before,) = town.rows(DAY_MEAN, "device:acme/a")
    assert (before.value, before.reason, before.n_expected) == (None, "incomplete", 24)
    worked_on(town, 12, 24)
    town.late()
    (after,) = town.rows(DAY_MEAN, "device:acme/a")
    assert (after.value, after.n_used, after.n_expected) == (10.0, 12, 12)
    assert (after.revision, after.completeness, after.reason) == (2, 1.0, "device_metadata")
    assert [each.value for each in town.rows(DAY_MEAN, "place:center")] == [10.0]


def test_a_part_of_an_hour_is_expected_by_its_slots(town: Town) -> None:
    town.device("a", interval_s=600.0)
    town.write("a", "pm2_5", {hour / 6: 10.0 for hour in range(3)})
    worked_on(town, 0.5, 1)
    town.at(3)
    town.step()
    (found, *_) = town.rows(DAY_MEAN, "device:acme/a", "hour")
    assert (found.value, found.n_used, found.n_expected) == (10.0, 3, 3)


@pytest.mark.parametrize(("first", "last"), [(0, 24), (-5, 30)])
def test_a_day_wholly_under_maintenance_has_no_value(town: Town, first: float, last: float) -> None:
    town.device("a")
    town.write("a", "pm2_5", dict.fromkeys(range(24), 10.0))
    worked_on(town, first, last)
    town.at(31)
    town.step()
    (found,) = town.rows(DAY_MEAN, "device:acme/a")
    assert (found.value, found.reason, found.n_expected) == (None, "incomplete", 0)


def test_maintenance_and_its_restatement_are_registered_together_or_not_at_all(town: Town) -> None:
    town.device("a")
    touched = Touched.within([0], town.day_us, town.day_us + town.hour_us)

    def die(change: Change) -> None:
        town.arrivals.announce_with(change, (), touched, "device_metadata")
        raise KeyboardInterrupt

    draft = MaintenanceDraft("acme", "a", town.day_us, town.day_us + town.hour_us)
    with pytest.raises(KeyboardInterrupt):
        town.registry.maintenance.create("test", draft, die)
    assert town.registry.maintenance.page(SCOPE, None, after=0, limit=10) == []
    assert town.arrivals.waiting(10) == []
    kept = town.registry.maintenance.create("test", draft)
    with pytest.raises(KeyboardInterrupt):
        town.registry.maintenance.remove("test", SCOPE, kept.id, die)
    assert town.registry.maintenance.page(SCOPE, None, after=0, limit=10) == [kept]
    assert town.arrivals.waiting(10) == []
