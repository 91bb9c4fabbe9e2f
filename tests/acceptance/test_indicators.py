"""Published numbers of real data, against pandas and numpy from the definitions.

Nothing here asks the product how it computes. Sources: 40 CFR 58 Appendix G as of 2024 (AQI), EPA
PM NowCast, Directive 2002/49/EC Annex I (noise), and the rules of docs/indicators.md:
three quarters of the hours, a mean that is cut is taken to nine decimals first.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from conftest import Acceptance
    from numpy.typing import NDArray

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(600)]

# AQI at the lower bounds of the categories, and what they are of: PM2.5 in 0.1, PM10 in 1 ug/m3.
INDEX = ((0, 50), (51, 100), (101, 150), (151, 200), (201, 300), (301, 500))
PM2_5 = ((0.0, 9.0), (9.1, 35.4), (35.5, 55.4), (55.5, 125.4), (125.5, 225.4), (225.5, 325.4))
PM10 = ((0, 54), (55, 154), (155, 254), (255, 354), (355, 424), (425, 604))
POLLUTANTS = {"pm25": ("PM2.5", PM2_5, 1), "pm10": ("PM10", PM10, 0)}
DONGSI = "device:beijing-air/Dongsi"
NOISE = "device:noisemonitor/noise_laeq_1min"
VALUE_MEMBERS = ("unrounded", "n_used", "n_expected", "marks", "reason", "revision")


@pytest.fixture(scope="module")
def hours(platform: Acceptance) -> pd.DataFrame:
    """Return Beijing's hours by instant; a place gives the station its days."""
    platform.replayed("beijing")
    table = pd.read_csv(platform.path("beijing_dongsi_hourly.csv"), na_values="NA")
    local = pd.to_datetime(table[["year", "month", "day", "hour"]]).dt.tz_localize("Asia/Shanghai")
    return table.set_index(pd.DatetimeIndex(local))


@pytest.fixture(scope="module")
def levels(platform: Acceptance) -> pd.Series:
    """Return the minutes of the street, at their fixed offset."""
    platform.replayed("noise")
    table = pd.read_csv(platform.path("noise_laeq_1min.csv"), parse_dates=["datetime"])
    instants = pd.DatetimeIndex(table["datetime"]).tz_localize("Etc/GMT-1")
    return pd.Series(table["LEQ dB -A"].to_numpy(), index=instants)


def placed(platform: Acceptance, area: str, place: str, zone: str) -> None:
    """Give a device civil days of its own: those of its place."""
    name = area.removeprefix("device:")
    known = {each["name"] for each in platform.get("/v1/places")["items"]}
    if place not in known:
        platform.send("POST", "/v1/places", {"name": place, "timezone": zone})
        platform.send("PATCH", f"/v1/devices/{name}", {"place": place})


def published(platform: Acceptance, indicator: str, area: str, **asked: str) -> pd.DataFrame:
    """Return what is published of an indicator by the start of its windows."""
    values: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        more = {"cursor": cursor} if cursor else {}
        page = platform.get(
            f"/v1/indicators/{indicator}/values", area=area, limit="5000", **asked, **more
        )
        values += page["values"]
        cursor = page["next"]
    table = pd.DataFrame(values, columns=["start", "value", *VALUE_MEMBERS])
    return table.set_index(pd.DatetimeIndex(pd.to_datetime(table["start"])))


def compute(
    platform: Acceptance, indicator: str, area: str, first: str, last: str, grain: str
) -> None:
    body = {"area": [area], "from": first, "to": last, "grain": grain, "cause": "device_metadata"}
    platform.send("POST", f"/v1/indicators/{indicator}/compute", body)


def computed(
    platform: Acceptance, indicator: str, area: str, first: str, last: str
) -> pd.DataFrame:
    """Have days computed by the clock of their place; return what is published then."""
    compute(platform, indicator, area, first, last, "day")
    return published(platform, indicator, area, **{"from": first, "to": last, "grain": "day"})


def cut(mean: float, digits: int) -> float:
    """Cut to so many decimals, the mean taken to nine of them first."""
    scale = 10**digits
    return math.floor(round(mean * scale, 9)) / scale


def index_of(concentration: float, bands: tuple[tuple[float, float], ...]) -> int:
    """Interpolate in the band, half up; beyond the last its segment goes on."""
    for (low, high), (index_low, index_high) in zip(bands, INDEX, strict=True):
        if concentration <= high or high == bands[-1][1]:
            index = (index_high - index_low) / (high - low) * (concentration - low) + index_low
            return int(np.floor(np.round(index, 9) + 0.5))
    raise AssertionError("the last band is open above")


def nowcast(series: pd.Series) -> pd.Series:
    """Return the NowCast of each hour from it and the eleven before it."""
    lagged = np.stack([series.shift(age).to_numpy() for age in range(12)], axis=1)
    known = ~np.isnan(lagged)
    highest = np.nanmax(np.where(known.any(axis=1, keepdims=True), lagged, 0), axis=1)
    lowest = np.nanmin(np.where(known.any(axis=1, keepdims=True), lagged, 0), axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = np.where(highest > 0, np.maximum(lowest / highest, 0.5), 1.0)
        powers = weight[:, None] ** np.arange(12) * known
        value = (powers * np.nan_to_num(lagged)).sum(axis=1) / powers.sum(axis=1)
    value[known[:, :3].sum(axis=1) < 2] = np.nan
    return pd.Series(value, index=series.index)


def mean_level(of: NDArray[np.float64]) -> float:
    return float(10 * np.log10(np.mean(10 ** (of / 10))))


def half_up(level: float) -> float:
    return float(np.floor(np.round(level * 10, 8) + 0.5) / 10)


@pytest.mark.parametrize("pollutant", ["pm25", "pm10"])
def test_daily_index_of_beijing(platform: Acceptance, hours: pd.DataFrame, pollutant: str) -> None:
    column, bands, digits = POLLUTANTS[pollutant]
    placed(platform, DONGSI, "dongsi", "Asia/Shanghai")
    found = computed(platform, f"air.aqi.us.{pollutant}", DONGSI, "2013-03-01", "2017-02-28")
    days = hours[column].groupby(hours.index.date)
    assert len(found) == len(days) == 1_461
    for (day, of_day), (_, row) in zip(days, found.iterrows(), strict=True):
        assert pd.Timestamp(row["start"]).tz_convert("Asia/Shanghai").date() == day
        count = int(of_day.count())
        assert (row["n_used"], row["n_expected"]) == (count, 24)
        if count < 18:
            assert pd.isna(row["value"]), day
            assert row["reason"] == "incomplete"
        else:
            assert row["value"] == index_of(cut(of_day.mean(), digits), bands), day
            assert "retrospective" in row["marks"]
    beyond = [row["value"] > 500 for _, row in found.iterrows() if "beyond_aqi" in row["marks"]]
    assert len(beyond) == (found["value"] > 500).sum() == sum(beyond)


def test_overall_index_of_beijing_is_the_worse_of_the_two(
    platform: Acceptance, hours: pd.DataFrame
) -> None:
    placed(platform, DONGSI, "dongsi", "Asia/Shanghai")
    each = {
        name: computed(platform, f"air.aqi.us.{name}", DONGSI, "2013-03-01", "2017-02-28")["value"]
        for name in ("pm25", "pm10", "overall")
    }
    worse = pd.concat([each["pm25"], each["pm10"]], axis=1).max(axis=1)
    pd.testing.assert_series_equal(each["overall"], worse, check_names=False)


@pytest.mark.parametrize("pollutant", ["pm25", "pm10"])
def test_nowcast_of_a_winter_and_a_spring_of_beijing(
    platform: Acceptance, hours: pd.DataFrame, pollutant: str
) -> None:
    column, bands, digits = POLLUTANTS[pollutant]
    placed(platform, DONGSI, "dongsi", "Asia/Shanghai")
    wanted = nowcast(hours[column]).loc["2015-01-01":"2015-05-31"]

    def read(indicator: str) -> pd.DataFrame:
        months = pd.date_range("2015-01-01", "2015-05-31", freq="MS")
        for month in months:
            first, last = f"{month:%Y-%m-%d}", f"{month + pd.offsets.MonthEnd():%Y-%m-%d}"
            compute(platform, indicator, DONGSI, first, last, "hour")
        asked = {"from": "2015-01-01", "to": "2015-05-31", "grain": "hour"}
        return published(platform, indicator, DONGSI, **asked)

    found = read(f"air.nowcast.{pollutant}")
    amounts = read(f"air.nowcast.{pollutant}.conc")
    assert (found.index == wanted.index.tz_convert("UTC")).all()
    missing = wanted.isna().to_numpy()
    assert found["value"].isna().to_numpy().tolist() == missing.tolist()
    np.testing.assert_allclose(
        amounts["unrounded"].to_numpy(dtype=float), wanted.to_numpy(), rtol=1e-9
    )
    for value, row in zip(wanted[~missing], found["value"][~missing], strict=True):
        assert row == index_of(cut(value, digits), bands)


def test_noise_by_day_and_its_parts(platform: Acceptance, levels: pd.Series) -> None:
    placed(platform, NOISE, "street", "Etc/GMT-1")
    first, last = "2025-03-21", "2025-04-01"
    names = ("lday", "levening", "lnight", "lden", "l10", "l50", "l90", "laeq")
    found = {
        name: computed(platform, f"noise.{name}", NOISE, first, last)["value"] for name in names
    }
    for at, day in enumerate(pd.date_range(first, last, tz="Etc/GMT-1")):
        wanted = noise_of(levels, day)
        for name in names:
            value = found[name].iloc[at]
            level = wanted[name]
            assert (pd.isna(value) and level is None) or value == half_up(level), (day, name)
    assert found["lden"].notna().sum() == 11, "of the last day only the morning was measured"


def noise_of(levels: pd.Series, day: pd.Timestamp) -> dict[str, Any]:
    """Return the levels of a day; None where less than three quarters of it were measured."""

    def between(start_h: int, end_h: int) -> NDArray[np.float64] | None:
        start, end = day + pd.Timedelta(hours=start_h), day + pd.Timedelta(hours=end_h)
        inside = levels[(levels.index >= start) & (levels.index < end)].to_numpy()
        return inside if len(inside) >= 0.75 * (end_h - start_h) * 60 else None

    parts = {"lday": between(7, 19), "levening": between(19, 23), "lnight": between(23, 31)}
    found: dict[str, Any] = {
        name: None if part is None else mean_level(part) for name, part in parts.items()
    }
    whole_day = all(part is not None for part in parts.values())
    found["lden"] = None
    if whole_day:
        found["lden"] = 10 * np.log10(
            (
                12 * 10 ** (found["lday"] / 10)
                + 4 * 10 ** ((found["levening"] + 5) / 10)
                + 8 * 10 ** ((found["lnight"] + 10) / 10)
            )
            / 24
        )
    whole = between(0, 24)
    found["laeq"] = None if whole is None else mean_level(whole)
    for name, share in (("l10", 90), ("l50", 50), ("l90", 10)):
        found[name] = None if whole is None else float(np.percentile(whole, share))
    return found
