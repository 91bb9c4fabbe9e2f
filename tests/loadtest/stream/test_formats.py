"""Payloads of the rig's own encoders say to the platform's readers what the rig meant."""

import numpy as np
import pytest

from ingest.codecs.catalogue import find_codecs
from ingest.codecs.seam import Arrived
from loadtest.scenario.file import read_scenario
from loadtest.stream.content import FleetContent
from loadtest.stream.formats import format_of
from loadtest.stream.packets import messages

NOW_MS = 1_772_600_000_123
KINDS = ("air", "noise", "traffic", "waste", "water", "light", "bus")
FORMATS = ("native", "senml-json", "chirpstack-v3", "influx")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_device_time_and_values_of_every_kind(name: str, kind: str) -> None:
    text = (
        f"name: x\nfleets:\n - {{name: a, devices: 20, every: 1s, kind: {kind}, format: {name}}}\n"
        "phases:\n - {kind: hold, seconds: 5s}\n"
    )
    asked = read_scenario(text, "x")
    content = FleetContent(asked.fleets[0], asked, NOW_MS)
    form = format_of(name, content.kind.signals, "load", "a", 8)
    numbers = np.arange(100, dtype=np.int64)
    said = content.content(numbers)
    codec = find_codecs()[name]
    for at, message in enumerate(messages(content, form, numbers)):
        assert message is not None
        topic, payload = message
        decoded = codec.decode(Arrived(topic.decode(), payload, NOW_MS * 1_000, "load"))
        assert decoded.rejected == []
        for signal, values, found in zip(
            content.kind.signals, said.values, decoded.observations, strict=True
        ):
            assert found.device == form.name(at % 20)
            assert found.quantity == signal.quantity
            assert found.value == values[at] / 10**signal.digits
            assert found.unit in {signal.unit, None}
            assert found.time_us is not None
            assert found.time_us // 1_000 == said.time_ms[at]
