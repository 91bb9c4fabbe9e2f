"""Moments of the command line: instants, and how long ago."""

import pytest

from city.clock import SimulatedClock
from city.instants import text_us
from madina.errors import CommandError
from madina.moments import moment

NOW = "2026-03-04T12:00:00.000000Z"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (None, None),
        ("90s", "2026-03-04T11:58:30.000000Z"),
        ("15m", "2026-03-04T11:45:00.000000Z"),
        ("24h", "2026-03-03T12:00:00.000000Z"),
        ("7d", "2026-02-25T12:00:00.000000Z"),
        ("999999999d", "1970-01-01T00:00:00.000000Z"),
        ("2026-03-04T05:06:07+01:00", "2026-03-04T04:06:07.000000Z"),
        ("2026-03-04 05:06:07Z", "2026-03-04T05:06:07.000000Z"),
    ],
)
def test_a_moment(written: str | None, meant: str | None) -> None:
    assert moment(written, SimulatedClock(text_us(NOW))) == meant


@pytest.mark.parametrize("written", ["", "yesterday", "15", "-15m", "2026-03-04T05:06:07"])
def test_no_moment(written: str) -> None:
    with pytest.raises(CommandError, match="how long ago"):
        moment(written, SimulatedClock(text_us(NOW)))
