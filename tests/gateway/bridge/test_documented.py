"""The configurations that docs/bridges.md tells people to write: real brokers take them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import StartBridge, StartBroker, Watch

pytestmark = pytest.mark.live

BRIDGES = Path(__file__).parents[3] / "docs" / "bridges.md"


def documented(broker: str) -> str:
    """Return the block that stands below the heading of a broker."""
    below = BRIDGES.read_text(encoding="utf-8").partition(f"### {broker}\n")[2]
    found = re.search(r"^```\n(.*?)^```$", below, re.DOTALL | re.MULTILINE)
    assert found is not None, broker
    return found[1]


@pytest.mark.parametrize("kind", ["Mosquitto", "nats-server"])
async def test_a_broker_takes_what_is_documented_and_is_bridged(
    kind: str, nats_url: str, broker: StartBroker, start_bridge: StartBridge, watch: Watch
) -> None:
    server = broker.documented(kind, documented(kind))
    start_bridge(nats_url, f"mqtt://127.0.0.1:{server.port}?topic=plant/%23&topic=hall/%23")
    state = await watch.state(nats_url, lambda it: it.connected)
    assert state.reason == ""
