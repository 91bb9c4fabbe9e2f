"""Counters, bins and water meters: civil days, missing days, an hour that is written twice."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import pytest

if TYPE_CHECKING:
    from conftest import Acceptance, Observation

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(300)]

ZURICH, LONDON, MADRID = map(ZoneInfo, ("Europe/Zurich", "Europe/London", "Europe/Madrid"))
KINDS: Final = {"bicycles": "zurich_bicycle", "pedestrians": "zurich_pedestrian"}
FILL: Final = "Fill level before collection (%) [Nb 100% is actually a bin that's 80% full]"
COLLECTED: Final = "Date & Time of bin collection (Europe/London)"


def rows_of(platform: Acceptance, name: str, separator: str = ",") -> list[dict[str, str]]:
    with platform.path(name).open(encoding="utf-8-sig", newline="") as file:
        return [*csv.DictReader(file, delimiter=separator)]


def civil_day(observation: Observation) -> str:
    start = datetime.fromisoformat(observation.time).astimezone(ZURICH)
    end = datetime.fromisoformat(observation.end or "").astimezone(ZURICH)
    assert (start.hour, start.minute, end.hour, end.minute) == (0, 0, 0, 0)
    assert end.date() - start.date() == timedelta(days=1)
    return start.date().isoformat()


def test_zurich_days_are_civil_days_and_missing_ones_are_no_zeros(platform: Acceptance) -> None:
    outcome = platform.replayed("zurich-counters")
    counts = {quantity: rows_of(platform, f"{name}_daily.csv") for quantity, name in KINDS.items()}
    assert [len(rows) for rows in counts.values()] == [12_748, 7_096]
    assert outcome.rows == outcome.accepted == outcome.observations["stored"] == 19_844
    lengths: Counter[timedelta] = Counter()
    zeros: Counter[str] = Counter()
    days: dict[str, dict[str, float]] = {}
    for quantity, rows in counts.items():
        for station in {row["station"] for row in rows}:
            device = f"zurich-counters/{station.replace('*', '%2A')}"
            found = platform.observations(device, quantity)
            days[f"{quantity} {station}"] = {civil_day(each): float(each.value) for each in found}
            wanted = {row["date"]: float(row["count"]) for row in rows if row["station"] == station}
            assert days[f"{quantity} {station}"] == wanted
            zeros[quantity] += sum(value == 0 for value in wanted.values())
            lengths.update(
                datetime.fromisoformat(each.end or "") - datetime.fromisoformat(each.time)
                for each in found
            )
    assert len(days) == 35
    assert not any("2020-02-13" in each for each in days.values())
    assert len(days["bicycles VZS_TALS"]) == 597
    assert len(days["pedestrians FZS_HARD"]) == 285
    assert zeros == {"bicycles": 6, "pedestrians": 8}
    assert max(days["bicycles VZS_LAN*"].values()) == 17_341
    assert max(days["pedestrians FZS_LAN*"].values()) == 26_802
    # One counter counts both.
    assert {each.split()[0] for each in days if each.endswith("VZS_BUCH")} == {*KINDS}
    assert lengths[timedelta(hours=23)] > 0
    assert lengths[timedelta(hours=25)] > 0
    assert {*lengths} == {timedelta(hours=hours) for hours in (23, 24, 25)}


def test_zurich_positions_come_from_the_files_of_stations(platform: Acceptance) -> None:
    outcome = platform.replayed("zurich-counters")
    stations = [row for name in KINDS.values() for row in rows_of(platform, f"{name}_stations.csv")]
    wanted = {
        row["station_id"].replace("*", "%2A"): (float(row["lat"]), float(row["lon"]))
        for row in stations
    }
    devices = platform.devices("zurich-counters")
    # The counter of both kinds has one position, of the bicycles' file.
    placed = {name: (each["lat"], each["lon"]) for name, each in devices.items() if each["lat"]}
    assert placed == {name: where for name, where in wanted.items() if name in devices}
    assert {*devices} - {*placed} == {"VZS_BASL"}
    assert {*wanted} - {*devices} == {"FZS_QUA%2A"}
    assert outcome.without_position == 1


def test_litter_bins_every_emptying_with_all_that_is_known(platform: Acceptance) -> None:
    outcome = platform.replayed("litter-bins")
    rows = rows_of(platform, "edinburgh_litter_bin_collections.csv")
    assert outcome.rows == outcome.accepted == len(rows) == 10_000
    assert outcome.observations["stored"] == 70_000
    bins = {row["Site"] for row in rows}
    slots = {(row["Site"], row["Container slot:Name"]) for row in rows}
    assert (len(bins), len(slots)) == (334, 335)
    assert outcome.devices == 335
    frozen = heavy = 0
    for site, slot in slots:
        found = platform.observations(f"edinburgh-bins/{site}-{slot}")
        own = [r for r in rows if (r["Site"], r["Container slot:Name"]) == (site, slot)]
        levels = {each.time: each.value for each in found if each.quantity == "fill_level"}
        assert levels == {
            datetime.fromisoformat(row[COLLECTED])
            .replace(tzinfo=LONDON)
            .astimezone(UTC)
            .strftime("%Y-%m-%dT%H:%M:%S.%fZ"): float(row[FILL])
            for row in own
        }
        frozen += sum(each.value is True for each in found if each.quantity == "frozen")
        assert {e.value for e in found if e.quantity == "fill_level_after"} == {0}
        weights = [each for each in found if each.quantity == "waste_weight"]
        assert {each.unit for each in weights} == {"kg"}
        heavy += sum(float(each.value) > 60 for each in weights)
    assert (frozen, heavy) == (9_832, 61)


def test_water_meters_the_hour_that_is_written_twice_is_two_hours(platform: Acceptance) -> None:
    outcome = platform.replayed("water-meters")
    rows = rows_of(platform, "water_meter_hourly_alicante.csv", ";")
    assert outcome.rows == outcome.accepted == len(rows) == 17_875
    assert outcome.observations["stored"] == 35_750
    meters: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        meters.setdefault(row["user key"], []).append(row)
    assert len(meters) == 16
    pairs = negative = 0
    for meter, own in meters.items():
        written = [datetime.strptime(row["datetime"], "%d/%m/%Y %H:%M:%S") for row in own]  # noqa: DTZ007 - civil times
        pairs += len(written) - len({*written})
        times = instants(written)
        assert len({*times}) == len(own), "no two readings at one instant"
        found = platform.observations(f"daiad-water/{meter}", "volume")
        wanted = {at: int(row["meter reading"]) for at, row in zip(times, own, strict=True)}
        assert {datetime.fromisoformat(e.time): e.value for e in found} == pytest.approx(
            {at: litres / 1_000 for at, litres in wanted.items()}
        )
        used = platform.observations(f"daiad-water/{meter}", "volume_used")
        negative += sum(float(each.value) < 0 for each in used)
    assert (pairs, negative) == (11, 36)
    two_counters = platform.observations(
        "daiad-water/" + starting("9348c9bb", meters), "volume_used"
    )
    jumps = [each.value for each in two_counters if abs(float(each.value)) > 240]
    assert [int(abs(float(each))) for each in jumps] == [248] * 8


def instants(written: list[datetime]) -> list[datetime]:
    """Return UTC of the readings of a meter in their order.

    Between 02:00 and 03:00 on 2016-10-30 what is not later than the reading before it belongs to
    the second showing of that hour.
    """
    found: list[datetime] = []
    is_second, before = False, None
    for wall in written:
        twice = (wall.year, wall.month, wall.day, wall.hour) == (2016, 10, 30, 2)
        is_second = twice and (is_second or (before is not None and wall <= before))
        before = wall if twice else before
        found.append(wall.replace(tzinfo=MADRID, fold=int(is_second)).astimezone(UTC))
    return found


def starting(prefix: str, names: dict[str, list[dict[str, str]]]) -> str:
    (found,) = (name for name in names if name.startswith(prefix))
    return found
