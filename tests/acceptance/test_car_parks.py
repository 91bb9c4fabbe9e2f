"""Car parks of Basel, worked out from the file second by second with numpy.

Nothing here asks the product how it computes: what a car park reports holds until its next report,
for two hours at most (four times half an hour); three quarters of the time have to be known.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

if TYPE_CHECKING:
    from conftest import Acceptance
    from numpy.typing import NDArray

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(600)]

FIRST, LAST = "2026-01-06", "2026-01-11"
HOLD_S = 7_200
# Its total is always 0.
WITHOUT_BAYS = "baselparkhauspostbasel"
Reports = dict[int, tuple[int, int]]


@pytest.fixture(scope="module")
def reports(platform: Acceptance) -> dict[str, Reports]:
    """Return free and total spaces of each car park by feed time; of two the first counts."""
    platform.replayed("parking")
    found: dict[str, Reports] = {}
    for line in platform.path("parking_basel_snapshots.ndjson").read_bytes().splitlines():
        for each in msgspec.json.decode(line)["data"]["parkings"].values():
            at = datetime.fromisoformat(each["timestamp"]).replace(tzinfo=UTC)
            own = found.setdefault(each["id"], {})
            own.setdefault(round(at.timestamp()), (each["free"], each["total"]))
    return found


def seconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp())


def held(own: Reports, start: int, end: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return occupied and all bays of each second that is known; -1 where it is not."""
    times = np.array(sorted(own))
    each_second = np.arange(start, end)
    at = np.searchsorted(times, each_second, side="right") - 1
    known = (at >= 0) & (each_second < times[at] + HOLD_S)
    free, total = np.array([own[time] for time in times.tolist()])[at].T
    occupied = np.clip(total - free, 0, total)
    return np.where(known, occupied, -1), np.where(known, total, -1)


def ratio(occupied: NDArray[np.int64], total: NDArray[np.int64]) -> tuple[int, int, str | None]:
    """Return bay-seconds that are occupied, all of them, and why there is no value."""
    in_service, out_of_it = int((total > 0).sum()), int((total == 0).sum())
    if out_of_it and not in_service:
        return 0, 0, "not_applicable"
    if not in_service or in_service < 0.75 * (len(total) - out_of_it):
        return 0, 0, "incomplete"
    bays = total > 0
    return int(occupied[bays].sum()), int(total[bays].sum()), None


def half_up(share: float) -> float:
    return math.floor(round(1_000 * share, 8) + 0.5) / 10


def shown(row: dict[str, Any]) -> tuple[float | None, str | None]:
    return row["value"], row["reason"] if row["value"] is None else None


@pytest.mark.parametrize("grain", ["hour", "day"])
def test_occupancy_of_each_car_park(
    platform: Acceptance, reports: dict[str, Reports], grain: str
) -> None:
    values = drifted = 0
    for name, own in reports.items():
        area = f"device:parkendd/{name}"
        for row in platform.computed("parking.occupancy", area, FIRST, LAST, grain):
            start, end = seconds(row["start"]), seconds(row["end"])
            occupied, bays, reason = ratio(*held(own, start, end))
            assert shown(row) == (None if reason else half_up(occupied / bays), reason), (name, row)
            assert (row["reason"] == "not_applicable") <= (name == WITHOUT_BAYS)
            values += row["value"] is not None
            drifted += "suspect_included" in row["marks"]
    assert len(reports) == 16
    assert values > {"hour": 1_000, "day": 50}[grain]
    assert drifted


def test_occupancy_of_all_is_the_ratio_of_the_sums(
    platform: Acceptance, reports: dict[str, Reports]
) -> None:
    rows = platform.computed("parking.occupancy", "provider:parkendd", FIRST, LAST)
    told = 0
    for row in rows:
        window = seconds(row["start"]), seconds(row["end"])
        each = [ratio(*held(own, *window)) for own in reports.values()]
        known = [(occupied, bays) for occupied, bays, reason in each if reason is None]
        if not known:
            assert row["value"] is None
            continue
        occupied, bays = (sum(some) for some in zip(*known, strict=True))
        assert row["value"] == half_up(occupied / bays)
        mean = sum(one / of for one, of in known) / len(known)
        told += row["value"] != half_up(mean)
    assert told >= 3


def test_free_bays_are_never_more_than_there_are(
    platform: Acceptance, reports: dict[str, Reports]
) -> None:
    for name, own in reports.items():
        area = f"device:parkendd/{name}"
        for row in platform.computed("parking.available", area, FIRST, LAST, "hour"):
            end = seconds(row["end"])
            occupied, total = (int(each[0]) for each in held(own, end - 1, end))
            wanted = None if total <= 0 else float(total - occupied)
            assert row["value"] == wanted, (name, row)
