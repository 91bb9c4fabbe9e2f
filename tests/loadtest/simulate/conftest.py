"""Machines whose behaviour can be worked out by hand."""

from __future__ import annotations

import pytest

from loadtest.capacity.calibration import Line, Step
from loadtest.simulate.costs import Costs

NOTHING, AT_ONCE = Line(0.0, 0.0), Step(0.0, 0.0)


@pytest.fixture
def only_store() -> Costs:
    """Return a machine on which nothing takes time but the store: 100 microseconds a message."""
    return Costs(
        cores=2,
        generator=NOTHING,
        gateway=NOTHING,
        log=NOTHING,
        reading=NOTHING,
        work=AT_ONCE,
        commit=AT_ONCE,
        wait=Step(0.0, 100.0),
    )


@pytest.fixture
def usual() -> Costs:
    """Return a machine such as one of the measured ones."""
    return Costs(
        cores=2,
        generator=Line(2.0, 0.1),
        gateway=Line(3.0, 0.08),
        log=Line(0.6, 0.08),
        reading=Line(0.4, 0.1),
        work=Step(0.004, 3.0),
        commit=Step(0.006, 0.5),
        wait=Step(0.002, 0.7),
        spread=(0.8, 1.0, 1.2),
    )
