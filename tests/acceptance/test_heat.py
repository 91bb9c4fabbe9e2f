"""Heat in Beijing, worked out from the file with pandas and plain arithmetic."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd
import pytest

if TYPE_CHECKING:
    from conftest import Acceptance

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(600)]

DONGSI = "device:beijing-air/Dongsi"
FIRST, LAST = "2013-03-01", "2017-02-28"


@pytest.fixture(scope="module")
def weather(platform: Acceptance) -> pd.DataFrame:
    platform.replayed("beijing")
    platform.send("PATCH", "/v1/devices/beijing-air/Dongsi", {"timezone": "Asia/Shanghai"})
    table = pd.read_csv(platform.path("beijing_dongsi_hourly.csv"))
    table.index = pd.to_datetime(table[["year", "month", "day", "hour"]]).dt.tz_localize(
        "Asia/Shanghai"
    )
    return table[["TEMP", "DEWP"]]


def index_of(celsius: float, dew_point: float) -> float:
    """Return the heat index in Celsius, one sample at a time; NaN where there is none."""
    if math.isnan(celsius) or math.isnan(dew_point):
        return math.nan
    pressure, most = (
        6.105 * math.exp(17.27 * each / (237.7 + each)) for each in (dew_point, celsius)
    )
    rh = 100 * pressure / most
    if rh > 103:
        return math.nan
    rh = min(rh, 100)
    t = 1.8 * celsius + 32
    if t <= 40:
        return celsius
    felt = (0.5 * (t + 61 + (t - 68) * 1.2 + rh * 0.094) + t) / 2
    if felt >= 80:
        felt = (
            -42.379 + 2.04901523 * t + 10.14333127 * rh - 0.22475541 * t * rh
            - 6.83783e-3 * t * t - 5.481717e-2 * rh * rh + 1.22874e-3 * t * t * rh
            + 8.5282e-4 * t * rh * rh - 1.99e-6 * t * t * rh * rh
        )  # fmt: skip
        if rh < 13 and 80 <= t <= 112:
            felt -= (13 - rh) / 4 * math.sqrt((17 - abs(t - 95)) / 17)
        if rh > 85 and 80 <= t <= 87:
            felt += (rh - 85) / 10 * (87 - t) / 5
    return (felt - 32) * 5 / 9


def half_up(value: float) -> float:
    return math.copysign(math.floor(round(abs(value) * 10, 8) + 0.5) / 10, value)


def test_heat_index_of_beijing_by_its_dew_point(
    platform: Acceptance, weather: pd.DataFrame
) -> None:
    hours = pd.Series(
        [index_of(*row) for row in weather.itertuples(index=False)], index=weather.index
    )
    found = platform.computed("heat.index.dew_point", DONGSI, FIRST, LAST)
    days = hours.groupby(hours.index.date)
    assert len(found) == len(days) == 1_461
    for (day, of_day), row in zip(days, found, strict=True):
        assert row["n_used"] == of_day.count(), day
        if of_day.count() < 18:
            assert row["reason"] == "incomplete", day
        else:
            assert row["value"] == half_up(of_day.max()), day
    assert any(row["band"] == "Danger" for row in found)


def test_nothing_measures_humidity_there(platform: Acceptance, weather: pd.DataFrame) -> None:
    assert len(weather)
    found = platform.get(
        "/v1/indicators/heat.index/values", area=DONGSI, grain="day",
        **{"from": FIRST, "to": LAST},
    )  # fmt: skip
    assert found["values"] == []


def test_summer_days_tropical_nights_and_heat_waves(
    platform: Acceptance, weather: pd.DataFrame
) -> None:
    table = weather["TEMP"]
    by_day = table.groupby(table.index.date)
    known = by_day.count() >= 18
    noon = table.between_time("12:00", "16:59")
    night = table.between_time("03:00", "06:59")
    at_noon = known & (noon.groupby(noon.index.date).count() > 0)
    at_night = known & (night.groupby(night.index.date).count() > 0)
    hot = at_noon & (by_day.max() > 35)
    runs = hot.groupby((hot != hot.shift()).cumsum()).transform("size")
    wanted = {
        "heat.summer_day": (by_day.max() > 25).where(at_noon),
        "heat.tropical_night": (by_day.min() > 20).where(at_night),
        "heat.wave_day": (hot & (runs >= 3)).where(at_noon),
    }
    for name, days in wanted.items():
        found = platform.computed(name, DONGSI, FIRST, LAST)
        values = [None if pd.isna(day) else float(day) for day in days]
        assert [row["value"] for row in found] == values, name
        assert days.sum() > 0, name
