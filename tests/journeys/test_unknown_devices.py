"""Unknown devices over real MQTT: seen, let in by one filter, and every reading there once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Platform

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(300)]

AT_S = 1_790_000_000
READINGS = 30
ACKNOWLEDGE_S = 60


def send(platform: Platform, device: str, quantity: str, first: int = 0) -> None:
    """Publish readings of a device, each twice: it did not see the first PUBACK."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=device)
    client.connect("127.0.0.1", platform.mqtt_port)
    client.loop_start()
    payloads = [
        msgspec.json.encode({"t": (AT_S + n) * 1_000, "obs": [{"q": quantity, "v": n}]})
        for n in range(first, first + READINGS)
        for _ in range(2)
    ]
    sent = [client.publish(f"madina/v1/acme/{device}/up", each, qos=1) for each in payloads]
    for each in sent:
        each.wait_for_publish(ACKNOWLEDGE_S)
    client.disconnect()
    client.loop_stop()


def values(platform: Platform, device: str) -> list[float]:
    answer = httpx.get(
        f"{platform.run.http}/v1/observations", params={"device": f"acme/{device}", "limit": 1_000}
    )
    if answer.status_code == 404:
        return []
    return [each["value"] for each in answer.json()["items"]]


def test_unknown_devices_are_seen_let_in_and_filled_in(start: Callable[..., Platform]) -> None:
    platform = start()
    for device, quantity in (("air-1", "pm2_5"), ("air-2", "pm10"), ("noise-1", "laeq")):
        send(platform, device, quantity)

    def listed() -> list[tuple[str, str, int]]:
        items: list[dict[str, Any]] = platform.madina("devices", "unknown")["items"]
        return [(each["device"], each["guessed_kind"], each["messages"]) for each in items]

    parked = [
        ("acme/air-1", "air", 2 * READINGS),
        ("acme/air-2", "air", 2 * READINGS),
        ("acme/noise-1", "noise", 2 * READINGS),
    ]
    platform.until(lambda: listed() == parked, "all messages wait")
    accepted = platform.madina("devices", "accept", "--filter", "air-*", "--guess")
    assert accepted == {"accepted": 2, "chosen": 2}
    for device in ("air-1", "air-2"):
        # It goes on sending while its past is filled in.
        send(platform, device, "pm2_5" if device == "air-1" else "pm10", first=READINGS)
        wanted = [float(n) for n in range(2 * READINGS)]
        platform.until(lambda on=device, to=wanted: values(platform, on) == to, "all are there")
    assert values(platform, "noise-1") == []
    assert platform.madina("devices", "show", "acme/air-1")["kind"] == "air"
    assert listed() == parked[2:]
    one = platform.madina("devices", "accept", "acme/noise-1", "--kind", "noise")
    assert one == {"accepted": 1, "chosen": 1}
    platform.until(lambda: len(values(platform, "noise-1")) == READINGS, "the last one is there")
    assert listed() == []
    ledger = platform.ledger()
    assert (ledger["accepted"], ledger["duplicate"]) == (5 * READINGS, 5 * READINGS)
    assert ledger["quarantined"] == 0
    assert set(platform.difference().values()) == {0}
    assert platform.interrupt() == 0
