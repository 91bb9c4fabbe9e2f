"""`madina inspect` beside a running platform: traffic that no route speaks of is explained."""

from __future__ import annotations

import subprocess
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
