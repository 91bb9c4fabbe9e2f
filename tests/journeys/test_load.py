"""`madina load run`: what was promised is what is stored, value by value."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

if TYPE_CHECKING:
    from conftest import Platform

SIX_SECONDS = ("--seconds", "6", "--rate", "2000", "--connections", "50")

pytestmark = [pytest.mark.live, pytest.mark.journey]


@pytest.mark.timeout(200)
def test_every_value_of_a_load_is_stored_as_it_was_sent(start: Callable[..., Platform]) -> None:
    platform = start(MADINA_MQTT_ANONYMOUS="never")
    options = ("--seconds", "2", "--connections", "20", "--devices", "3")
    outcome = platform.madina("load", "run", "--exact", "--rate", "1000", *options)
    assert outcome["report"]["acked"] == outcome["report"]["scheduled"] == 2_001
    assert outcome["verdict"]["words"] == []
    assert outcome["verdict"]["accepted"] == 2_001
    assert outcome["findings"]["checked"] == 4_002
    assert outcome["findings"]["examples"] == []

    again = platform.madina("load", "run", "--mqtt", "5.0", *options)
    assert again["verdict"]["words"] == []
    assert again["report"]["acked"] == again["verdict"]["accepted"] > 2_001


@pytest.mark.timeout(200)
def test_a_load_survives_a_killed_gateway_and_every_promise_holds(
    start: Callable[..., Platform],
) -> None:
    platform = start()
    arrived = platform.run.http + "/v1/ledger"
    with subprocess.Popen(
        [*platform.program, "load", "run", *SIX_SECONDS, "--exact", "--json"],
        env=platform.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as load:
        platform.until(lambda: b'"received":0' not in httpx.get(arrived).content, "load arrives")
        os.kill(platform.run.children["gateway-0"], signal.SIGKILL)
        said, words = load.communicate(timeout=150)
    assert load.returncode == 0, words.decode()
    outcome = msgspec.json.decode(said, type=dict[str, Any])
    report, found = outcome["report"], outcome["findings"]
    assert report["lost_connections"] == 50
    assert report["acked"] == report["scheduled"] == 12_001
    assert found["checked"] == 24_002
    assert found["examples"] == outcome["verdict"]["words"] == []
