"""Calibrated values are what indicators are made of; stored ones stay as they were sent."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.corrections import Correction, corrected, corrected_value
from city.pauses import END_US
from city.scope import Scope
from indicators.areas import Area
from indicators.proof import check_proof, write_proof
from indicators.results import ResultsQuery
from indicators.touched import Touched
from registry.records import CalibrationDraft
from services.preview import CalibrationChange, Known, preview
from services.proofs import make_proof
from services.touching import expected_hours, measured_hours

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Town

    from registry.database import Change

DAY_MEAN = "air.mean.pm25"
DEVICE = "device:acme/a"
FOREVER = Correction("pm2_5", 0, END_US, 2.0, 1.0)


def draft(
    town: Town,
    first: float = 0,
    last: float | None = None,
    *,
    factor: float = 1.0,
    offset: float = 0.0,
) -> CalibrationDraft:
    """Return a calibration of the device between some hours of the day."""
    return CalibrationDraft(
        "acme",
        "a",
        "pm2_5",
        town.day_us + round(first * town.hour_us),
        None if last is None else town.day_us + round(last * town.hour_us),
        factor,
        offset,
    )


def announcing(town: Town) -> Callable[[Change], None]:
    touched = Touched.within([0], town.day_us, town.day_us + 24 * town.hour_us)
    return lambda change: town.arrivals.announce_with(change, (), touched, "calibration")


def known_of(town: Town) -> Known:
    touched = measured_hours(town.store, ("acme", "a"), "pm2_5", 0, town.clock.now_us())
    return Known(town.registry.sites.all(), town.store.series(), town.zone, touched)


def a_day(town: Town) -> None:
    """Have a day measured and published."""
    town.device("a", "center")
    town.write("a", "pm2_5", dict.fromkeys(range(24), 10.0))
    town.at(26)
    town.step()
    assert [each.value for each in town.rows(DAY_MEAN, DEVICE)] == [10.0]


def test_what_is_published_is_restated_and_withdrawn_again(town: Town) -> None:
    a_day(town)
    made = town.registry.calibrations.create(
        "test", draft(town, 0, 12, factor=2.0, offset=1.0), announcing(town)
    )
    town.late()
    (found,) = town.rows(DAY_MEAN, DEVICE)
    # Twelve hours of 21 and twelve of 10.
    assert (found.value, found.revision, found.reason) == (15.5, 2, "calibration")
    assert [each.value for each in town.rows(DAY_MEAN, "place:center")] == [15.5]
    stored = town.store.columns([0], town.day_us, town.day_us + 24 * town.hour_us)
    assert set(stored.column("value").to_pylist()) == {10.0}

    town.registry.calibrations.remove("test", Scope(), made.id, announcing(town))
    town.late()
    (after,) = town.rows(DAY_MEAN, DEVICE)
    assert (after.value, after.revision, after.reason) == (10.0, 3, "calibration")


def test_other_quantities_other_devices_and_other_times_stay(town: Town) -> None:
    town.device("a")
    town.device("b")
    town.write("a", "pm2_5", dict.fromkeys(range(24), 10.0))
    town.write("a", "pm10", dict.fromkeys(range(24), 10.0))
    town.write("b", "pm2_5", dict.fromkeys(range(24), 10.0))
    town.registry.calibrations.create("test", draft(town, 24, factor=2.0))
    town.at(26)
    town.step()
    values = [
        row.value
        for indicator in (DAY_MEAN, "air.mean.pm10")
        for device in ("a", "b")
        for row in town.rows(indicator, f"device:acme/{device}")
    ]
    assert values == [10.0, 10.0, 10.0]


def test_a_preview_says_what_would_change_and_changes_nothing(town: Town) -> None:
    a_day(town)
    change = CalibrationChange(("acme", "a"), FOREVER, "come")
    known = known_of(town)
    found = preview(town.engine(), town.results, known, change, town.clock.now_us())
    day = [each for each in found.changed if each.before.indicator == DAY_MEAN]
    days = [(each.before.area, each.before.value, each.after.value) for each in day
            if each.grain == "day"]  # fmt: skip
    assert (DEVICE, 10.0, 21.0) in days
    assert ("place:center", 10.0, 21.0) in days
    assert found.touched >= found.computed >= len(found.changed)
    assert [each.value for each in town.rows(DAY_MEAN, DEVICE)] == [10.0]

    town.registry.calibrations.create("test", draft(town, factor=2.0, offset=1.0))
    known = known_of(town)
    same = CalibrationChange(("acme", "a"), known.sites.sites[0].corrections[0], "go")
    back = preview(town.engine(), town.results, known, same, town.clock.now_us())
    assert back.changed == []


def test_what_holds_since_ever_touches_what_was_measured_and_no_more(town: Town) -> None:
    town.device("a")
    town.write("a", "pm2_5", dict.fromkeys((0, 1, 1.5, 7), 10.0))
    town.write("a", "pm10", {3: 10.0})
    device, hours = ("acme", "a"), {0: [town.day_us + h * town.hour_us for h in (0, 1, 7)]}
    found = measured_hours(town.store, device, "pm2_5", 0, town.day_us + 24 * town.hour_us)
    assert found.by_series(range(5)) == hours
    later = measured_hours(town.store, device, "pm2_5", town.day_us + 2 * town.hour_us, END_US)
    assert later.by_series(range(5)) == {0: hours[0][2:]}
    # Maintenance is of hours without observations too, but not of those before the first.
    worked = expected_hours(town.store, device, 0, town.day_us + 8 * town.hour_us)
    assert [len(each) for each in worked.by_series(range(5)).values()] == [8, 8]
    assert len(expected_hours(town.store, ("acme", "nobody"), 0, END_US)) == 0


def test_a_proof_of_a_calibrated_figure_holds_far_away(town: Town) -> None:
    town.device("a")
    town.write("a", "pm2_5", dict.fromkeys(range(24), 10.0))
    town.registry.calibrations.create("test", draft(town, factor=0.1, offset=-0.3))
    town.at(26)
    town.step()
    asked = ResultsQuery(DAY_MEAN, "day", areas=(DEVICE,), from_us=town.day_us)
    (stored,) = town.results.find(asked)
    sites = town.registry.sites.all()
    proof = make_proof(
        town.engine(), town.store, sites, town.city(), Area("device", "acme/a"), stored
    )
    assert proof.published.row.value == 0.7
    with zipfile.ZipFile(io.BytesIO(write_proof(proof))) as package:
        assert all(each.holds for each in check_proof(package))


def test_a_calibration_and_its_restatement_are_registered_together_or_not_at_all(
    town: Town,
) -> None:
    town.device("a")
    touched = Touched.within([0], town.day_us, town.day_us + town.hour_us)

    def die(change: Change) -> None:
        town.arrivals.announce_with(change, (), touched, "calibration")
        raise KeyboardInterrupt

    calibrations = town.registry.calibrations
    with pytest.raises(KeyboardInterrupt):
        calibrations.create("test", draft(town, factor=2.0), die)
    assert calibrations.page(Scope(), None, after=0, limit=10) == []
    kept = calibrations.create("test", draft(town, factor=2.0))
    with pytest.raises(KeyboardInterrupt):
        calibrations.remove("test", Scope(), kept.id, die)
    assert calibrations.page(Scope(), None, after=0, limit=10) == [kept]
    assert town.arrivals.waiting(10) == []


def test_values_are_corrected_in_decimals() -> None:
    assert corrected_value(Correction("x", 0, 1, 3.0, 0.0), 0.7) == 2.1
    assert corrected_value(Correction("x", 0, 1, 1.1, -0.1), 9.1) == 9.91


@given(
    values=st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), max_size=20),
    first=st.integers(0, 20),
    length=st.integers(1, 20),
)
def test_a_correction_holds_from_its_beginning_until_before_its_end(
    values: list[float], first: int, length: int
) -> None:
    times = np.arange(len(values), dtype=np.int64)
    sent = np.array(values, np.float64)
    correction = Correction("x", first, first + length, 2.0, 1.0)
    found = corrected([correction], times, sent)
    for at, value in enumerate(values):
        inside = first <= at < first + length
        expected = corrected_value(correction, value) if inside and value == value else value  # noqa: PLR0124 - NaN
        np.testing.assert_equal(found[at], expected)
    np.testing.assert_equal(sent, np.array(values, np.float64))
