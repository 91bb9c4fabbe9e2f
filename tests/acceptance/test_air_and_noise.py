"""Air quality of Beijing and of three cities, and street noise: every value at its time."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Acceptance

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(300)]

CHINA = timezone(timedelta(hours=8))
FIXED = timezone(timedelta(hours=1))
BEIJING = {
    "PM2.5": "pm2_5",
    "PM10": "pm10",
    "SO2": "so2",
    "NO2": "no2",
    "CO": "co",
    "O3": "o3",
    "TEMP": "temperature",
    "PRES": "pressure",
    "DEWP": "dew_point",
    "RAIN": "precipitation",
    "WSPM": "wind_speed",
}
COMPASS = [
    "N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE",
    "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW",
]  # fmt: skip


def text(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def rows_of(platform: Acceptance, name: str) -> list[dict[str, str]]:
    with platform.path(name).open(encoding="utf-8-sig", newline="") as file:
        return [*csv.DictReader(file)]


def test_beijing_every_cell_is_stored_or_counted_as_missing(platform: Acceptance) -> None:
    outcome = platform.replayed("beijing")
    rows = rows_of(platform, "beijing_dongsi_hourly.csv")
    assert outcome.rows == outcome.accepted == len(rows) == 35_064
    columns = [*BEIJING, "wd"]
    missing = {name: sum(row[name] == "NA" for row in rows) for name in columns}
    assert outcome.missing == missing
    assert (missing["PM2.5"], missing["CO"], missing["wd"], missing["WSPM"]) == (750, 3_197, 78, 14)
    assert outcome.observations["stored"] == len(rows) * len(columns) - sum(missing.values())
    assert outcome.observations["rejected"] == outcome.quarantined == outcome.duplicate == 0

    hours = [
        text(datetime(*(int(row[n]) for n in ("year", "month", "day", "hour")), tzinfo=CHINA))
        for row in rows
    ]
    stored = {
        column: {
            each.time: each.value for each in platform.observations("beijing-air/Dongsi", quantity)
        }
        for column, quantity in BEIJING.items()
    }
    for column, found in stored.items():
        # CO alone has another canonical unit: mg/m3.
        scale = 0.001 if column == "CO" else 1
        wanted = {
            hour: float(row[column]) * scale
            for hour, row in zip(hours, rows, strict=True)
            if row[column] != "NA"
        }
        assert found == pytest.approx(wanted), column
    points = platform.observations("beijing-air/Dongsi", "wind_direction")
    sixteenths = {name: at * 22.5 for at, name in enumerate(COMPASS)}
    assert [each.value for each in points] == [
        sixteenths[row["wd"]] for row in rows if row["wd"] != "NA"
    ]

    pm2_5, pm10, o3 = (stored[name] for name in ("PM2.5", "PM10", "O3"))
    assert sum(float(value) > float(pm10.get(at, "inf")) for at, value in pm2_5.items()) == 2_156
    assert sum(float(value) > 500 for value in o3.values()) == 16
    assert max(map(float, pm2_5.values())) == 737


def test_openaq_every_row_is_one_value(platform: Acceptance) -> None:
    outcome = platform.replayed("openaq")
    rows = rows_of(platform, "openaq_three_cities_hourly.csv")
    assert outcome.rows == outcome.accepted == outcome.observations["stored"] == len(rows) == 5_272
    names = {"no2": "no2", "pm25": "pm2_5"}
    series = Counter((row["location"], names[row["parameter"]]) for row in rows)
    assert sorted(series.values()) == [163, 177, 1_608, 1_648, 1_676]
    for location, quantity in series:
        device = location.replace(" ", "%20")
        found = platform.observations(f"openaq/{device}", quantity)
        wanted = {
            text(datetime.fromisoformat(row["date.utc"])): float(row["value"])
            for row in rows
            if (row["location"], names[row["parameter"]]) == (location, quantity)
        }
        assert {each.time: each.value for each in found} == wanted
        assert {each.unit for each in found} == {"ug/m3"}
        if location == "BETR801":
            # Only some hours of most days.
            times = sorted(map(datetime.fromisoformat, wanted))
            steps = Counter(b - a for a, b in pairwise(times))
            assert steps[timedelta(hours=24)] + steps[timedelta(hours=23)] > 20


@pytest.mark.parametrize(
    ("name", "count", "step_s", "least", "most"),
    [
        ("noise_laeq_1min", 16_470, 60, 38.19, 68.85),
        ("noise_laeq_1s_4h", 14_400, 1, None, None),
    ],
)
def test_noise_runs_on_without_a_gap(
    platform: Acceptance,
    name: str,
    count: int,
    step_s: int,
    least: float | None,
    most: float | None,
) -> None:
    outcome = platform.replayed("noise")
    assert outcome.rows == outcome.accepted == outcome.observations["stored"] == 30_870
    with platform.path(f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = [*csv.reader(file)][1:]
    wanted = [
        (text(datetime.fromisoformat(at).replace(tzinfo=FIXED)), float(level)) for at, level in rows
    ]
    found = platform.observations(f"noisemonitor/{name}", "laeq")
    assert [(each.time, each.value) for each in found] == wanted
    times = [datetime.fromisoformat(each.time) for each in found]
    assert len(found) == count
    assert {b - a for a, b in pairwise(times)} == {timedelta(seconds=step_s)}
    if least is not None:
        assert round(min(level for _, level in wanted), 2) == least
        assert round(max(level for _, level in wanted), 2) == most
    registered = platform.devices("noisemonitor")[name]
    assert (registered["kind"], registered["expected_interval_s"]) == ("noise", step_s)
