"""`madina gateway` ends at once, with words and status 2, where a person has to mend something."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

NOWHERE = "nats://127.0.0.1:1"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "MADINA_NATS_URL"),
        ({"MADINA_MQTTS_PORT": "0"}, "MADINA_MQTTS_CERTIFICATE"),
        (
            {
                "MADINA_MQTTS_PORT": "0",
                "MADINA_MQTTS_CERTIFICATE": "none.pem",
                "MADINA_MQTTS_KEY": "none.key",
            },
            "No such file",
        ),
        ({"MADINA_PROXY_FROM": "10.0.0.0/8 balancer"}, "'balancer'"),
        ({"MADINA_MQTT_HOST": "192.0.2.1"}, "cannot listen on 192.0.2.1"),
        ({"MADINA_MQTT_MAX_PACKET": "100"}, "mqtt_max_packet"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    tmp_path: Path, settings: dict[str, str], words: str
) -> None:
    given = {"MADINA_DATA_DIR": str(tmp_path), "MADINA_MQTT_PORT": "0"} | settings
    if settings:
        given["MADINA_NATS_URL"] = NOWHERE
    done = run(given)
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr


def test_a_port_that_somebody_does_not_share_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run(
            {"MADINA_DATA_DIR": str(tmp_path), "MADINA_MQTT_PORT": port, "MADINA_NATS_URL": NOWHERE}
        )
    assert (done.returncode, f"port {port}" in done.stderr) == (2, True), done.stderr


def run(settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "madina", "gateway"]
    return subprocess.run(
        command, env=os.environ | settings, capture_output=True, text=True, timeout=60, check=False
    )
