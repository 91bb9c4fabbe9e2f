"""Counters, bins and water meters: civil days, missing days, an hour that is written twice."""

from __future__ import annotations

import csv
import math
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import pytest

if TYPE_CHECKING:
    from conftest import Acceptance, Observation

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(300)]

ZURICH, LONDON, MADRID = map(ZoneInfo, ("Europe/Zurich", "Europe/London", "Europe/Madrid"))
KINDS: Final = {"bicycles": "zurich_bicycle", "pedestrians": "zurich_pedestrian"}
FILL: Final = "Fill level before collection (%) [Nb 100% is actually a bin that's 80% full]"
MODULUS, PER_HOUR, JITTER = 10**8, 2_500, 25
# When the meters of the trials were read.
PERIODS: Final = ((date(2016, 3, 20), date(2016, 4, 2)), (date(2016, 10, 1), date(2017, 1, 23)))
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
        levels = {each.time: each.value for each in found if each.quantity == "fill_level_before"}
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


# Litres between two readings, by their instants in seconds; None where nobody can say.
Differences = list[tuple[float, float, int | None]]


def litres_used(times: list[float], litres: list[int]) -> Differences:
    """Return what each reading adds, one after the other."""
    found: Differences = []
    reference = 0
    for at in range(1, len(times)):
        most = PER_HOUR * (times[at] - times[reference]) / 3_600
        step: int | None = litres[at] - litres[reference]
        if -JITTER <= step < 0:
            found.append((times[at - 1], times[at], 0))
            continue
        if step < 0:
            step += MODULUS
        found.append((times[at - 1], times[at], step if step <= most else None))
        reference = at
    return found


def midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=MADRID).timestamp()


def of_window(each: Differences, start: float, end: float) -> tuple[float, float]:
    """Return cubic metres, and the share of the time that differences cover."""
    amount = covered = 0.0
    for first, last, step in each:
        inside = min(last, end) - max(first, start)
        whole = start <= first and last <= end
        if step is None or inside <= 0 or not (whole or last - first <= 2.5 * 3_600):
            continue
        amount += step * inside / (last - first)
        covered += inside
    return amount / 1_000, covered / (end - start)


def registers_of(platform: Acceptance) -> dict[str, Differences]:
    rows = rows_of(platform, "water_meter_hourly_alicante.csv", ";")
    found: dict[str, Differences] = {}
    for meter in {row["user key"] for row in rows}:
        own = [row for row in rows if row["user key"] == meter]
        written = [datetime.strptime(row["datetime"], "%d/%m/%Y %H:%M:%S") for row in own]  # noqa: DTZ007 - civil times
        seconds = [each.timestamp() for each in instants(written)]
        order = sorted(range(len(seconds)), key=seconds.__getitem__)
        found[meter] = litres_used(
            [seconds[place] for place in order],
            [int(own[place]["meter reading"]) for place in order],
        )
    return found


def half_up(value: float) -> float:
    return math.floor(round(value * 100, 7) + 0.5) / 100


def agrees(row: dict[str, Any], amount: float, share: float) -> bool:
    """Say whether a published row is what was worked out."""
    if share < 0.75:
        return row["value"] is None and row["reason"] == "incomplete"
    marked = ["at_least"] if share < 1 else []
    known = [mark for mark in row["marks"] if mark != "suspect_included"]
    return row["value"] == half_up(amount) and known == marked


def test_water_of_alicante_by_the_registers_of_its_meters(platform: Acceptance) -> None:
    platform.replayed("water-meters")
    meters = registers_of(platform)
    assert len(meters) == 16
    lengths = {23: 0, 24: 0, 25: 0}
    nothing = 0
    for meter, each in meters.items():
        name = f"daiad-water/{meter}"
        platform.send("PATCH", f"/v1/devices/{name}", {"timezone": "Europe/Madrid"})
        for first, last in (
            (date(2016, 3, 20), date(2016, 4, 2)),
            (date(2016, 10, 1), date(2017, 1, 23)),
        ):
            found = platform.computed("water.consumption", f"device:{name}", str(first), str(last))
            days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
            assert len(found) == len(days)
            for day, row in zip(days, found, strict=True):
                start, end = midnight(day), midnight(day + timedelta(days=1))
                amount, share = of_window(each, start, end)
                assert agrees(row, amount, share), (meter, day, amount, share, row)
                lengths[round((end - start) / 3_600)] += row["value"] is not None
                nothing += row["value"] is None
    assert all(lengths.values()), lengths
    assert nothing > 0


def test_water_of_a_month_is_what_the_registers_say_of_all_of_it(platform: Acceptance) -> None:
    platform.replayed("water-meters")
    published = 0
    start, end = midnight(date(2016, 10, 1)), midnight(date(2016, 11, 1))
    for meter, each in registers_of(platform).items():
        area = f"device:daiad-water/{meter}"
        (row,) = platform.computed("water.consumption", area, "2016-10-01", "2016-10-31", "month")
        amount, share = of_window(each, start, end)
        assert agrees(row, amount, share), (meter, amount, share, row)
        published += row["value"] is not None
    assert published > 8
