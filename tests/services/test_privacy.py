"""Every way out of the API hides what section 15e hides, and a key opens what was computed."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from city.clock import SimulatedClock
from city.instants import text_us, to_text
from indicators.release import STEP_US
from registry.records import DeviceDraft, PlaceDraft
from store.interface import Batch, Series

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    import pyarrow as pa
    from conftest import City

pytestmark = pytest.mark.live

BIKES = "/v1/indicators/active.bike.count"
# 2026-03-10 00:00 in Madrid.
DAY_US = 1_773_097_200_000_000
HOUR_US = 3_600_000_000
DAY = "2026-03-10"
PLACES = {"bridge": 40, "market": 12, "park": 4}
PERIOD = {"period": DAY, "grain": "day"}
DAYS = {"from": DAY, "to": DAY, "grain": "day"}


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(DAY_US + 30 * HOUR_US)


@pytest.fixture
def counted(city: City, idle: Batch, rows: Callable[..., pa.Table], clock: SimulatedClock) -> City:
    """Return a city that counted 56 bicycles in an hour of a day at three places of a district."""
    for number, (place, count) in enumerate(PLACES.items()):
        city.registry.places.create("a test", PlaceDraft(place, district="old"))
        draft = DeviceDraft("acme", place, kind="counter", place=place, expected_interval_s=3_600.0)
        city.registry.devices.create("a test", draft)
        series = Series(number, "acme", place, "bicycles", "1", "number")
        values = [(DAY_US + hour * HOUR_US, count if hour == 8 else 0) for hour in range(24)]
        found = rows(*values, series=number)
        city.apply(msgspec.structs.replace(idle, observations=found, series=[series]))
    body = {"from": DAY, "to": DAY, "grain": "day", "cause": "late_data"}
    assert city.admin.post(f"{BIKES}/compute", json=body).status_code == 200
    clock.advance(STEP_US)
    return city


def asked(client: httpx.Client, path: str, **parameters: str) -> Any:  # noqa: ANN401 - JSON
    answer = client.get(f"{BIKES}/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def values(client: httpx.Client, **parameters: str) -> dict[str, float | None]:
    found = asked(client, "values", **{**DAYS, **parameters})["values"]
    return {each["area"]: each["value"] for each in found}


EXACT = {
    "city": 56, "district:old": 56,
    "place:bridge": 40, "place:market": 12, "place:park": 4,
    "device:acme/bridge": 40, "device:acme/market": 12, "device:acme/park": 4,
}  # fmt: skip
PUBLIC = {
    "city": 55, "district:old": 55,
    "place:bridge": 40, "place:market": None, "place:park": None,
    "device:acme/bridge": 40, "device:acme/market": None, "device:acme/park": None,
}  # fmt: skip


def test_the_public_gets_fives_and_no_small_count_and_a_key_gets_what_was_counted(
    counted: City,
) -> None:
    assert values(counted.api) == PUBLIC
    assert values(counted.admin) == EXACT
    assert values(counted.admin, public="true") == PUBLIC
    assert values(counted.api, includeHistory="true") == PUBLIC


def test_a_key_that_opens_nothing_is_refused_rather_than_answered_less(counted: City) -> None:
    headers = {"Authorization": "Bearer nobody-s-key"}
    assert counted.api.get(f"{BIKES}/values", headers=headers).status_code == 401


def test_a_suppressed_figure_says_so_and_gives_no_other_number(counted: City) -> None:
    (row,) = asked(counted.api, "values", **DAYS, area="place:park")["values"]
    assert (row["value"], row["unrounded"], row["reason"]) == (None, None, "suppressed")
    (zero,) = asked(counted.api, "values", **DAYS, area="place:bridge")["values"]
    assert (zero["value"], zero["unrounded"], zero["reason"]) == (40, None, None)


def test_exports_are_gated_as_values_are_also_those_of_an_archived_instant(counted: City) -> None:
    found = asked(counted.admin, "values", **DAYS)["values"]
    then = to_text(text_us(max(each["computed_at"] for each in found)) + STEP_US)
    for parameters in ({}, {"asOf": then}, {"includeHistory": "true"}):
        answer = counted.api.get(f"{BIKES}/export", params={"grain": "day", **parameters})
        read = {each["area"]: each["value"] for each in csv.DictReader(io.StringIO(answer.text))}
        assert read == {
            area: "" if value is None else str(value) for area, value in PUBLIC.items()
        }, parameters
    exact = counted.admin.get(f"{BIKES}/export", params={"grain": "day"}).text
    assert "place:park" in exact
    assert ",4," in exact


def test_explain_figure_and_compare_tell_the_public_nothing_of_what_is_hidden(
    counted: City,
) -> None:
    for area, value in PUBLIC.items():
        explained = asked(counted.api, "explain", **PERIOD, area=area)
        assert explained["value"]["value"] == value
        assert [each["value"] for each in explained["revisions"]] == [value]
        assert (explained["inputs"], explained["lineage"], explained["inputs_hash"]) == ([], {}, "")
        figure = asked(counted.api, "figure", **PERIOD, area=area)
        assert (figure["value"], figure["lineage"], figure["inputs_hash"]) == (value, {}, "")
        named = asked(counted.api, "figure", **PERIOD, area=area, revision="1")
        assert named["value"] == value
    compared = asked(counted.api, "compare", **PERIOD, area="city", with_area="place:park")
    assert (compared["left"]["value"], compared["right"]["value"]) == (55, None)
    assert compared["change"]["value"] is None
    exact = asked(counted.admin, "explain", **PERIOD, area="place:park")
    assert (exact["value"]["value"], exact["inputs"][0]["device"]) == (4, "acme/park")


def test_a_proof_holds_observations_so_the_public_gets_none(counted: City) -> None:
    path = f"{BIKES}/figure/proof"
    refused = counted.api.get(path, params={**PERIOD, "area": "city"})
    assert (refused.status_code, refused.json()["type"]) == (401, "urn:madina:problem:key_missing")
    assert counted.admin.get(path, params={**PERIOD, "area": "city"}).status_code == 200


def test_providers_are_no_second_way_to_add_up_the_same_devices(counted: City) -> None:
    body = {"from": DAY, "to": DAY, "grain": "day", "area": ["provider:acme"]}
    assert counted.admin.post(f"{BIKES}/compute", json=body).json()["values"][0]["value"] == 56
    assert values(counted.api, area="provider:acme") == {"provider:acme": None}


def test_air_is_nobody_s_personal_data(counted: City) -> None:
    answer = counted.api.get("/v1/indicators/air.mean.pm25/values")
    assert answer.status_code == 200
