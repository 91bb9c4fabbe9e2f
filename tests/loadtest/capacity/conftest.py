"""A calibration as a machine might give it."""

from __future__ import annotations

import pytest

from loadtest.capacity.calibration import (
    BatchSteps,
    BrokerCost,
    Calibration,
    Checkpoint,
    CodecCost,
    Commits,
    Line,
    Step,
)
from loadtest.rig.machine import Machine


@pytest.fixture(scope="session")
def calibration() -> Calibration:
    """Return round figures, so that what comes of them can be followed by hand."""
    native = CodecCost(2.0, 1.0, 6.0, 2.0, 150.0, 2.0)
    return Calibration(
        made_at="2026-11-27T03:00:00Z",
        revision="0000000",
        machine=Machine("a processor", 2, 2**34, "6.1", "3.11", 0.1),
        seconds=60.0,
        gateway=Line(2.0, 0.01),
        own_connection=Line(20.0, 0.01),
        log=Line(1.0, 0.02),
        node=Line(8.0, 0.05),
        generator=Line(2.0, 0.01),
        batches=BatchSteps(Step(0.004, 6.0), Step(0.006, 0.5), Step(0.002, 0.5)),
        spread=[0.9, 1.0, 1.1],
        checkpoint=Checkpoint(200_000, 0.05, 0.03),
        codecs={"native": native, "influx": CodecCost(2.0, 1.0, 9.0, 3.0, 120.0, 3.0)},
        commits=Commits(0.25, 100),
        stored_bytes=8.0,
        connection_bytes=5_000,
        resident_bytes={"gateway-0": 2**26, "nats": 2**26, "node": 2**29},
        broker=BrokerCost("mosquitto", 25.0, 40_000.0),
    )
