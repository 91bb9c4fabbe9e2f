"""Observations over HTTP: by device and time, in pages, the newest, and live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from city.live import LiveObservation
from registry.records import DeviceDraft
from store.interface import Batch, Series

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx
    import pyarrow as pa
    from conftest import City, Parts

pytestmark = pytest.mark.live

START_US = 1_772_600_040_000_000
SECOND_US = 1_000_000
PM = Series(0, "acme", "air-1", "pm2_5", "ug/m3", "number")


@pytest.fixture
def measured(city: City, idle: Batch, rows: Callable[..., pa.Table]) -> City:
    """Return a city with ten values, one a second, and one conflict at the third of them."""
    city.registry.devices.create("a test", DeviceDraft("acme", "air-1", kind="air"))
    values = [(START_US + n * SECOND_US, float(n)) for n in range(10)]
    city.apply(
        msgspec.structs.replace(
            idle,
            observations=rows(*values),
            conflicts=rows((START_US + 2 * SECOND_US, 99.0)),
            series=[PM],
        )
    )
    return city


def asked(city: City, **parameters: object) -> httpx.Response:
    return city.api.get("/v1/observations", params=parameters)  # type: ignore[arg-type]


def test_observations_have_the_shape_that_is_promised(measured: City) -> None:
    (first, *_rest) = asked(measured, device="acme/air-1").json()["items"]
    assert first == {
        "device": "acme/air-1",
        "quantity": "pm2_5",
        "value": 0.0,
        "unit": "ug/m3",
        "time": "2026-03-04T04:54:00.000000Z",
        "end": None,
        "flag": 2,
        "received_at": "2026-03-04T04:54:00.001000Z",
        "metadata": None,
    }


def test_from_is_included_and_to_is_not(measured: City) -> None:
    items = asked(
        measured,
        device="acme/air-1",
        **{"from": "2026-03-04T04:54:03Z", "to": "2026-03-04T05:54:05+01:00"},
    ).json()["items"]
    assert [item["value"] for item in items] == [3.0, 4.0]


def test_pages_follow_each_other_and_keep_conflicts_beside_the_first_value(measured: City) -> None:
    pages: list[list[float]] = []
    cursor: str | None = None
    while True:
        page = asked(measured, device="air-1", limit=3, **({"cursor": cursor} if cursor else {}))
        pages.append([item["value"] for item in page.json()["items"]])
        cursor = page.json()["next"]
        if cursor is None:
            break
    assert pages == [[0.0, 1.0, 2.0, 99.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0], [9.0]]


def test_a_conflict_says_so(measured: City) -> None:
    items = asked(measured, device="air-1").json()["items"]
    (conflict,) = [item for item in items if item["value"] == 99.0]
    assert conflict["metadata"] == {"notes": ["conflict"]}


def test_a_bare_id_of_two_providers_is_ambiguous(measured: City) -> None:
    measured.registry.devices.create("a test", DeviceDraft("other", "air-1"))
    answer = asked(measured, device="air-1")
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["type"] == "urn:madina:problem:ambiguous_device"
    assert problem["providers"] == ["acme", "other"]


def test_a_device_that_nobody_registered_is_not_found(measured: City) -> None:
    answer = asked(measured, device="acme/air-9")
    assert answer.status_code == 404
    assert answer.json()["name"] == "acme/air-9"


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "bnVsbA",
        "é",
        "W10",
        "WyJhIiwxXQ",
        "WzFlMzAsIDFd",
        "WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDAwLDFd",
    ],
)
def test_a_cursor_of_somebody_else_is_refused(measured: City, cursor: str) -> None:
    answer = asked(measured, device="air-1", cursor=cursor)
    assert answer.status_code == 400
    assert answer.json()["field"] == "cursor"


def test_latest_values_come_from_the_store_at_start(
    parts: Parts,
    serve: Callable[..., City],
    idle: Batch,
    rows: Callable[..., pa.Table],
    eventually: Callable[[Callable[[], bool]], None],
) -> None:
    table = rows((START_US, 1.0), (START_US + SECOND_US, 2.0))
    parts[0].store.write(msgspec.structs.replace(idle, observations=table, series=[PM]))
    city = serve(parts)
    latest = "/v1/observations/latest"
    eventually(lambda: bool(city.api.get(latest).json()["items"]))
    (item,) = city.api.get(latest).json()["items"]
    assert (item["value"], item["time"]) == (2.0, "2026-03-04T04:54:01.000000Z")


def test_latest_values_are_replaced_by_newer_ones_only(
    city: City, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    def value() -> list[float]:
        items = city.api.get("/v1/observations/latest").json()["items"]
        return [item["value"] for item in items]

    city.ingest_tells(seen(5.0, START_US))
    eventually(lambda: value() == [5.0])
    city.ingest_tells(seen(4.0, START_US - 1), seen(6.0, START_US + 1, device="air-2"))
    eventually(lambda: value() == [5.0, 6.0])


def test_latest_values_come_in_pages_of_devices(
    city: City, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    city.ingest_tells(*(seen(float(n), START_US, device=f"air-{n}") for n in range(5)))
    latest = "/v1/observations/latest"
    eventually(lambda: len(city.api.get(latest).json()["items"]) == 5)
    first = city.api.get(latest, params={"limit": 3}).json()
    rest = city.api.get(latest, params={"limit": 3, "cursor": first["next"]}).json()
    assert [item["device"] for item in first["items"]] == [f"acme/air-{n}" for n in range(3)]
    assert [item["device"] for item in rest["items"]] == ["acme/air-3", "acme/air-4"]
    assert rest["next"] is None


def test_live_sends_what_is_wanted_as_it_is_stored(city: City) -> None:
    with city.api.stream("GET", "/v1/live", params={"device": "acme/air-2"}) as stream:
        lines = stream.iter_lines()
        assert next(lines) == ": watching"
        city.ingest_tells(seen(1.0, START_US), seen(2.0, START_US, device="air-2"))
        event, data = next_event(lines)
    assert event == "observation"
    assert (data["device"], data["value"], data["kind"]) == ("acme/air-2", 2.0, "air")


def test_more_than_anybody_can_read_is_told_as_lost(city: City) -> None:
    with city.api.stream("GET", "/v1/live") as stream:
        lines = stream.iter_lines()
        assert next(lines) == ": watching"
        city.ingest_tells(*(seen(float(n), START_US + n) for n in range(300)))
        assert next_event(lines) == ("lost", {"lost": 200})
        event, first = next_event(lines)
    assert (event, first["value"]) == ("observation", 200.0)


def next_event(lines: Iterator[str]) -> tuple[str, dict[str, Any]]:
    """Return the name and the data of the next event of a stream."""
    event = ""
    for line in lines:
        if line.startswith("event: "):
            event = line.removeprefix("event: ")
        if line.startswith("data: "):
            return event, msgspec.json.decode(line.removeprefix("data: "))
    pytest.fail("the stream ended")


def seen(value: float, time_us: int, device: str = "air-1") -> LiveObservation:
    return LiveObservation("acme", device, "pm2_5", value, time_us, time_us, 1, "ug/m3", kind="air")


def test_completeness_of_a_device_that_sent_nothing(city: City) -> None:
    body = {"provider": "acme", "id": "still", "expected_interval_s": 3_600}
    assert city.admin.post("/v1/devices", json=body).status_code == 201
    asked = {"device": "acme/still", "from": "2026-03-04T00:00:00Z", "to": "2026-03-05T00:00:00Z"}
    found = city.api.get("/v1/device-completeness", params=asked).json()
    slots = {"interval_s": 3_600.0, "used": 0, "expected": 24, "availability": 0.0}
    assert (found["slots"], found["frames"]) == (slots, None)
    for wrong, field in (
        ({"to": "2026-03-03T00:00:00Z"}, "to"),
        ({"from": "2020-01-01T00:00:00Z"}, "from"),
    ):
        refused = city.api.get("/v1/device-completeness", params={**asked, **wrong})
        assert (refused.status_code, refused.json()["field"]) == (422, field)


def test_completeness_of_more_than_one_answer_reads_is_refused(
    measured: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"device": "acme/air-1", "from": "2026-03-04T00:00:00Z", "to": "2026-03-05T00:00:00Z"}
    monkeypatch.setattr("services.api.completeness.ROWS_MAX", 10)
    assert measured.api.get("/v1/device-completeness", params=asked).status_code == 200
    monkeypatch.setattr("services.api.completeness.ROWS_MAX", 9)
    refused = measured.api.get("/v1/device-completeness", params=asked)
    assert (refused.status_code, refused.json()["field"]) == (422, "from")
    assert "ask for a shorter time" in refused.json()["detail"]
