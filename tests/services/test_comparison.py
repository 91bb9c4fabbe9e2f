"""Two figures compare when one definition is behind both; otherwise the definitions are told."""

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
FIRST, SECOND = "2026-03-10", "2026-03-11"


@pytest.fixture
def published(city: City, idle: Batch, rows: Callable[..., pa.Table]) -> City:
    """Return a city that published two days, 20 and 40 ug/m3, the second one twice."""
    city.registry.places.create("a test", PlaceDraft("center", district="old"))
    draft = DeviceDraft("acme", "air-1", kind="air", place="center", expected_interval_s=3_600.0)
    city.registry.devices.create("a test", draft)
    values = [(DAY_US + hour * HOUR_US, 20.0) for hour in range(24)]
    values += [(DAY_US + hour * HOUR_US, 40.0) for hour in range(24, 42)]
    city.apply(msgspec.structs.replace(idle, observations=rows(*values), series=[PM]))
    body = {"from": FIRST, "to": SECOND}
    for name in ("pm25", "overall"):
        path = f"/v1/indicators/air.aqi.us.{name}/compute"
        assert city.admin.post(path, json=body).status_code == 200
    late = [(DAY_US + hour * HOUR_US, 80.0) for hour in range(42, 48)]
    city.apply(msgspec.structs.replace(idle, observations=rows(*late)))
    assert city.admin.post(f"{AQI}/compute", json=body).json()["revised"] == 4
    return city


def test_two_days_of_one_definition_compare(published: City) -> None:
    asked = {"area": "place:center", "period": FIRST, "with_period": SECOND, "with_revision": 1}
    told = published.api.get(f"{AQI}/compare", params=asked).json()
    assert told["comparable"] is True
    assert (told["left"]["value"], told["right"]["value"]) == (71, 112)
    assert told["left"]["hash"] == told["right"]["hash"]
    assert told["change"] == {"value": 41.0, "ratio": 112 / 71, "completeness": -0.25}
    assert told["definitions"] == []


def test_two_revisions_of_one_figure_compare(published: City) -> None:
    asked = {"area": "city", "period": SECOND, "revision": 1, "with_revision": 2}
    told = published.api.get(f"{AQI}/compare", params=asked).json()
    assert (told["left"]["revision"], told["right"]["revision"]) == (1, 2)
    assert told["change"]["value"] == told["right"]["value"] - told["left"]["value"] > 0


def test_two_definitions_do_not_compare_and_the_answer_is_their_difference(published: City) -> None:
    asked = {"area": "city", "period": FIRST, "with_indicator": "air.aqi.us.overall"}
    told = published.api.get(f"{AQI}/compare", params=asked).json()
    assert told["comparable"] is False
    assert told["change"] is None
    members = {each["member"]: (each["left"], each["right"]) for each in told["definitions"]}
    assert members["hash"] == (told["left"]["hash"], told["right"]["hash"])
    assert members["id"] == ("air.aqi.us.pm25", "air.aqi.us.overall")
    assert members["formula.name"] == ("mean_index", "highest_index")
    assert members["inputs"][1] is None
    assert "title" not in members


def test_what_is_asked_again_is_not_sent_again(published: City) -> None:
    asked = {"area": "city", "period": FIRST, "with_period": SECOND}
    answer = published.api.get(f"{AQI}/compare", params=asked)
    known = {"If-None-Match": answer.headers["ETag"]}
    assert published.api.get(f"{AQI}/compare", params=asked, headers=known).status_code == 304


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"area": "city", "period": "2026-03-12"}, 404, "was never published"),
        ({"area": "city", "period": FIRST, "revision": "7"}, 404, "in revision 7"),
        ({"area": "place:*", "period": FIRST}, 422, "one area"),
        ({"area": "city", "period": "yesterday"}, 400, "yesterday"),
        ({"area": "city", "period": FIRST, "with_indicator": "air.nothing"}, 404, "nobody defined"),
        ({"area": "city", "period": FIRST, "version": "1.0.0"}, 404, "no version 1.0.0"),
    ],
)
def test_what_cannot_be_compared_is_told_why(
    published: City, asked: dict[str, str], status: int, words: str
) -> None:
    answer = published.api.get(f"{AQI}/compare", params=asked)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["detail"]
