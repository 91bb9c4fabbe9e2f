"""What services put on NATS: the access bucket for gateways, replays and drops for ingest."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest
from nats.aio.client import Client
from nats.js.errors import KeyNotFoundError

from city.access import ROUTES_KEY, AccessEntry, decode_entry, decode_routes, user_key
from city.frame import ControlKind, Door, Frame, decode_frame
from city.replay import ReplayRequest, decode_request
from city.subjects import ACCESS_BUCKET, STREAM
from store.interface import Batch, QuarantineEntry

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import City

pytestmark = pytest.mark.live
HELD = QuarantineEntry(
    id="2-17-3",
    shard=2,
    received_us=1_772_600_040_000_000,
    minute_us=1_772_600_040_000_000,
    topic="madina/v1/acme/meter-9/up",
    provider="acme",
    device="meter-9",
    route="native",
    codec="native",
    client="meter",
    flags=1,
    reason="json_syntax",
    words="line 1, byte 3: no object",
    payload=b"\x00{oops",
    length=6,
    sha256="ab",
    content_type="application/json",
)


def bucket_value(url: str, key: str) -> bytes | None:
    """Return what the bucket holds now."""

    async def read() -> bytes | None:
        client = Client()
        await client.connect(url)
        try:
            jetstream = client.jetstream()  # pyright: ignore[reportUnknownMemberType] - nats-py
            bucket = await jetstream.key_value(ACCESS_BUCKET)
            return (await bucket.get(key)).value
        except KeyNotFoundError:
            return None
        finally:
            await client.close()

    return asyncio.run(read())


def frames_of_services(url: str) -> list[Frame]:
    """Return what services have put on the log."""

    async def read() -> list[Frame]:
        client = Client()
        await client.connect(url)
        jetstream = client.jetstream()  # pyright: ignore[reportUnknownMemberType] - nats-py
        state = (await jetstream.stream_info(STREAM)).state
        found: list[Frame] = []
        for sequence in range(max(state.first_seq, 1), state.last_seq + 1):
            message = await jetstream.get_msg(STREAM, sequence, direct=True)
            if ".services." in (message.subject or ""):
                assert "'Madina-Count': '0'" in str(message)
                found.append(decode_frame(message.data or b""))
        await client.close()
        return found

    return asyncio.run(read())


def entry_of(city: City, user: str) -> AccessEntry | None:
    value = bucket_value(city.parts.nats_url, user_key(user))
    return None if value is None else decode_entry(value)


def test_a_new_provider_may_log_in_with_its_secret(
    city: City, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    secret = city.admin.post("/v1/providers", json={"name": "acme"}).json()["secret"]
    eventually(lambda: entry_of(city, "acme") is not None)
    entry = entry_of(city, "acme")
    assert entry is not None
    assert entry.opens_with(secret.encode())
    assert not entry.opens_with(b"another")


def test_a_renewed_disabled_and_removed_user_is_so_in_the_bucket(
    city: City, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    city.admin.post("/v1/providers", json={"name": "acme"})
    body = {"name": "acme/meter-7", "provider": "acme", "device": "meter-7"}
    assert city.admin.post("/v1/users", json=body).status_code == 201
    renewed = city.admin.post("/v1/users/acme/meter-7/secret").json()["secret"]

    def entry() -> AccessEntry:
        return entry_of(city, "acme/meter-7") or AccessEntry("", "")

    eventually(lambda: entry().opens_with(renewed.encode()))
    assert entry().device == "meter-7"
    city.admin.patch("/v1/users/acme/meter-7", json={"disabled": True})
    eventually(lambda: entry().disabled)
    city.admin.delete("/v1/users/acme/meter-7")
    eventually(lambda: entry_of(city, "acme/meter-7") is None)


def test_a_route_gives_its_provider_topics_and_levels(
    city: City, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    city.admin.post("/v1/providers", json={"name": "acme"})
    body = {
        "name": "boxes",
        "pattern": "boxes/+/#",
        "codec": "native",
        "provider": "acme",
        "levels": [1, 2],
    }
    assert city.admin.post("/v1/routes", json=body).status_code == 201
    eventually(
        lambda: (entry := entry_of(city, "acme")) is not None and entry.topics == ("boxes/+/#",)
    )
    rules = decode_routes(bucket_value(city.parts.nats_url, ROUTES_KEY) or b"")
    assert [(rule.filter, rule.levels) for rule in rules.rules] == [("boxes/+/#", (1, 2))]


def test_what_another_process_changes_in_the_registry_reaches_the_bucket(
    city: City, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    city.registry.users.create("a command", "solo", provider="solo")
    eventually(lambda: entry_of(city, "solo") is not None)


def test_an_accepted_device_is_told_to_every_shard(city: City, idle: Batch) -> None:
    parked = msgspec.structs.replace(HELD, reason="unknown_device")
    city.apply(msgspec.structs.replace(idle, quarantine=[parked]), shard=2)
    answer = city.admin.post("/v1/devices/accept", json={"devices": ["acme/meter-9"]})
    assert answer.json() == {"accepted": 1, "chosen": 1}
    frames = frames_of_services(city.parts.nats_url)
    assert sorted(frame.shard for frame in frames) == list(range(city.parts.shards))
    for frame in frames:
        assert frame.door is Door.SERVICES
        assert not frame.topics
        (control,) = frame.controls
        assert (control.kind, control.client) == (ControlKind.REPLAY, "admin")
        assert decode_request(control.detail) == ReplayRequest(
            reason="unknown_device", provider="acme", device="meter-9"
        )
    again = city.admin.post("/v1/devices/accept", json={"devices": ["acme/meter-9"]})
    assert again.json() == {"accepted": 0, "chosen": 1}


def test_a_device_whose_readings_wait_under_another_name_takes_up_all_of_its_provider(
    city: City,
) -> None:
    city.admin.post("/v1/devices/accept", json={"devices": ["acme/meter-9"]})
    (asked,) = {
        decode_request(frame.controls[0].detail)
        for frame in frames_of_services(city.parts.nats_url)
    }
    assert asked == ReplayRequest(reason="unknown_device", provider="acme")


def test_registering_a_device_takes_up_what_it_sent_before(city: City) -> None:
    city.admin.post("/v1/devices", json={"provider": "acme", "id": "a", "status": "pending"})
    assert frames_of_services(city.parts.nats_url) == []
    city.admin.patch("/v1/devices/acme/a", json={"status": "active"})
    assert len(frames_of_services(city.parts.nats_url)) == city.parts.shards


def test_many_devices_are_told_by_their_providers(city: City) -> None:
    items = [{"provider": "acme", "id": f"d-{number}"} for number in range(150)]
    city.admin.put("/v1/devices", json={"items": items})
    for frame in frames_of_services(city.parts.nats_url):
        (control,) = frame.controls
        assert decode_request(control.detail) == ReplayRequest(
            reason="unknown_device", provider="acme"
        )


def test_a_replay_and_a_drop_are_told_and_noted(city: City) -> None:
    answer = city.admin.post("/v1/quarantine/replay", json={"ids": ["0-1-0"]})
    assert (answer.status_code, answer.json()) == (202, {"shards": city.parts.shards})
    city.admin.post("/v1/quarantine/drop", json={"reason": "json_syntax"})
    told = [frame.controls[0] for frame in frames_of_services(city.parts.nats_url)]
    assert [control.kind for control in told].count(ControlKind.DROP) == city.parts.shards
    assert decode_request(told[0].detail).ids == ("0-1-0",)
    noted = [item["action"] for item in city.admin.get("/v1/audit").json()["items"]]
    assert noted == ["quarantine.dropped", "quarantine.replayed"]


def test_quarantine_shows_bytes_words_and_what_is_held(city: City, idle: Batch) -> None:
    partial = msgspec.structs.replace(
        HELD, id="2-18-0", state="partial", reasons=(("time_future", "pm2_5"),)
    )
    city.apply(msgspec.structs.replace(idle, quarantine=[HELD, partial]), shard=2)
    page = city.api.get("/v1/quarantine").json()
    assert page["held"] == {"json_syntax": 1}
    (shown,) = page["items"]
    assert (shown["payload"], shown["words"]) == ("AHtvb3Bz", "line 1, byte 3: no object")
    assert shown["received_at"] == "2026-03-04T04:54:00.000000Z"
    assert city.api.get("/v1/quarantine/2-17-3").json() == shown
    both = city.api.get("/v1/quarantine", params={"state": "any", "limit": 1}).json()
    assert [item["id"] for item in both["items"]] == ["2-18-0"]
    rest = city.api.get("/v1/quarantine", params={"state": "any", "cursor": both["next"]}).json()
    assert [item["id"] for item in rest["items"]] == ["2-17-3"]
    assert city.api.get("/v1/quarantine/9-9-9").status_code == 404
