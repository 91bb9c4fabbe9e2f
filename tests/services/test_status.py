"""Status and readiness: what the page shows, from real parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from city.clock import US_PER_S
from city.gateway_state import BrokerState
from city.instants import to_text
from city.live import LiveObservation
from city.presence import PRESENCE, Presence, encode_presence
from registry.records import DeviceDraft
from store.interface import Batch, CodecRecord, LedgerRow, QuarantineEntry

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import City, Parts

pytestmark = pytest.mark.live

NOW_US = 1_772_600_040_000_000


def seen(device: str, value: float, time_us: int) -> LiveObservation:
    return LiveObservation("acme", device, "pm2_5", value, time_us, time_us, 1, "ug/m3")


def entry(number: int) -> QuarantineEntry:
    return QuarantineEntry(
        id=f"0-{number}-0",
        shard=0,
        received_us=NOW_US + number,
        minute_us=NOW_US,
        topic="madina/v1/acme/meter-9/up",
        provider="acme",
        device="meter-9",
        route="native",
        codec="native",
        client="c",
        flags=1,
        reason="unknown_device",
        words="nobody has registered meter-9 of acme",
        payload=b"{}",
        length=2,
        sha256="",
    )


def reasons(city: City) -> list[str]:
    return [reason["part"] for reason in city.api.get("/readyz").json()["reasons"]]


def status(city: City) -> dict[str, Any]:
    answer = city.api.get("/v1/status")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_platform_whose_gateway_speaks_is_ready(
    city: City, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    assert city.api.get("/healthz").json()["healthy"]
    assert city.api.get("/readyz").status_code == 503
    assert reasons(city) == ["gateway"]

    def ready() -> bool:
        city.gateway_tells()
        return city.api.get("/readyz").status_code == 200

    eventually(ready)


def test_what_ingest_and_gateways_say_is_passed_on(
    city: City, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    city.log_messages(1)
    city.gateway_tells(reason="the log is full", waiting=True, log="full")
    city.ingest_is(store_words="disk full", owned=0)
    eventually(lambda: sorted(reasons(city)) == ["gateway", "ingest", "store"])
    assert not status(city)["ready"]


def test_a_ledger_that_does_not_close_is_told(
    city: City, idle: Batch, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    lost = LedgerRow(0, NOW_US, "acme", "native", accepted=3)
    city.apply(msgspec.structs.replace(idle, ledger=[lost]), messages=4)
    city.gateway_tells()
    eventually(lambda: "ledger" in reasons(city))


def test_what_a_bridge_says_of_its_brokers_is_passed_on(
    city: City, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    well = BrokerState("here:1883", "c1", connected=True, messages=7, last_us=NOW_US, version="5.0")
    refused = "the broker refuses 'a/#': code 0x80"
    wrong = BrokerState("there:1883", "c2", reason=refused, warning="1 messages are too long")

    def told() -> bool:
        city.gateway_tells()
        city.gateway_tells(name="bridge-0", brokers=(well, wrong))
        return len(status(city)["brokers"]) == 2

    eventually(told)
    answer = city.api.get("/readyz")
    assert answer.status_code == 503
    assert [(each["part"], each["level"], each["words"]) for each in answer.json()["reasons"]] == [
        ("bridge", "error", f"there:1883: {refused}"),
        ("bridge", "warning", "there:1883: 1 messages are too long"),
    ]
    first = status(city)["brokers"][0]
    assert (first["name"], first["gateway"], first["messages"]) == ("here:1883", "bridge-0", 7)
    assert first["last"] == "2026-03-04T04:54:00.000000Z"
    metrics = city.api.get("/metrics").text
    labels = '{broker="here:1883",client="c1",gateway="bridge-0"}'
    troubled = labels.replace("here", "there").replace("c1", "c2")
    assert f"madina_broker_connected{labels} 1.0" in metrics
    assert f"madina_broker_messages_total{labels} 7.0" in metrics
    assert f"madina_broker_troubled{troubled} 1.0" in metrics


def test_rates_and_lags_are_those_of_gateways_ingest_and_log(
    city: City, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    city.ingest_is(messages_per_s=810.5, observations_per_s=1_621.0, work_s=0.25, commit_s=0.5)
    city.log_messages(17)
    told: dict[str, Any] = {}

    def complete() -> bool:
        # As a gateway does: again and again.
        city.gateway_tells(messages_per_s=812.0, frame_latency_s=0.021, connections=3)
        told.update(status(city))
        return told["lag"]["pending"] == 17 and bool(told["gateways"])

    eventually(complete)
    assert told["lag"] == {"gateway_s": 0.021, "log_s": 0.0, "store_s": 0.75, "pending": 17}
    assert told["rates"] == {
        "received_per_s": 812.0,
        "applied_per_s": 810.5,
        "observations_per_s": 1_621.0,
    }
    assert told["gateways"][0]["connections"] == 3
    assert told["log"]["state"] == "ready"
    assert told["log"]["messages"] == 1
    assert (told["city"], told["timezone"]) == ("Testville", "Europe/Madrid")


def test_what_waits_in_quarantine_is_shown_newest_first(
    city: City, idle: Batch, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    city.apply(msgspec.structs.replace(idle, quarantine=[entry(n) for n in range(12)]))
    eventually(lambda: status(city)["quarantine"]["held"] == 12)
    held = status(city)["quarantine"]
    assert held["by_reason"] == {"unknown_device": 12}
    assert [each["id"] for each in held["entries"]] == [f"0-{n}-0" for n in range(11, 1, -1)]
    assert held["entries"][0]["device"] == "acme/meter-9"


def test_a_device_is_silent_after_three_of_its_intervals(
    city: City, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    now_us = city.parts.clock.now_us()
    for name in ("air-1", "air-2", "air-3"):
        draft = DeviceDraft("acme", name, kind="air", name=name.title(), expected_interval_s=60.0)
        city.registry.devices.create("a test", draft)
    eventually(lambda: status(city)["devices"]["active"] == 3)
    city.ingest_tells(seen("air-1", 12.5, now_us), seen("air-2", 9.0, now_us - 181 * US_PER_S))
    eventually(lambda: status(city)["devices"]["silent"] == 1)
    told = status(city)
    assert told["devices"] == {
        "registered": 3,
        "active": 3,
        "pending": 0,
        "reporting": 1,
        "late": 0,
        "silent": 1,
        "never_seen": 1,
    }
    states = city.api.get("/v1/device-states").json()["items"]
    assert [each["state"] for each in states] == ["reporting", "silent", "never_seen"]
    (silent,) = city.api.get("/v1/device-states", params={"state": "silent"}).json()["items"]
    assert (silent["device"], silent["state_by_event_time"]) == ("acme/air-2", "silent")
    assert silent["last_received"] < silent["since"]
    assert told["silent"][0]["device"] == "acme/air-2"
    assert told["silent"][0]["silent_s"] > 180
    (kind,) = told["latest"]
    assert (kind["kind"], kind["devices"]) == ("air", 3)
    assert [value["name"] for value in kind["values"]] == ["Air-1", "Air-2"]


def test_a_device_whose_network_calls_it_gone_says_since_when(
    city: City, idle: Batch, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    city.registry.devices.create("a test", DeviceDraft("acme", "pump"))
    city.registry.devices.create("a test", DeviceDraft("acme", "valve"))

    def say(offline_us: int) -> None:
        record = encode_presence(Presence("acme", "pump", offline_us))
        city.apply(msgspec.structs.replace(idle, codec_records=[CodecRecord(PRESENCE, *record)]))

    def offline() -> list[tuple[str, str]]:
        items = city.api.get("/v1/device-states", params={"offline": True}).json()["items"]
        return [(each["device"], each["offline_since"]) for each in items]

    say(NOW_US)
    eventually(lambda: offline() == [("acme/pump", to_text(NOW_US))])
    say(0)
    eventually(lambda: offline() == [])


def test_a_device_that_becomes_of_a_kind_is_shown_under_it(
    city: City, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    def kinds() -> list[str]:
        return [each["kind"] for each in status(city)["latest"]]

    city.ingest_tells(seen("air-1", 1.0, NOW_US))
    eventually(lambda: kinds() == [""])
    city.registry.devices.create("a test", DeviceDraft("acme", "air-1", kind="air"))
    eventually(lambda: kinds() == [])
    city.ingest_tells(seen("air-1", 2.0, NOW_US + 1))
    eventually(lambda: kinds() == ["air"])


def test_health_and_status_answer_while_the_log_is_away(
    parts: Parts, serve: Callable[..., City], eventually: Callable[[Callable[[], bool]], None]
) -> None:
    away = msgspec.structs.replace(parts[0], nats_url="nats://127.0.0.1:1")
    city = serve((away, parts[1]))
    eventually(lambda: "log" in reasons(city))
    assert city.api.get("/healthz").status_code == 200
    told = status(city)
    assert told["ledger"] is None
    assert told["log"] == {"state": "away", "messages": None, "bytes": None, "max_bytes": None}
    problem = city.api.get("/v1/ledger")
    assert problem.status_code == 503
    assert problem.json()["type"] == "urn:madina:problem:log_away"
    assert city.api.get("/v1/ledger", params={"provider": "acme"}).status_code == 200


def test_a_log_without_an_answer_is_looked_at_again_however_dear_that_look_was(
    parts: Parts,
    serve: Callable[[Parts], City],
    make_stream: Callable[[str], None],
    eventually: Callable[[Callable[[], bool]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Any look that is paid for is the last one.
    monkeypatch.setattr("services.state.SHARE", 1e-9)
    city = serve(parts)
    eventually(lambda: city.api.get("/v1/status").json()["ledger"] is None)
    make_stream(parts[0].nats_url)
    eventually(lambda: city.api.get("/v1/status").json()["ledger"] is not None)
