"""Indicators over HTTP: definitions, values open and closed, revisions, explanations, computing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from registry.records import DeviceDraft, PlaceDraft
from store.interface import Batch, Series

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa
    from conftest import City

pytestmark = pytest.mark.live

AQI = "/v1/indicators/air.aqi.us.pm25"
PM = Series(0, "acme", "air-1", "pm2_5", "ug/m3", "number")
# 2026-03-10 00:00 in Madrid.
DAY_US = 1_773_097_200_000_000
HOUR_US = 3_600_000_000
FIRST, LAST = "2026-03-09T23:00:00.000000Z", "2026-03-10T23:00:00.000000Z"
MEMBERS = [
    "area", "start", "end", "tz", "value", "unrounded", "band", "main_input", "completeness",
    "n_used", "n_expected", "state", "marks", "revision", "reason", "computed_at",
]  # fmt: skip


@pytest.fixture
def measured(city: City, idle: Batch, rows: Callable[..., pa.Table]) -> City:
    """Return a city with a day of 18 hours at 20 ug/m3, and a later value for the first."""
    city.registry.places.create("a test", PlaceDraft("center", district="old"))
    draft = DeviceDraft("acme", "air-1", kind="air", place="center", expected_interval_s=3_600.0)
    city.registry.devices.create("a test", draft)
    values = [(DAY_US + hour * HOUR_US, 20.0) for hour in range(18)]
    batch = msgspec.structs.replace(
        idle, observations=rows(*values), conflicts=rows((DAY_US, 99.0)), series=[PM]
    )
    city.apply(batch)
    return city


def computed(city: City, **parts: object) -> dict[str, object]:
    body = {"from": "2026-03-10", "to": "2026-03-10", **parts}
    answer = city.admin.post(f"{AQI}/compute", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_definitions_are_told_whole(city: City) -> None:
    listed = city.api.get("/v1/indicators").json()
    assert listed["next"] is None
    named = {each["indicator"]: each for each in listed["items"]}
    assert named["noise.lden"]["unit"] == "dB"
    assert named["noise.lden"]["grains"] == ["day", "year"]
    told = city.api.get(AQI).json()
    (version,) = told["versions"]
    assert version["version"] == told["version"] == "2024.1.0"
    assert version["definition"]["bands"][0]["label"] == "Good"
    assert version["sources"][0]["mark"] == "VERIFIED"
    assert len(version["hash"]) == 64


def test_a_value_is_published_with_exactly_these_members(measured: City) -> None:
    assert computed(measured)["revised"] == 4
    asked = {"area": "place:center", "from": "2026-03-10", "to": "2026-03-10"}
    answer = measured.api.get(f"{AQI}/values", params=asked)
    told = answer.json()
    assert [*told] == ["indicator", "version", "unit", "values", "next"]
    (value,) = told["values"]
    assert [*value] == MEMBERS
    assert (value["value"], value["band"], value["n_used"]) == (71, "Moderate", 18)
    assert (value["start"], value["end"]) == (FIRST, LAST)
    assert (value["state"], value["revision"], value["reason"]) == ("final", 1, None)
    again = measured.api.get(
        f"{AQI}/values", params=asked, headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304


def test_revisions_stay_readable_as_they_were(
    measured: City, rows: Callable[..., pa.Table], idle: Batch
) -> None:
    computed(measured)
    asked = {"area": "city", "from": "2026-03-10", "to": "2026-03-10"}
    (first,) = measured.api.get(f"{AQI}/values", params=asked).json()["values"]
    late = [(DAY_US + hour * HOUR_US, 40.0) for hour in range(18, 24)]
    measured.apply(msgspec.structs.replace(idle, observations=rows(*late)))
    assert computed(measured, cause="qc_change")["revised"] == 4
    assert computed(measured, cause="qc_change")["revised"] == 0
    (latest,) = measured.api.get(f"{AQI}/values", params=asked).json()["values"]
    assert (latest["value"], latest["revision"], latest["reason"]) == (81, 2, "qc_change")
    then = asked | {"asOf": first["computed_at"]}
    assert measured.api.get(f"{AQI}/values", params=then).json()["values"] == [first]
    history = asked | {"includeHistory": "true"}
    both = measured.api.get(f"{AQI}/values", params=history).json()["values"]
    assert [each["revision"] for each in both] == [1, 2]
    audit = measured.admin.get("/v1/audit").json()["items"]
    assert audit[0]["action"] == "indicator.computed"
    assert "qc_change" in audit[0]["detail"]


def test_pages_of_values_meet(measured: City) -> None:
    computed(measured)
    seen: list[str] = []
    cursor = None
    while True:
        asked = {"from": "2026-03-10", "to": "2026-03-10", "limit": 3, "cursor": cursor}
        page = measured.api.get(
            f"{AQI}/values", params={name: each for name, each in asked.items() if each}
        ).json()
        seen += [each["area"] for each in page["values"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ["city", "device:acme/air-1", "district:old", "place:center"]


def test_the_present_day_is_computed_when_it_is_asked_for(
    measured: City, rows: Callable[..., pa.Table], idle: Batch
) -> None:
    now_us = measured.parts.clock.now_us()
    measured.apply(msgspec.structs.replace(idle, observations=rows((now_us, 30.0))))
    told = measured.api.get(f"{AQI}/values", params={"area": "device:air-1"}).json()
    value = told["values"][-1]
    assert (value["state"], value["revision"], value["area"]) == ("open", 0, "device:acme/air-1")
    assert (value["value"], value["reason"], value["n_used"]) == (None, "incomplete", 1)
    stored = measured.api.get(f"{AQI}/values").json()["values"]
    assert all(each["state"] != "open" for each in stored)


def test_an_explanation_leads_down_to_the_observations(measured: City) -> None:
    computed(measured)
    asked = {"area": "place:center", "period": "2026-03-10"}
    told = measured.api.get(f"{AQI}/explain", params=asked).json()
    assert told["value"]["value"] == 71
    assert "breakpoints" in told["formula"]
    (given,) = told["inputs"]
    assert (given["device"], given["observations"], given["used"]) == ("acme/air-1", 18, 18)
    assert given["conflicts"] == 1
    assert sum(part["counted"] for part in given["parts"]) == 18
    assert len(given["parts"]) == 24
    raw = measured.api.get(given["observations_at"]).json()["items"]
    assert len(raw) == 19, "18 first values and the conflict"
    assert told["revisions"][0]["revision"] == 1
    assert told["lineage"]["series"] == [0]
    assert told["lineage"]["contract"] == told["hash"]
    assert told["ledger"]["providers"][0]["provider"] == "acme"
    overall = measured.api.get("/v1/indicators/air.aqi.us.overall/explain", params=asked).json()
    assert overall["value"]["main_input"] == "pm25"
    assert [each["indicator"] for each in overall["components"]] == ["air.aqi.us.pm25"]


@pytest.mark.parametrize(
    ("path", "asked", "status", "words"),
    [
        ("/v1/indicators/air.nothing", {}, 404, "nobody defined it"),
        (f"{AQI}/values", {"area": "planet:earth"}, 422, "is no area"),
        (f"{AQI}/values", {"area": "place:nowhere"}, 422, "no device stands in"),
        (f"{AQI}/values", {"grain": "year"}, 422, "is published by day"),
        (f"{AQI}/values", {"from": "2026-03-10T00:00:00Z"}, 422, "no civil date"),
        (f"{AQI}/values", {"from": "2026-03-11", "to": "2026-03-10"}, 422, "before it begins"),
        (f"{AQI}/values", {"from": "0001-01-01"}, 422, "between 1971"),
        (f"{AQI}/values", {"version": "1.0.0"}, 404, "no version 1.0.0"),
        (f"{AQI}/explain", {"area": "place:*", "period": "2026-03-10"}, 422, "one area"),
        (f"{AQI}/values", {"cursor": "x"}, 400, "cursor"),
    ],
)
def test_a_bad_question_is_told_what_is_wrong(
    measured: City, path: str, asked: dict[str, str], status: int, words: str
) -> None:
    answer = measured.api.get(path, params=asked)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]


def test_computing_needs_a_key_and_has_a_limit(measured: City) -> None:
    body = {"from": "2026-03-10", "to": "2026-03-10"}
    assert measured.api.post(f"{AQI}/compute", json=body).status_code == 401
    path = "/v1/indicators/air.nowcast.pm25/compute"
    answer = measured.admin.post(path, json={"from": "1980-01-01", "to": "2026-01-01"})
    assert answer.status_code == 422
    assert "shorter period" in answer.json()["mend"]
