"""Devices that nobody has registered: listed with what they send, accepted by name or by filter."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from store.interface import OBSERVATION_SCHEMA, Batch, QuarantineEntry

if TYPE_CHECKING:
    from conftest import City

pytestmark = pytest.mark.live

AT_US = 1_790_000_000_000_000
NOTHING = OBSERVATION_SCHEMA.empty_table()
BOXES = {"name": "boxes", "pattern": "boxes/#", "codec": "senml-json", "provider": "acme"}


def entry(number: int, device: str, topic: str, payload: bytes, **parts: Any) -> QuarantineEntry:  # noqa: ANN401
    usual: dict[str, Any] = {
        "id": f"0-{number}-0", "shard": 0, "received_us": AT_US + number, "minute_us": AT_US,
        "topic": topic, "provider": "acme", "device": device, "route": "native",
        "codec": "native", "client": "c", "flags": 1, "reason": "unknown_device",
        "words": "nobody has registered it", "payload": payload, "length": len(payload),
        "sha256": hashlib.sha256(payload).hexdigest(),
    }  # fmt: skip
    return QuarantineEntry(**(usual | parts))


def native(number: int, device: str, quantity: str, **parts: Any) -> QuarantineEntry:  # noqa: ANN401
    payload = msgspec.json.encode(
        {"t": AT_US // 1_000, "obs": [{"q": quantity, "v": number}, {"q": "temperature", "v": 1}]}
    )
    return entry(number, device, f"madina/v1/acme/{device}/up", payload, **parts)


def parked(city: City, *entries: QuarantineEntry) -> None:
    city.apply(Batch([], [], [], [], NOTHING, NOTHING, quarantine=list(entries)))


def unknown(city: City, **asked: str | int) -> list[dict[str, Any]]:
    answer = city.api.get("/v1/unknown-devices", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def test_an_unknown_device_is_shown_with_what_it_seems_to_be(city: City) -> None:
    parked(city, native(1, "air-1", "pm2_5"), native(2, "air-1", "pm2_5"))
    (found,) = unknown(city)
    assert found["device"] == found["waits_as"] == "acme/air-1"
    assert (found["status"], found["messages"]) == ("unknown", 2)
    assert (found["guessed_kind"], found["time_unit"]) == ("air", "ms")
    assert found["units"] == {"pm2_5": "ug/m3", "temperature": "Cel"}
    newest = found["samples"][0]
    assert (newest["entry"], newest["fault"]) == ("0-2-0", "")
    assert newest["values"][0] == {
        "quantity": "pm2_5", "value": 2.0, "unit": "ug/m3", "time": "2026-09-21T14:13:20.000000Z",
    }  # fmt: skip


def test_a_sample_that_cannot_be_read_says_why(city: City) -> None:
    parked(
        city,
        entry(1, "a", "elsewhere/a", b"{}"),
        native(2, "b", "pm10", length=1 << 20),
        entry(3, "c", "madina/v1/acme/c/up", b"{"),
    )
    faults = [each["samples"][0]["fault"] for each in unknown(city)]
    assert faults[0] == "no route speaks of its topic"
    assert "64 KiB" in faults[1]
    assert faults[2]
    assert [each["guessed_kind"] for each in unknown(city)] == ["", "", ""]


def test_other_devices_of_a_message_are_listed_with_the_one_it_waits_for(city: City) -> None:
    assert city.admin.post("/v1/routes", json=BOXES).is_success
    payload = b'[{"bn":"a:","n":"laeq","u":"dB","v":60},{"bn":"b:","n":"laeq","v":61}]'
    parked(city, entry(1, "a", "boxes/1", payload, route="boxes", codec="senml-json"))
    assert [(each["device"], each["waits_as"]) for each in unknown(city)] == [
        ("acme/a", "acme/a"),
        ("acme/b", "acme/a"),
    ]
    city.admin.post("/v1/devices", json={"provider": "acme", "id": "a"})
    assert [each["device"] for each in unknown(city)] == ["acme/b"]


def test_the_list_is_narrowed_and_paged(city: City) -> None:
    parked(
        city,
        *(native(number, f"air-{number}", "pm10") for number in range(1, 4)),
        native(9, "noise-1", "laeq"),
    )
    for asked, devices in (
        ({"name": "noise-*"}, ["acme/noise-1"]),
        ({"name": "acme/air-?", "kind": "air"}, ["acme/air-1", "acme/air-2", "acme/air-3"]),
        ({"provider": "water"}, []),
        ({"route": "boxes"}, []),
    ):
        assert [each["device"] for each in unknown(city, **asked)] == devices, asked
    page = city.api.get("/v1/unknown-devices", params={"limit": 3}).json()
    rest = unknown(city, cursor=page["next"])
    assert [each["device"] for each in [*page["items"], *rest]] == [
        "acme/air-1", "acme/air-2", "acme/air-3", "acme/noise-1",
    ]  # fmt: skip


def test_a_filter_accepts_all_it_lists_with_their_guessed_kinds(city: City) -> None:
    retired = {"provider": "acme", "id": "air-2", "status": "retired"}
    pending = {"provider": "acme", "id": "air-3", "status": "pending", "kind": "dust"}
    assert city.admin.put("/v1/devices", json={"items": [retired, pending]}).is_success
    parked(
        city,
        *(native(number, f"air-{number}", "pm10") for number in range(1, 4)),
        native(9, "noise-1", "laeq"),
    )
    body = {"filter": {"name": "air-*"}, "guess": True}
    answer = city.admin.post("/v1/devices/accept", json=body)
    assert answer.json() == {"accepted": 2, "chosen": 2}
    devices = city.api.get("/v1/devices").json()["items"]
    assert [(each["id"], each["status"], each["kind"]) for each in devices] == [
        ("air-1", "active", "air"), ("air-2", "retired", ""), ("air-3", "active", "dust"),
    ]  # fmt: skip
    assert [each["device"] for each in unknown(city)] == ["acme/air-2", "acme/noise-1"]
    named = {"devices": ["acme/noise-1"], "kind": "sound"}
    assert city.admin.post("/v1/devices/accept", json=named).json()["accepted"] == 1
    assert city.api.get("/v1/devices/noise-1").json()["kind"] == "sound"


@pytest.mark.parametrize("body", [{}, {"devices": ["acme/a"], "filter": {}}])
def test_an_acceptance_says_which_devices(city: City, body: dict[str, Any]) -> None:
    answer = city.admin.post("/v1/devices/accept", json=body)
    assert answer.status_code == 422
    assert "devices" in answer.json()["field"]
