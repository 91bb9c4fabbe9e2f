"""Batches of ingest as its counters tell them, and checkpoints told apart from usual commits."""

from __future__ import annotations

import pytest

from loadtest.capacity.batches import (
    Batch,
    Look,
    batches_alone,
    checkpoint_of,
    look_of,
    spread_of,
    typical,
)
from loadtest.capacity.calibration import BatchMeans, steps_of

USUAL = Batch(1_000, 0.010, 0.005, 0.004)
TEXT = """# HELP madina_ingest_batches_total batches committed
# TYPE madina_ingest_batches_total counter
madina_ingest_batches_total 7.0
madina_ingest_messages_total 7000.0
madina_ingest_committed_seconds_total 0.07
madina_ingest_worked_cpu_seconds_total 0.035
madina_ingest_committed_cpu_seconds_total 0.028
madina_gateway_connections{gateway="gateway-0"} 20.0
"""


def test_counters_are_read_as_prometheus_would() -> None:
    assert look_of(TEXT, 3.0) == Look(3.0, 7, 7_000, 0.07, 0.035, 0.028)
    with pytest.raises(KeyError):
        look_of("", 0.0)


def test_only_batches_that_were_seen_alone_count() -> None:
    looks = [Look(0, 1, 10, 0.1, 0.1, 0.1), Look(1, 1, 10, 0.1, 0.1, 0.1),
             Look(2, 2, 25, 0.3, 0.2, 0.2), Look(3, 4, 60, 0.9, 0.9, 0.9)]  # fmt: skip
    (found,) = batches_alone(looks)
    assert found.messages == 15
    assert found.commit_s == pytest.approx(0.2)


def test_a_commit_that_works_much_longer_is_a_checkpoint_and_not_usual() -> None:
    batches = [USUAL] * 19 + [Batch(1_000, 0.100, 0.005, 0.064)]
    assert typical(batches) == BatchMeans(1_000, 0.010, 0.005, 0.004)
    found = checkpoint_of(batches)
    assert found is not None
    assert found.messages == 20_000
    assert found.cpu_s == pytest.approx(0.06)
    assert found.wait_s == pytest.approx(0.03)
    assert spread_of(batches) == [1.0] * 19
    assert checkpoint_of(batches[:19]) is None


def test_what_batches_take_is_a_line_through_two_sizes_and_never_below_nothing() -> None:
    steps = steps_of(BatchMeans(1_000, 0.010, 0.005, 0.004), BatchMeans(3_000, 0.018, 0.011, 0.006))
    assert steps.work.us_a_message == pytest.approx(3.0)
    assert steps.work.fixed_s == pytest.approx(0.002)
    assert steps.wait.seconds(5_000) == pytest.approx(0.018)
    falling = steps_of(BatchMeans(1_000, 0.01, 0.01, 0.0), BatchMeans(2_000, 0.01, 0.004, 0.0))
    assert falling.work.fixed_s == 0
    assert falling.work.us_a_message == pytest.approx(2.0)
