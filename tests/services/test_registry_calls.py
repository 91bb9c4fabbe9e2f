"""Devices, providers, places, routes, users, keys and the audit log over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import City

pytestmark = pytest.mark.live

DEVICE = {"provider": "acme", "id": "meter-7", "kind": "water", "expected_interval_s": 900}

RING = [[8, 47], [9, 47], [9, 48], [8, 48], [8, 47]]
WEST = {"type": "Polygon", "coordinates": [RING]}

# A changing call of each resource; the body is one that works.
CHANGES = [
    ("POST", "/v1/devices", DEVICE),
    ("PUT", "/v1/devices", {"items": [DEVICE]}),
    ("POST", "/v1/devices/plan", {"items": [DEVICE]}),
    ("PATCH", "/v1/devices", {"items": [{**DEVICE, "name": "Meter"}]}),
    ("POST", "/v1/devices/accept", {"devices": ["acme/meter-7"]}),
    ("PATCH", "/v1/devices/acme/meter-7", {"name": "Meter 7"}),
    ("POST", "/v1/providers", {"name": "acme"}),
    ("PATCH", "/v1/providers/acme", {"title": "Acme"}),
    ("POST", "/v1/places", {"name": "square"}),
    ("PATCH", "/v1/places/square", {"title": "Square"}),
    ("PUT", "/v1/districts", {"items": [{"name": "west", "geometry": WEST}]}),
    ("DELETE", "/v1/districts/west", None),
    ("POST", "/v1/profiles", {"name": "sds011", "kind": "air"}),
    ("PATCH", "/v1/profiles/sds011", {"expected_interval_s": 150}),
    ("DELETE", "/v1/profiles/sds011", None),
    (
        "POST",
        "/v1/calibrations",
        {"device": "acme/meter-7", "quantity": "flow", "valid_from": "2026-01-01T00:00:00Z"},
    ),
    ("DELETE", "/v1/calibrations/1", None),
    ("POST", "/v1/maintenance", {"device": "acme/meter-7", "since": "2026-01-01T00:00:00Z"}),
    ("DELETE", "/v1/maintenance/1", None),
    (
        "POST",
        "/v1/device-hardware",
        {"device": "acme/meter-7", "hardware": "meter-8", "at": "2026-01-01T00:00:00Z"},
    ),
    ("POST", "/v1/routes", {"name": "r", "pattern": "a/#", "codec": "native"}),
    ("PATCH", "/v1/routes/native", {"enabled": False}),
    ("DELETE", "/v1/routes/native", None),
    ("POST", "/v1/users", {"name": "acme", "provider": "acme"}),
    ("POST", "/v1/users/acme/secret", None),
    ("PATCH", "/v1/users/acme", {"disabled": True}),
    ("DELETE", "/v1/users/acme", None),
    ("POST", "/v1/keys", {"name": "a script"}),
    ("DELETE", "/v1/keys/abc", None),
    ("POST", "/v1/quarantine/replay", {"reason": "unknown_device"}),
    ("POST", "/v1/quarantine/drop", {"reason": "unknown_device"}),
]


def made(answer: httpx.Response) -> dict[str, Any]:
    """Return what a call made."""
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


def actions(city: City) -> list[tuple[str, str, str]]:
    items = city.admin.get("/v1/audit").json()["items"]
    return [(item["actor"], item["action"], item["subject"]) for item in items]


def test_no_changing_call_works_without_a_key_or_with_a_wrong_one(city: City) -> None:
    before = len(actions(city))
    for method, path, body in CHANGES:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic YTpi"}):
            answer = city.api.request(method, path, json=body, headers=headers)
            assert answer.status_code == 401, f"{method} {path}"
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"].startswith("Bearer")
    assert len(actions(city)) == before


def test_every_changing_call_is_in_the_audit_log(city: City) -> None:
    def last() -> int:
        return city.admin.get("/v1/audit", params={"limit": 1}).json()["items"][0]["id"]

    for method, path, body in CHANGES:
        count = last() if actions(city) else 0
        answer = city.admin.request(method, path, json=body)
        if answer.is_success and (method, path) != ("PUT", "/v1/devices"):
            assert path.endswith(("/accept", "/plan")) or last() > count, f"{method} {path}"


def test_a_key_of_the_api_changes_facts_under_its_own_name(city: City) -> None:
    key = made(city.admin.post("/v1/keys", json={"name": "importer"}))
    headers = {"Authorization": f"Bearer {key['key']}"}
    assert city.api.post("/v1/places", json={"name": "square"}, headers=headers).is_success
    assert (f"key:{key['id']}", "place.created", "square") in actions(city)


def test_a_key_of_the_api_makes_neither_keys_nor_users(city: City) -> None:
    key = made(city.admin.post("/v1/keys", json={"name": "importer"}))["key"]
    for path, body in (
        ("/v1/keys", {"name": "another"}),
        ("/v1/users", {"name": "acme", "provider": "acme"}),
    ):
        answer = city.api.post(path, json=body, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:madina:problem:admin_only"


def test_a_revoked_key_opens_nothing(city: City) -> None:
    key = made(city.admin.post("/v1/keys", json={"name": "importer"}))
    assert city.admin.delete(f"/v1/keys/{key['id']}").status_code == 204
    headers = {"Authorization": f"Bearer {key['key']}"}
    assert city.api.post("/v1/places", json={"name": "x"}, headers=headers).status_code == 401
    assert "key" not in city.admin.get("/v1/keys").text.replace("keys", "")


def test_a_device_is_registered_read_changed_and_listed(city: City) -> None:
    device = made(city.admin.post("/v1/devices", json=DEVICE))
    assert device["device"] == "acme/meter-7"
    assert device["status"] == "active"
    changed = made(city.admin.patch("/v1/devices/acme/meter-7", json={"name": "Meter 7"}))
    assert (changed["name"], changed["kind"]) == ("Meter 7", "water")
    assert city.api.get("/v1/devices/meter-7").json() == changed
    assert city.api.get("/v1/devices", params={"text": "METER"}).json()["items"] == [changed]


def test_maintenance_is_said_listed_and_taken_back(city: City) -> None:
    made(city.admin.post("/v1/devices", json=DEVICE))
    body = {"device": "meter-7", "since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"}
    said = made(city.admin.post("/v1/maintenance", json=body))
    assert (said["device"], said["until"]) == ("acme/meter-7", "2026-01-02T00:00:00.000000Z")
    for asked in ({}, {"device": "acme/meter-7"}):
        assert city.api.get("/v1/maintenance", params=asked).json()["items"] == [said]
    wrong = city.admin.post("/v1/maintenance", json={**body, "until": body["since"]})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "until")
    assert city.admin.delete(f"/v1/maintenance/{said['id']}").status_code == 204
    assert city.admin.delete(f"/v1/maintenance/{said['id']}").status_code == 404
    now = made(city.admin.post("/v1/maintenance", json={**body, "until": None}))
    assert now["until"] is None


def test_a_calibration_is_previewed_registered_and_withdrawn(city: City) -> None:
    made(city.admin.post("/v1/devices", json=DEVICE))
    body = {"device": "meter-7", "quantity": "flow", "valid_from": "2026-01-01T00:00:00Z",
            "factor": 1.02}  # fmt: skip
    nothing: dict[str, Any] = {"touched": 0, "computed": 0, "changed": []}
    assert city.admin.post("/v1/calibrations/preview", json=body).json() == nothing
    assert city.api.get("/v1/calibrations").json()["items"] == []
    said = made(city.admin.post("/v1/calibrations", json=body))
    again = city.admin.post("/v1/calibrations/preview", json=body)
    assert (again.status_code, again.json()["field"]) == (422, "valid_from")
    path = f"/v1/calibrations/{said['id']}"
    assert city.admin.get(f"{path}/removal").json() == nothing
    assert city.api.get(f"{path}/removal").status_code == 401
    assert city.admin.delete(path).status_code == 204
    assert city.admin.get(f"{path}/removal").status_code == 404


def test_a_device_is_replaced_in_its_place(city: City) -> None:
    made(city.admin.post("/v1/devices", json=DEVICE))
    body = {"device": "meter-7", "hardware": "acme/eui-2", "at": "2026-01-01T00:00:00Z"}
    stood = made(city.admin.post("/v1/device-hardware", json={**body, "note": "lorry"}))["items"]
    assert [(each["hardware"], each["since"], each["until"]) for each in stood] == [
        ("acme/meter-7", None, "2026-01-01T00:00:00.000000Z"),
        ("acme/eui-2", "2026-01-01T00:00:00.000000Z", None),
    ]
    named = {"device": "acme/eui-2"}
    assert city.api.get("/v1/device-hardware", params=named).json()["items"] == stood
    assert ("admin", "device.replaced", "acme/meter-7") in actions(city)
    for parts, field in (
        ({"hardware": "water/x"}, "hardware"),
        ({"at": "2025-01-01T00:00:00Z"}, "at"),
    ):
        answer = city.admin.post("/v1/device-hardware", json={**body, "hardware": "c", **parts})
        assert (answer.status_code, answer.json()["field"]) == (422, field)
    nobody = {**body, "device": "acme/nobody"}
    assert city.admin.post("/v1/device-hardware", json=nobody).status_code == 404


def test_an_id_with_escaped_characters_is_found_by_its_address(city: City) -> None:
    made(city.admin.post("/v1/devices", json={"provider": "acme", "id": "a%2Fb:c"}))
    assert city.api.get("/v1/devices/acme/a%252Fb:c").json()["id"] == "a%2Fb:c"


def test_devices_come_in_pages(city: City) -> None:
    items = [{"provider": "acme", "id": f"d-{number}"} for number in range(7)]
    assert made(city.admin.put("/v1/devices", json={"items": items}))["created"] == 7
    assert made(city.admin.put("/v1/devices", json={"items": items}))["unchanged"] == 7
    seen: list[str] = []
    cursor = None
    while True:
        parameters = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = city.api.get("/v1/devices", params=parameters).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [f"d-{number}" for number in range(7)]


def test_a_name_that_is_taken_is_a_conflict(city: City) -> None:
    made(city.admin.post("/v1/devices", json=DEVICE))
    answer = city.admin.post("/v1/devices", json=DEVICE)
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:madina:problem:already_there"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/devices", {"provider": "acme", "id": "a/b"}, "id"),
        ("/v1/devices", {"provider": "acme", "id": "a", "lat": 91, "lon": 0}, "lat"),
        ("/v1/devices", {"provider": "acme", "id": "a", "tags": "x"}, "tags"),
        ("/v1/devices", {"provider": "acme", "id": "a", "colour": "red"}, "colour"),
        ("/v1/providers", {"name": "indicators"}, "name"),
        ("/v1/routes", {"name": "r", "pattern": "a/#/b", "codec": "native"}, "pattern"),
        ("/v1/routes", {"name": "r", "pattern": "a", "codec": "n", "timezone": "Mars"}, "timezone"),
        ("/v1/users", {"name": "u", "provider": ""}, "name"),
        ("/v1/users", {"name": "", "provider": "acme"}, "name"),
        ("/v1/quarantine/replay", {}, "ids"),
        ("/v1/devices/accept", {"devices": ["meter-7"]}, "devices"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(
    city: City, path: str, body: dict[str, Any], field: str
) -> None:
    answer = city.admin.post(path, json=body)
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert problem["field"] == field
    assert problem["mend"]


def test_a_device_stands_at_its_place(city: City) -> None:
    place = {"name": "square", "lat": 40.4, "lon": -3.7, "district": "centro"}
    made(city.admin.post("/v1/places", json=place))
    made(city.admin.post("/v1/devices", json=DEVICE | {"place": "square"}))
    assert city.api.get("/v1/places/square").json()["district"] == "centro"
    answer = city.admin.post("/v1/devices", json=DEVICE | {"id": "x", "place": "nowhere"})
    assert answer.status_code == 404
    assert answer.json()["kind"] == "place"


def test_every_city_has_the_native_route(city: City) -> None:
    (route,) = city.api.get("/v1/routes").json()["items"]
    assert (route["name"], route["pattern"], route["codec"], route["provider"]) == (
        "native",
        "madina/v1/+/+/up",
        "native",
        None,
    )


def test_a_removed_route_is_gone_and_its_name_can_be_used_again(city: City) -> None:
    body = {"name": "boxes", "pattern": "boxes/#", "codec": "native", "provider": "acme"}
    made(city.admin.post("/v1/routes", json=body))
    assert city.admin.delete("/v1/routes/boxes").status_code == 204
    assert city.api.get("/v1/routes/boxes").status_code == 404
    made(city.admin.post("/v1/routes", json=body))


def test_a_provider_gets_a_user_whose_secret_is_shown_once(city: City) -> None:
    provider = made(city.admin.post("/v1/providers", json={"name": "acme", "title": "Acme"}))
    assert len(provider["secret"]) >= 40
    for path in ("/v1/providers/acme", "/v1/providers", "/v1/users/acme", "/v1/audit"):
        assert provider["secret"] not in city.admin.get(path).text
    assert provider["secret"] not in city.api.get("/v1/providers").text


def test_users_are_not_shown_to_everybody(city: City) -> None:
    for path in ("/v1/users", "/v1/keys", "/v1/audit"):
        assert city.api.get(path).status_code == 401


def test_a_body_that_is_too_large_or_no_json_is_refused(city: City) -> None:
    large = city.admin.post("/v1/places", content=b'"' + b"x" * (9 << 20) + b'"')
    assert large.status_code == 413
    assert large.json()["type"] == "urn:madina:problem:too_large"
    endless = city.admin.post("/v1/places", content=(b"x" * (1 << 20) for _ in range(9)))
    assert endless.status_code == 413
    assert endless.json()["type"] == "urn:madina:problem:too_large"
    headers = {"Content-Type": "application/json"}
    broken = city.admin.post("/v1/places", content=b'{"name": "x', headers=headers)
    assert broken.status_code == 422


def test_unknown_addresses_are_problems_too(city: City) -> None:
    answer = city.api.get("/v1/nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert city.api.put("/v1/ledger").status_code == 405


def test_pages_metrics_and_reference_are_served(
    city: City, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    assert "a page" in city.api.get("/").text

    def counted() -> bool:
        city.gateway_tells(messages=7)
        wanted = 'madina_gateway_messages_total{gateway="gateway-0"} 7.0'
        return wanted in city.api.get("/metrics").text

    eventually(counted)
    reference = city.api.get("/docs").text
    assert "POST /v1/quarantine/replay" in reference
    assert "<script" not in reference
    assert "https://" not in reference
