"""Mosquitto and InfluxDB take the configurations, and do what these promise."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Servers

pytestmark = pytest.mark.live

MESSAGES = 1_500


def test_mosquitto_keeps_more_than_a_thousand_messages_for_a_bridge_that_is_away(
    deploy: Path, tmp_path: Path, servers: Servers, free_port: Callable[[], int]
) -> None:
    port = free_port()
    passwords, config = tmp_path / "passwords", tmp_path / "mosquitto.conf"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "city", "secret"], check=True)
    passwords.chmod(0o644)
    ours = (deploy / "mosquitto" / "madina.conf").read_text(encoding="utf-8")
    state = tmp_path / "state"
    state.mkdir(mode=0o777)
    config.write_text(
        f"{ours}\nlistener {port} 127.0.0.1\npassword_file {passwords}\n"
        f"persistence_location {state}/\nuser root\n",
        encoding="utf-8",
    )
    servers.start("mosquitto", ["mosquitto", "-c", config])
    client = ["-h", "127.0.0.1", "-p", str(port), "-u", "city", "-P", "secret", "-q", "1"]
    session = [*client, "-t", "city/#", "-i", "bridge", "-c"]

    def subscribed() -> bool:
        command = ["mosquitto_sub", *session, "-E"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    servers.until(subscribed, "the session of the bridge")
    lines = "".join(f"{number}\n" for number in range(MESSAGES))
    subprocess.run(
        ["mosquitto_pub", *client, "-t", "city/a", "-l"], input=lines.encode(), check=True
    )
    received = subprocess.run(
        ["mosquitto_sub", *session, "-C", str(MESSAGES), "-W", "30"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert received.stdout == lines
    nobody = ["mosquitto_pub", "-p", str(port), "-t", "x", "-m", "x"]
    refused = subprocess.run(nobody, capture_output=True, check=False)
    assert refused.returncode != 0


def test_influxdb_takes_the_configuration_and_asks_for_a_user(
    deploy: Path, tmp_path: Path, servers: Servers, free_port: Callable[[], int]
) -> None:
    port, config = free_port(), tmp_path / "influxdb.conf"
    text = (deploy / "influxdb" / "influxdb.conf").read_text(encoding="utf-8")
    text = text.replace("/var/lib/influxdb", str(tmp_path / "influxdb"))
    text = text.replace("127.0.0.1:8086", f"127.0.0.1:{port}")
    # Its port for backups is not in the file: another server of this machine may have it.
    config.write_text(f'bind-address = "127.0.0.1:{free_port()}"\n{text}', encoding="utf-8")
    servers.start("influxd", ["influxd", "-config", config])
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{address}/ping").status_code == 204
        except httpx.TransportError:
            return False

    servers.until(answers, "InfluxDB")
    made = httpx.post(
        f"{address}/query", params={"q": "create user a with password 'b' with all privileges"}
    )
    assert made.status_code == 200
    assert httpx.get(f"{address}/query", params={"q": "show databases"}).status_code == 401
    user = ("a", "b")
    httpx.post(f"{address}/query", params={"q": "create database city"}, auth=user)
    written = httpx.post(
        f"{address}/write", params={"db": "city"}, content=b"m,device=d v=1", auth=user
    )
    assert written.status_code == 204
    assert [*(tmp_path / "influxdb" / "data" / "city").glob("*/*/index")], "not indexed on disk"
