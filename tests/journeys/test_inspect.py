"""`madina inspect` beside a running platform: traffic that no route speaks of is explained."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Platform

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(300)]

ACKNOWLEDGE_S = 60
SAMPLES = Path(__file__).parents[1] / "data" / "samples"
FORMATS = ("tts-v3", "chirpstack-v3", "chirpstack-v4", "tasmota", "zigbee2mqtt", "iota-json")
MESSAGES = ("no_payload_codec", "missing_field")
# Of devices that say no more than how they are, or that have no signature (formats.md, 0.8).
UNSIGNED = {"tasmota/state", "tasmota/units", "zigbee2mqtt/availability"}


def send(platform: Platform, *messages: tuple[str, bytes]) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="box")
    client.connect("127.0.0.1", platform.mqtt_port)
    client.loop_start()
    sent = [client.publish(topic, payload, qos=1) for topic, payload in messages]
    for each in sent:
        each.wait_for_publish(ACKNOWLEDGE_S)
    client.disconnect()
    client.loop_stop()


def run(platform: Platform, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*platform.program, *arguments],
        cwd=platform.folder.parent,
        env=platform.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_what_came_in_is_read_from_the_log_and_explained(start: Callable[..., Platform]) -> None:
    platform = start()
    boxes = [
        (f"airbox/a{n}/data", msgspec.json.encode({"pm25": 10 + n, "temp_c": 21.5}))
        for n in range(3)
    ]
    send(platform, *boxes, ("other/a1", b"1"))
    found: dict[str, Any] = platform.madina("inspect", "airbox/#", "--seconds", "3600")
    (group,) = found["groups"]
    assert found["messages"] == 3
    assert (group["pattern"], group["codec"]) == ("airbox/+/data", "mapping")
    told = run(platform, "inspect", "airbox/#", "--seconds", "3600")
    assert told.returncode == 0, told.stderr
    assert "route airbox-data of provider airbox" in told.stdout
    assert "airbox/a2" in told.stdout


def test_where_nothing_came_it_listens_for_the_whole_time(start: Callable[..., Platform]) -> None:
    platform = start()
    with subprocess.Popen(
        [*platform.program, "inspect", "airbox/#", "--seconds", "5", "--json"],
        env=platform.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as listening:  # fmt: skip
        assert listening.stderr is not None
        assert listening.stdout is not None
        assert "listening for as long" in listening.stderr.readline()
        for number in range(3):
            send(platform, (f"airbox/a{number}/data", b'{"temp_c": 21.5}'))
        found = msgspec.json.decode(listening.stdout.read())
    assert found["messages"] == 3
    assert len(found["groups"][0]["devices"]) == 3


def test_a_broker_is_listened_to_before_there_is_a_platform(mosquitto: int, tmp_path: Path) -> None:
    command = (sys.executable, "-m", "madina", "inspect", "airbox/#", "--seconds", "3", "--json")
    environment = {
        **os.environ,
        "MADINA_DATA_DIR": str(tmp_path / "nowhere"),
        "MADINA_INSPECT_BROKER": f"mqtt://127.0.0.1:{mosquitto}",
    }
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as listening:
        assert listening.stderr is not None
        assert listening.stdout is not None
        assert "listening to 127.0.0.1" in listening.stderr.readline()
        # Retained: it comes whenever the listener has subscribed.
        topic = ("-p", str(mosquitto), "-r", "-q", "1", "-t", "airbox/a1/data")
        subprocess.run(["mosquitto_pub", *topic, "-m", '{"temp_c": 21.5}'], check=True)
        found = msgspec.json.decode(listening.stdout.read())
    assert [each["codec"] for each in found["groups"]] == ["mapping"]
    assert not (tmp_path / "nowhere").exists()


def test_nothing_heard_and_a_filter_that_is_none_are_said_plainly(
    start: Callable[..., Platform],
) -> None:
    platform = start()
    silent = run(platform, "inspect", "nobody/#", "--seconds", "1")
    assert (silent.returncode, silent.stdout) == (1, "")
    assert "nothing came in on 'nobody/#'" in silent.stderr
    wrong = run(platform, "inspect", "a/#/b", "--seconds", "1")
    assert wrong.returncode == 1
    assert "`#` stands only at the end" in wrong.stderr


def recorded() -> list[tuple[str, bytes]]:
    """Return messages of several suppliers, as they came."""
    found: list[tuple[str, bytes]] = []
    for meta_file in sorted(SAMPLES.glob("*/*.meta.json")):
        name = f"{meta_file.parent.name}/{meta_file.name.partition('.')[0]}"
        meta = msgspec.json.decode(meta_file.read_bytes())
        if (
            meta_file.parent.name in FORMATS
            and name not in UNSIGNED
            and (meta["outcome"] == "accepted")
        ):
            payload = meta_file.with_name(f"{name.partition('/')[2]}.in").read_bytes()
            hexadecimal = meta["encoding"] == "hex"
            found.append(
                (meta["topic"], bytes.fromhex(payload.decode()) if hexadecimal else payload)
            )
    return found


# Lines of JSON, rows of CSV and records of one quantity each.
SHAPES = (
    ("meteo/w1/lines", b'{"temp_c": 21.5}\n{"temp_c": 21.6}\n'),
    ("meteo/w2/lines", b'{"temp_c": 20.5}'),
    ("river/rows", b"station_id;level_m;temp\nR4;1,25;8,5\nR5;1,31;8,4\n"),
    ("soil/gw", b'{"device": "s2", "readings": [{"name": "temp", "value": 9.5, "unit": "C"}]}'),
)
SHAPED = {"meteo/w1", "meteo/w2", "river/R4", "river/R5", "soil/s2"}


def test_what_is_proposed_reads_what_was_heard(
    start: Callable[..., Platform], tmp_path: Path
) -> None:
    platform = start()
    boxes = [(f"airbox/a{n}/data", b'{"pm25": %d, "temp_c": 21.5}' % (n + 5)) for n in range(3)]
    traffic = [*recorded(), *boxes, *SHAPES]
    send(platform, *traffic)
    platform.until(lambda: platform.ledger()["quarantined"] == len(traffic), "nothing is read")
    file = tmp_path / "proposal.toml"
    findings = platform.madina("inspect", "--seconds", "3600", "--out", str(file))
    created = platform.madina("inspect", "--apply", str(file))
    assert len(created["routes"]) > len(FORMATS)
    platform.madina("quarantine", "replay", "--reason", "no_route")
    # What no proposal can read was said beforehand, and nothing else stays.
    told = Counter[str]()
    for group in findings["groups"]:
        for words, count in group["faults"].items():
            told[words.partition(":")[0]] += count
    unread = sum(told[reason] for reason in MESSAGES)
    assert unread < len(traffic) / 4
    platform.until(lambda: platform.ledger()["quarantined"] == unread, "the rest is read")
    held = platform.madina("quarantine", "list")["held"]
    assert held == {reason: told[reason] for reason in MESSAGES if told[reason]}
    ledger = platform.madina("ledger")
    assert set(ledger["difference"].values()) == {0}
    assert ledger["messages"]["accepted"] + ledger["messages"]["duplicate"] + unread == len(traffic)
    devices = {
        f"{each['provider']}/{each['id']}"
        for group in findings["groups"]
        for each in group["devices"]
    }
    assert devices >= SHAPED
    assert {*created["devices"]} >= SHAPED
    # The key of an agent stands in no file; its place is open.
    assert 'pattern = "/json/+/+/attrs/#"' in file.read_text(encoding="utf-8")
