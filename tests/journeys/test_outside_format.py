"""A format from a package outside: built as a wheel, put beside madina, used by a route."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Platform

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(300)]

EXAMPLE = Path(__file__).parents[2] / "examples" / "water-meter-format"
ACKNOWLEDGE_S = 60


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return a folder with the built wheel of the example, as an installer leaves it."""
    source = tmp_path / "source"
    shutil.copytree(EXAMPLE, source)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path)]
    subprocess.run([*build, str(source)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    return tmp_path / "site"


def publish(port: int, case: str) -> None:
    device = paho.Client(CallbackAPIVersion.VERSION2)
    device.connect("127.0.0.1", port)
    device.loop_start()
    payload = (EXAMPLE / "cases" / case / "payload.txt").read_bytes()
    device.publish("meters/north-7", payload, qos=1).wait_for_publish(ACKNOWLEDGE_S)
    device.disconnect()
    device.loop_stop()


def test_a_format_of_another_package_is_used_by_a_route(
    installed: Path, start: Callable[..., Platform]
) -> None:
    platform = start(PYTHONPATH=str(installed), MADINA_UNKNOWN_DEVICES="accept")
    route = ("routes", "add", "meters", "meters/+", "water-meter", "--provider", "water")
    with pytest.raises(AssertionError, match="unit"):
        platform.madina(*route, "--options", '{"unit": "m3"}')
    platform.madina(*route, "--options", '{"quantity": "volume"}')
    publish(platform.mqtt_port, "two_readings")
    publish(platform.mqtt_port, "letter_o")
    platform.until(lambda: platform.ledger()["quarantined"] == 1, "the bad line is parked")
    asked = {"device": "water/north-7", "quantity": "volume"}
    answer: Any = httpx.get(platform.run.http + "/v1/observations", params=asked).json()
    found = [(each["time"], each["value"], each["unit"]) for each in answer["items"]]
    assert sorted(found) == [
        ("2026-03-04T10:15:30.000000Z", 1.25, "m3"), ("2026-03-04T10:16:30.000000Z", 1.262, "m3"),
    ]  # fmt: skip
    (entry,) = platform.madina("quarantine", "list")["items"]
    assert (entry["reason"], entry["codec"]) == ("missing_field", "water-meter")
    assert "line 1" in entry["words"]
    assert platform.difference() == {"messages": 0, "observations": 0}
