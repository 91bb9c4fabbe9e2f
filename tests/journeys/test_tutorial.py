"""The tutorials do what they say, step by step, on a running platform."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Platform

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(300)]

DOCS = Path(__file__).parents[2] / "docs"
FILLED_S = 120.0


def until_computed(platform: Platform) -> None:
    """Wait for the past that the demo fills in, and for yesterday's number."""
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()  # noqa: TID251 - the demo's own clock
    asked = {"area": "device:environment/air-01", "from": yesterday, "to": yesterday}
    address = f"{platform.run.http}/v1/indicators/air.aqi.us.pm25/values"

    def computed() -> bool:
        answer = httpx.get(address, params={key: str(value) for key, value in asked.items()})
        values = msgspec.json.decode(answer.content).get("values", [])
        return any(each["completeness"] == 1 and each["value"] is not None for each in values)

    platform.until(computed, "yesterday is computed", FILLED_S)


def test_every_step_of_the_first_hour_prints_what_is_written(
    start: Callable[..., Platform], executed: Callable[[Path, Platform], None]
) -> None:
    platform = start(options=["--demo"])
    until_computed(platform)
    executed(DOCS / "tutorial-first-hour.md", platform)


def test_three_unknown_suppliers_behind_a_broker_are_connected_as_it_is_written(
    mosquitto: int, start: Callable[..., Platform], executed: Callable[[Path, Platform], None]
) -> None:
    topics = "topic=weather/%23&topic=airco/%23&topic=v3/%23"
    platform = start(MADINA_BRIDGE_URLS=f"mqtt://127.0.0.1:{mosquitto}?{topics}")
    platform.places["mosquitto_pub -p 1884"] = f"mosquitto_pub -p {mosquitto}"
    executed(DOCS / "tutorial-connect.md", platform)
