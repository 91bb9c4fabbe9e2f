"""A day that comes late: what was published stays readable, and only what it touches changes."""

from __future__ import annotations

import csv
import math
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import pytest

from city.instants import to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Platform

    from store.influx import InfluxAddress

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(400)]

FIRST = datetime(2025, 3, 3, tzinfo=UTC)
DAYS, MISSING = 14, 6
LATE = FIRST + timedelta(days=MISSING)
DEVICE = "device:fortnight/roof"
MEAN, INDEX, NOWCAST = "air.mean.pm25", "air.aqi.us.pm25", "air.nowcast.pm25"
FORMATS = ("csv", "parquet", "zip")
# Hours that a NowCast looks back.
REACH = 12
MAPPING = """
provider = "fortnight"
format = "csv"
values = [{ column = "pm", quantity = "pm2_5", unit = "ug/m3" }]
device.id = "roof"
device.kind = "air"
device.interval = 3600
time.text = "{time}"
"""
OURS = (sys.executable, "-m", "madina")
Row = dict[str, Any]


class City(NamedTuple):
    """A platform, and every address that answers for it."""

    platform: Platform
    apis: list[str]


def settings_of(where: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """Return what tells a platform where to keep everything."""
    if where == "embedded":
        return {}
    address: InfluxAddress = request.getfixturevalue("new_database")()
    return {
        "MADINA_STORE_URL": f"{address.url.replace('http', 'influxdb', 1)}/{address.database}",
        "MADINA_DATABASE_URL": request.getfixturevalue("postgresql_url")(),
    }


@pytest.fixture(params=["embedded", "two services on PostgreSQL and InfluxDB"])
def city(
    request: pytest.FixtureRequest,
    start: Callable[..., Platform],
    free_port: Callable[[], int],
    tmp_path: Path,
) -> Iterator[City]:
    settings = settings_of(request.param, request)
    platform = start(MADINA_MQTT_ANONYMOUS="never", **settings)
    if not settings:
        yield City(platform, [platform.run.http])
        return
    port = free_port()
    environment = os.environ | settings
    environment |= {
        "MADINA_NATS_URL": platform.run.nats,
        "MADINA_HTTP_PORT": str(port),
        "MADINA_DATA_DIR": str(tmp_path / "other"),
    }
    with (tmp_path / "other.out").open("wb") as output:
        other = subprocess.Popen([*OURS, "services"], env=environment, stderr=output)
    try:
        address = f"http://127.0.0.1:{port}"
        platform.until(lambda: _ready(address), "the second one answers")
        yield City(platform, [platform.run.http, address])
    finally:
        other.terminate()
        other.wait(60)


def test_a_day_that_comes_late_restates_what_it_touches_and_nothing_else(
    city: City, tmp_path: Path
) -> None:
    replay(city.platform, tmp_path, "most", [day for day in range(DAYS) if day != MISSING])
    for indicator in (MEAN, INDEX):
        compute(city.platform, indicator, FIRST, FIRST + timedelta(days=DAYS - 1))
    before = once_the_year_has(city, DAYS - 1)
    (empty,) = [row for row in before if row["start"] == text(LATE) and row["of"] == (MEAN, "day")]
    assert (empty["value"], empty["reason"], empty["n_used"]) == (None, "incomplete", 0)
    instant = to_text(newest_us(before) + 1)
    archived = exports(city.platform, tmp_path / "archive", instant)

    replay(city.platform, tmp_path, "late", [MISSING])
    after = once_the_year_has(city, DAYS)
    assert [row for row in after if row in before] == before
    fresh = [row for row in after if row not in before]
    longer = {(row["of"], row["start"][:10]) for row in fresh if row["of"][0] != NOWCAST}
    day, month, year = f"{LATE:%Y-%m-%d}", "2025-03-01", "2025-01-01"
    assert longer == {
        ((MEAN, "day"), day),
        ((INDEX, "day"), day),
        ((MEAN, "month"), month),
        ((MEAN, "year"), year),
    }
    assert {row["reason"] for row in fresh if row["value"] is not None} <= {"late_data", None}
    hours = {row["start"] for row in fresh if row["of"][0] == NOWCAST}
    touched = [text(LATE + timedelta(hours=hour)) for hour in range(24 + REACH)]
    assert {*touched[:24]} <= hours <= {*touched}
    (mean,) = [row for row in fresh if row["of"] == (MEAN, "day")]
    assert mean["value"] == pytest.approx(mean_of(MISSING), abs=0.05)
    assert (mean["revision"], mean["reason"]) == (empty["revision"] + 1, "late_data")
    # Of both services each result came once.
    keys = [(row["of"], row["start"]) for row in fresh]
    assert len(keys) == len({*keys})
    assert exports(city.platform, tmp_path / "again", instant) == archived
    assert {exported(address, instant) for address in city.apis} == {archived["csv"]}


def value(hour: int) -> float:
    """Return what was measured in an hour of the fortnight."""
    return round(20 + 12 * math.sin(hour / 9) + hour % 7, 1)


def mean_of(day: int) -> float:
    return sum(value(day * 24 + hour) for hour in range(24)) / 24


def text(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%S.%fZ}"


def replay(platform: Platform, folder: Path, name: str, days: list[int]) -> None:
    """Replay some days of the fortnight over MQTT."""
    (folder / "map.toml").write_text(MAPPING)
    file = folder / f"{name}.csv"
    with file.open("w", newline="") as opened:
        lines = csv.writer(opened)
        lines.writerow(["time", "pm"])
        for hour in (day * 24 + hour for day in days for hour in range(24)):
            lines.writerow([text(FIRST + timedelta(hours=hour)), value(hour)])
    outcome = platform.madina("replay", str(file), "--map", str(folder / "map.toml"))
    assert (outcome["accepted"], outcome["difference"]) == (24 * len(days), 0)


def compute(platform: Platform, indicator: str, first: datetime, last: datetime) -> None:
    asked = (
        "--from",
        f"{first:%Y-%m-%d}",
        "--to",
        f"{last:%Y-%m-%d}",
        "--area",
        DEVICE,
        "--grain",
        "day",
    )
    platform.madina("indicators", "compute", indicator, *asked)


def rows(city: City, indicator: str, grain: str) -> list[Row]:
    """Return every revision of the device's results, as the last of the services tells them."""
    asked = {
        "area": DEVICE, "grain": grain, "includeHistory": "true", "from": "2025-01-01",
        "to": "2025-12-31", "limit": "1000",
    }  # fmt: skip
    answer = httpx.get(
        f"{city.apis[-1]}/v1/indicators/{indicator}/values", params=asked, timeout=60
    )
    assert answer.is_success, answer.text
    found: list[Row] = answer.json()["values"]
    # The clock alone makes a provisional value final.
    return [{**row, "state": "", "of": (indicator, grain)} for row in found]


def once_the_year_has(city: City, days: int) -> list[Row]:
    """Return everything published once the year, which is computed last, stands on some days."""

    def has() -> bool:
        found = rows(city, MEAN, "year")
        return bool(found) and found[-1]["n_used"] == days

    city.platform.until(has, f"a year of {days} days", 120)
    grains = {MEAN: ("day", "month", "year"), INDEX: ("day",), NOWCAST: ("hour",)}
    return [
        row for name, each in grains.items() for grain in each for row in rows(city, name, grain)
    ]


def newest_us(found: list[Row]) -> int:
    newest = max(datetime.fromisoformat(row["computed_at"]) for row in found)
    return int(newest.timestamp() * 1_000_000)


def exports(platform: Platform, folder: Path, instant: str) -> dict[str, bytes]:
    """Return what a city would archive, as published at an instant, by format."""
    folder.mkdir()
    found: dict[str, bytes] = {}
    for suffix in FORMATS:
        file = folder / f"values.{suffix}"
        asked = ("--grain", "day", "--as-of", instant, "--history")
        command = [*platform.program, "indicators", "export", MEAN, str(file), *asked]
        subprocess.run(command, env=platform.environment, check=True, timeout=60)
        found[suffix] = file.read_bytes()
    return found


def exported(address: str, instant: str) -> bytes:
    asked = {"grain": "day", "asOf": instant, "includeHistory": "true", "format": "csv"}
    answer = httpx.get(f"{address}/v1/indicators/{MEAN}/export", params=asked, timeout=60)
    assert answer.is_success, answer.text
    return answer.content


def _ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz").is_success
    except httpx.TransportError:
        return False
