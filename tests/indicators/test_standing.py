"""Windows are closed once, late data make exactly the revisions they have to, after any crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from city.scope import Scope
from indicators.lease import LeaseLostError
from indicators.touched import Touched
from store.interface import StoreBusyError

if TYPE_CHECKING:
    from conftest import Town

    from store.interface import Batch

SCOPE = Scope()
AQI = "air.aqi.us.pm25"
PLACE = "place:center"


def hours(value: float, first: int = 0, last: int = 24) -> dict[int, float]:
    return dict.fromkeys(range(first, last), value)


def closed_day(town: Town, value: float = 20.0, last: int = 18) -> None:
    """Close a day of which so many hours came in time."""
    town.device("a", "center")
    town.step()
    for hour in range(last):
        town.at(hour + 0.5)
        town.write("a", "pm2_5", {hour: value})
    town.at(24.1)
    town.step()


def test_a_day_is_closed_after_its_end_and_never_before(town: Town) -> None:
    closed_day(town)
    (row,) = town.rows(AQI, PLACE)
    assert (row.value, row.n_used, row.revision, row.state) == (71, 18, 1, "provisional")
    assert row.completeness == 0.75
    assert [each.value for each in town.rows("air.aqi.us.overall", "city")] == [71]
    assert town.rows("air.aqi.us.overall", "city")[0].marks == ("few_sites",)
    assert town.step() == 0
    town.at(24 + 49)
    assert town.rows(AQI, PLACE)[0].state == "final"


def test_late_hours_make_a_revision_with_its_reason_and_the_old_one_stays(town: Town) -> None:
    closed_day(town)
    before_us = town.clock.now_us()
    town.at(30)
    town.write("a", "pm2_5", hours(40.0, 18, 24))
    assert town.late() > 0
    (row,) = town.rows(AQI, PLACE)
    # 20.0 from 18 hours, then 6 of 40: 25.0 (indicators.md 15c).
    assert (row.value, row.revision, row.reason, row.completeness) == (81, 2, "late_data", 1.0)
    history = town.rows(AQI, PLACE, history=True)
    assert [(each.revision, each.value) for each in history] == [(1, 71), (2, 81)]
    (then,) = town.rows(AQI, PLACE, as_of_us=before_us)
    assert (then.revision, then.value) == (1, 71)
    assert town.late() == 0


def test_only_touched_windows_get_a_revision(town: Town) -> None:
    closed_day(town, last=24)
    town.device("b")
    town.at(47)
    town.write("a", "pm2_5", hours(20.0, 24, 47))
    town.at(48.1)
    town.step()
    counts = {area: len(town.rows(AQI, area, history=True)) for area in (PLACE, "device:acme/a")}
    nowcasts = town.rows("air.nowcast.pm25", "device:acme/a", "hour")
    town.write("a", "pm2_5", {47: 200.0})
    town.late()
    after = town.rows(AQI, PLACE, history=True)
    assert len(after) == counts[PLACE] + 1
    assert {each.start_us for each in after if each.revision == 2} == {
        town.day_us + 24 * town.hour_us
    }
    changed = [
        each
        for each in town.rows("air.nowcast.pm25", "device:acme/a", "hour")
        if each not in nowcasts
    ]
    assert [(each.start_us - town.day_us) // town.hour_us for each in changed] == [47]


def test_what_was_announced_is_computed_after_a_restart_and_not_before_the_store_has_it(
    town: Town,
) -> None:
    closed_day(town)
    town.at(30)
    batch = town.batch("a", "pm2_5", hours(40.0, 18, 24))
    town.step()
    town.arrivals.announce(batch.marks, Touched.merged(()), "late_data")
    assert town.late() == 0
    assert len(town.arrivals.waiting(10)) == 1
    town.writer.write(batch)
    town.clock.advance(31_000_000)
    assert town.step(town.process("after the crash")) > 0
    assert town.rows(AQI, PLACE)[0].value == 81
    assert town.arrivals.waiting(10) == []


def test_a_day_that_is_closed_while_a_batch_is_written_is_restated_after_a_crash(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.device("a", "center")
    town.step()
    for hour in range(18):
        town.at(hour + 0.5)
        town.write("a", "pm2_5", {hour: 20.0})
    town.at(24.05)
    batch = town.batch("a", "pm2_5", hours(40.0, 18, 24))
    write = town.store.write

    def die(batch: Batch) -> None:
        town.at(24.1)
        assert town.step() > 0
        write(batch)
        raise KeyboardInterrupt

    monkeypatch.setattr(town.store, "write", die)
    with pytest.raises(KeyboardInterrupt):
        town.writer.write(batch)
    assert town.rows(AQI, PLACE)[0].value == 71
    town.clock.advance(31_000_000)
    town.step(town.process("after the crash"))
    (row,) = town.rows(AQI, PLACE)
    assert (row.value, row.revision, row.reason) == (81, 2, "late_data")


@pytest.mark.parametrize(("received", "announced"), [(1.0, 0), (1.1, 1)])
def test_what_comes_in_time_is_not_announced(town: Town, received: float, announced: int) -> None:
    town.device("a")
    town.step()
    town.at(received)
    town.write("a", "pm2_5", {0.99: 20.0})
    assert len(town.arrivals.waiting(10)) == announced


def test_a_computation_that_was_cut_short_is_finished_by_the_next_process(town: Town) -> None:
    town.device("a", "center")
    town.step()
    town.write("a", "pm2_5", {})
    for hour in range(24):
        town.at(hour + 0.5)
        town.write("a", "pm2_5", {hour: 20.0})
    town.at(24.1)

    def die() -> None:
        raise KeyboardInterrupt

    town.waited = die
    with pytest.raises(KeyboardInterrupt):
        town.step()
    assert town.rows(AQI, PLACE) == []
    town.waited = lambda: None
    assert town.step(town.process("two")) == 0
    town.clock.advance(31_000_000)
    assert town.step(town.process("two")) > 0
    assert town.rows(AQI, PLACE)[0].value == 71


def test_a_process_that_ends_does_not_finish_what_it_computes(town: Town) -> None:
    for name in "abcdef":
        town.device(name, f"corner-{name}")
    town.step()
    for hour in range(24):
        town.at(hour + 0.5)
        for name in "abcdef":
            town.write(name, "pm2_5", {hour: 20.0})
    town.at(24.1)
    asked: list[int] = []

    def end() -> None:
        asked.append(1)
        if len(asked) == 10:
            raise KeyboardInterrupt

    town.waited = end
    with pytest.raises(KeyboardInterrupt):
        town.step()
    assert town.rows(AQI, "place:corner-a") == [], "asked within one batch of jobs"


def test_only_one_process_computes_and_one_that_wakes_up_says_nothing(town: Town) -> None:
    closed_day(town)
    other = town.process("two")
    town.at(30)
    town.write("a", "pm2_5", hours(40.0, 18, 24))
    town.clock.advance(5_000_000)
    assert town.step(other) > 0, "the first has not renewed its lease for hours"
    assert town.step() == 0
    town.at(49)

    def stopped() -> None:
        town.clock.advance(60_000_000)
        assert town.step(town.process("three")) > 0

    town.waited = stopped
    town.clock.advance(31_000_000)
    town.waited = lambda: (setattr(town, "waited", lambda: None), stopped())[0]
    with pytest.raises(LeaseLostError):
        town.step()
    assert (
        max(each.revision for each in town.rows("air.nowcast.pm25", PLACE, "hour", history=True))
        <= 2
    )


def test_what_comes_while_windows_are_being_closed_is_not_lost(town: Town) -> None:
    town.device("a", "center")
    town.step()
    for hour in range(23):
        town.at(hour + 0.5)
        town.write("a", "pm2_5", {hour: 20.0})
    town.at(24.1)
    town.waited = lambda: town.write("a", "pm2_5", {23: 44.0})
    town.step()
    town.waited = lambda: None
    assert town.rows(AQI, PLACE)[0].value == 73
    town.late()
    assert town.rows(AQI, PLACE)[0].n_used == 24


def test_backlog_holds_closing_back(town: Town) -> None:
    town.device("a", "center")
    town.step()
    town.at(0.5)
    town.write("a", "pm2_5", hours(20.0, 0, 1))
    town.at(30)
    town.standing.step(complete_us=town.day_us + 20 * town.hour_us)
    assert town.rows(AQI, PLACE) == []
    town.write("a", "pm2_5", hours(20.0, 1, 24))
    town.step()
    (row,) = town.rows(AQI, PLACE)
    assert (row.value, row.revision, row.n_used) == (71, 1, 24)


def test_a_device_that_went_silent_has_results_for_two_days_and_then_none(town: Town) -> None:
    closed_day(town, last=24)
    town.at(24 * 30)
    town.step()
    rows = town.rows(AQI, PLACE)
    assert [(each.value, each.reason) for each in rows] == [
        (71, None),
        (None, "incomplete"),
        (None, "incomplete"),
    ]


def test_a_registry_that_does_not_answer_makes_ingest_wait_not_lose(town: Town) -> None:
    closed_day(town)
    town.at(30)
    batch = town.batch("a", "pm2_5", hours(40.0, 18, 24))
    with town.registry.database.changing("test") as change:
        change.connection.exec_driver_sql("alter table indicator_arrivals rename to away")
    with pytest.raises(StoreBusyError):
        town.writer.write(batch)
    with town.registry.database.changing("test") as change:
        change.connection.exec_driver_sql("alter table away rename to indicator_arrivals")
    town.writer.write(batch)
    town.late()
    assert town.rows(AQI, PLACE)[0].value == 81


def test_lden_of_a_day_is_known_in_the_morning_and_levels_are_not_combined(town: Town) -> None:
    town.device("a", "center")
    town.device("b")
    town.registry.devices.change("test", SCOPE, ("acme", "b"), {"place": "center"})
    town.step()
    for hour in range(31):
        town.at(hour + 0.5)
        town.write("a", "laeq", {hour: 60.0})
        town.write("b", "laeq", {hour: 50.0})
    town.at(30.9)
    town.step()
    assert town.rows("noise.lden", "device:acme/a") == []
    town.at(31.1)
    town.step()
    (row,) = town.rows("noise.lden", "device:acme/a")
    assert row.value == 66.4
    assert [each.reason for each in town.rows("noise.lden", PLACE)] == ["not_applicable"]
    assert town.rows("noise.lden", "city") == []
