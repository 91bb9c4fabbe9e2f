"""`GET /v1/inspect`: what came in lately is explained to whoever has a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from madina.log_inspector import LogInspector

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import City, Parts

pytestmark = pytest.mark.live


def test_what_came_in_is_explained(city: City) -> None:
    route = {"name": "boxes", "pattern": "boxes/#", "codec": "mapping", "provider": "acme",
             "enabled": True}  # fmt: skip
    assert city.admin.post("/v1/routes", json=route).status_code == 201
    body = [{"id": f"b{number}", "temp_c": 20 + number} for number in range(3)]
    assert city.admin.post("/v1/ingest/boxes/hall", json=body).status_code == 202
    # Nobody's any more: what came is to be recognised.
    assert city.admin.delete("/v1/routes/boxes").status_code == 204
    found = city.admin.get("/v1/inspect", params={"topic": "boxes/#", "seconds": 600}).json()
    (group,) = found["groups"]
    assert (found["messages"], found["cut"], group["codec"]) == (3, False, "mapping")
    assert [each["id"] for each in group["devices"]] == ["b0", "b1", "b2"]
    assert [each["unit"] for each in group["quantities"]] == ["Cel"]
    named = {"topic": "boxes/#", "seconds": 600, "provider": "parks"}
    assert city.admin.get("/v1/inspect", params=named).json()["groups"][0]["provider"] == "parks"


def test_messages_are_for_whoever_runs_the_platform(city: City) -> None:
    assert city.api.get("/v1/inspect").status_code == 401
    wrong = city.admin.get("/v1/inspect", params={"topic": "a/#/b"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "topic")
    empty = city.admin.get("/v1/inspect", params={"topic": "nobody/#"})
    assert empty.json() == {"messages": 0, "groups": [], "cut": False}


def test_a_log_that_is_not_there_is_said(
    parts: Parts, serve: Callable[[Parts], City], free_port: Callable[[], int]
) -> None:
    nowhere = LogInspector(f"nats://127.0.0.1:{free_port()}", 1, "UTC", parts[0].clock)
    city = serve((msgspec.structs.replace(parts[0], inspects=nowhere), parts[1]))
    away = city.admin.get("/v1/inspect")
    assert (away.status_code, away.json()["type"]) == (503, "urn:madina:problem:log_away")
