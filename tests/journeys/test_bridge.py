"""From a device at a broker of the city to its values: topics of any shape; and back."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Platform

pytestmark = [pytest.mark.live, pytest.mark.journey]

CASE = Path(__file__).parents[2] / "ingest/codecs/chirpstack_v4/cases/object"
SPARKPLUG = Path(__file__).parents[1] / "data/samples/sparkplug-b"
TOPIC = "application/17c82e96-0000-4f38-aef3-f83d48582d97/device/24e124136b000001/event/up"


def publish(port: int, topic: str, file: Path) -> None:
    arguments = ("-p", str(port), "-t", topic, "-q", "1", "-f", str(file))
    subprocess.run(["mosquitto_pub", *arguments], check=True)


def test_a_lorawan_server_behind_a_broker(mosquitto: int, start: Callable[..., Platform]) -> None:
    platform = start(
        MADINA_BRIDGE_URLS=f"mqtt://127.0.0.1:{mosquitto}?topic=application/%23",
        MADINA_UNKNOWN_DEVICES="accept",
    )
    assert f"bridge to      127.0.0.1:{mosquitto}" in platform.said
    route = ("lorawan", "application/+/device/+/event/up", "chirpstack-v4", "--provider", "water")
    # Its uplink is of last spring.
    platform.madina("routes", "add", *route, "--recorded")
    time.sleep(1)
    publish(mosquitto, TOPIC, CASE / "payload.json")
    # No route speaks of it: it is kept, with its topic.
    publish(mosquitto, "application/x/join", CASE / "payload.json")
    platform.until(lambda: platform.ledger()["received"] == 2, "both messages")
    platform.until(lambda: platform.ledger()["pending"] == 0, "both are applied")
    assert platform.ledger()["accepted"] == 1, platform.madina("quarantine", "list")
    url = platform.run.http
    held = httpx.get(f"{url}/v1/quarantine").json()["items"]
    assert [(each["topic"], each["reason"]) for each in held] == [
        ("application/x/join", "no_route")
    ]
    latest = httpx.get(f"{url}/v1/observations/latest").json()["items"]
    assert {each["device"].partition("/")[0] for each in latest} == {"water"}
    (broker,) = httpx.get(f"{url}/v1/status").json()["brokers"]
    assert (broker["connected"], broker["messages"], broker["reason"]) == (True, 2, "")
    assert httpx.get(f"{url}/readyz").status_code == 200


def test_an_edge_node_whose_birth_nobody_saw_is_asked_for_it(
    mosquitto: int, tmp_path: Path, start: Callable[..., Platform]
) -> None:
    platform = start(
        MADINA_BRIDGE_URLS=f"mqtt://127.0.0.1:{mosquitto}?topic=spBv1.0/water/%23",
        MADINA_UNKNOWN_DEVICES="accept",
    )
    route = ("plant", "spBv1.0/water/#", "sparkplug-b", "--provider", "water", "--recorded")
    platform.madina("routes", "add", *route, "--options", '{"ask_rebirth": true}')
    time.sleep(1)

    def says(kind: str, device: str, sample: str) -> None:
        payload = tmp_path / sample
        payload.write_bytes(bytes.fromhex((SPARKPLUG / f"{sample}.in").read_text()))
        publish(mosquitto, f"spBv1.0/water/{kind}/plc-1{device}", payload)

    listening = ("mosquitto_sub", "-p", str(mosquitto), "-t", "spBv1.0/+/NCMD/#", "-C", "1")
    asked = subprocess.Popen([*listening, "-W", "30", "-F", "%t %q %r %x"], stdout=subprocess.PIPE)
    says("DDATA", "/meter 1", "03_ddata_alias")
    heard = asked.communicate()[0].decode().split()
    assert heard[:3] == ["spBv1.0/water/NCMD/plc-1", "0", "0"]
    assert b"Node Control/Rebirth" in bytes.fromhex(heard[3])
    assert platform.ledger()["quarantined"] == 1
    # It does as it was asked, and what it said before is read.
    says("NBIRTH", "", "01_nbirth")
    says("DBIRTH", "/meter 1", "02_dbirth")
    platform.until(lambda: platform.ledger()["quarantined"] == 0, "what waited is read")
    (broker,) = httpx.get(f"{platform.run.http}/v1/status").json()["brokers"]
    assert broker["connected"]
    assert "madina_broker_requests_total" in httpx.get(f"{platform.run.http}/metrics").text
