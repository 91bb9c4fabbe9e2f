"""The page before a real platform: what devices publish is on it, and its end is said."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import msgspec
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import expect

from city.clock import MachineClock
from madina.data_folder import DataFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from madina.data_folder import RunFile

pytestmark = [pytest.mark.live, pytest.mark.journey]

START_S = 90
STOP_S = 60
ACKNOWLEDGE_S = 30
WATCHED = 3
MESSAGES = 40
FREE = {"MADINA_HTTP_PORT": "0", "MADINA_MQTT_PORT": "0", "MADINA_NATS_PORT": "0"}
CITY = {"MADINA_TIMEZONE": "Asia/Riyadh", "MADINA_UNKNOWN_DEVICES": "accept"}


class Up:
    """A `madina up` and its addresses."""

    def __init__(self, process: subprocess.Popen[bytes], run: RunFile) -> None:
        self.process = process
        self.url = run.http + "/"
        self._mqtt_port = int(run.mqtt.rpartition(":")[2])

    def publish(self, payloads: list[bytes]) -> None:
        """Publish as the device acme/air-1, QoS 1; return when all are acknowledged."""
        device = paho.Client(CallbackAPIVersion.VERSION2, client_id="air-1")
        device.connect("127.0.0.1", self._mqtt_port)
        device.loop_start()
        sent = [device.publish("madina/v1/acme/air-1/up", each, qos=1) for each in payloads]
        for each in sent:
            each.wait_for_publish(ACKNOWLEDGE_S)
        device.disconnect()
        device.loop_stop()

    def interrupt(self) -> int:
        """Press Ctrl-C; return the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_S)


@pytest.fixture
def up(built: Path, tmp_path: Path) -> Iterator[Up]:
    """Start the whole platform on free ports."""
    folder = tmp_path / "data"
    said = tmp_path / "said"
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "madina", "up"],
            env={**os.environ, **FREE, **CITY, "MADINA_DATA_DIR": str(folder)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: "Ctrl-C stops" in said.read_text(), process)
        run = DataFolder(folder).running()
        assert run is not None
        yield Up(process, run)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(STOP_S)


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    end_s = time.monotonic() + START_S
    while not holds():
        assert process.poll() is None, "madina up ended"
        assert time.monotonic() < end_s, f"not after {START_S} s"
        time.sleep(0.05)


def readings(values: range) -> list[bytes]:
    """Return a message for each value, a second apart, the last one now."""
    now_ms = MachineClock().now_us() // 1_000
    return [
        msgspec.json.encode(
            {
                "t": now_ms - 1_000 * (values.stop - 1 - value),
                "obs": [{"q": "pm2_5", "v": float(value), "u": "ug/m3"}],
            }
        )
        for value in values
    ]


def test_the_page_shows_what_devices_publish_and_when_the_platform_ends(
    up: Up, page: Page, complaints: list[str], keep_picture: Callable[[str], Path]
) -> None:
    page.goto(up.url)
    expect(page.locator(".verdict.well")).to_be_visible()
    expect(page.locator(".clock")).to_contain_text("Asia/Riyadh")
    watches_the_newest(up, page)
    shows_what_was_accepted(up, page)
    shows_what_was_refused(up, page)
    keep_picture("platform")
    assert not complaints

    assert up.interrupt() == 0
    expect(page.locator(".verdict.lost")).to_contain_text("No answer from the platform since")


def watches_the_newest(up: Up, page: Page) -> None:
    live = page.get_by_role("region", name="Watch observations arrive")
    live.get_by_role("button", name="Watch").click()
    expect(live).to_contain_text("Watching.")
    up.publish(readings(range(WATCHED)))
    newest = live.get_by_role("row", name="acme/air-1").first
    expect(newest).to_contain_text(f"{WATCHED - 1}\u202fµg/m³")
    live.get_by_role("button", name="Stop").click()


def shows_what_was_accepted(up: Up, page: Page) -> None:
    up.publish(readings(range(WATCHED, MESSAGES)))
    messages = page.locator(".equation[data-of=messages]")
    expect(messages).to_contain_text(f"{MESSAGES} received={MESSAGES} accepted")
    expect(messages.locator(".difference.good")).to_be_visible()
    latest = page.get_by_role("region", name="Latest values")
    expect(latest.locator(".heard").filter(has_text="acme/air-1")).to_contain_text(
        f"{MESSAGES - 1}\u202fµg/m³"
    )


def shows_what_was_refused(up: Up, page: Page) -> None:
    up.publish([b'{"obs": '])
    quarantine = page.get_by_role("region", name="Quarantine", exact=True)
    expect(quarantine).to_contain_text("1 message is held")
    expect(quarantine.locator(".reasons li")).to_have_text([re.compile("Not valid JSON")])
    expect(page.locator(".equation[data-of=messages]")).to_contain_text(f"{MESSAGES + 1} received")
