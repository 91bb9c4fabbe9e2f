"""Delays count from when a message was due, not from when it was sent."""

from __future__ import annotations

import pyarrow as pa

from bench.commit_log import CommitLog
from city.clock import SimulatedClock
from store.interface import OBSERVATION_SCHEMA, Batch, Series

START_US = 1_772_600_000_000_000
SAID_US = 1_600_000_000_000_000
STEP_US = 10_000


def batch(series: list[Series], rows: list[tuple[int, int, int]]) -> Batch:
    """Return observations: series, how much later than the first they say, when they arrived."""
    table = pa.Table.from_pylist(
        [
            {"series": number, "time_us": SAID_US + said, "value": 1.0, "flag": 2,
             "received_us": START_US + received}
            for number, said, received in rows
        ],
        OBSERVATION_SCHEMA,
    )  # fmt: skip
    return Batch([], [], [], [], table, OBSERVATION_SCHEMA.empty_table(), series)


def test_a_stall_is_seen_by_every_message_that_was_due_in_it() -> None:
    clock = SimulatedClock(START_US)
    log = CommitLog(clock, ["a", "b"], STEP_US)
    series = [Series(n, "p", name, "q", None, "number") for n, name in enumerate(["a", "b"])]
    clock.advance(1_000)
    log.add(batch(series, [(0, 0, 0)]))
    # b is due half a step after a; then everything stands still until 21 ms.
    clock.advance(20_000)
    log.add(batch([], [(1, 0, 21_000), (0, 10_000, 21_000), (0, 20_000, 21_000)]))
    delay = log.delay()
    assert delay.count == 4
    assert delay.max_ms == 16.0
    assert delay.p50_ms == 6.0


def test_nothing_committed_has_no_delay() -> None:
    assert CommitLog(SimulatedClock(0), [], 1).delay().count == 0
