"""The store that only counts: it counts right, and it fences like a real one."""

from __future__ import annotations

import pyarrow as pa
import pytest

from bench.null_store import NullStore
from store.interface import (
    OBSERVATION_SCHEMA,
    Batch,
    FencedError,
    GatewayCount,
    LedgerRow,
    Mark,
    ReceivedRow,
    Series,
)

SERIES = [Series(0, "acme", "m-1", "pm2_5", "ug/m3", "number")]
NOTHING = OBSERVATION_SCHEMA.empty_table()


def batch(previous: int = 0, sequence: int = 1, count: int = 2, accepted: int = 2) -> Batch:
    rows = [
        {"series": 0, "time_us": sequence * 10 + n, "value": 1.5, "flag": 2, "received_us": 1}
        for n in range(accepted)
    ]
    return Batch(
        marks=[Mark(3, previous, sequence)],
        counts=[GatewayCount("gw", 1, 3, count)],
        received=[ReceivedRow(3, 0, 2)],
        ledger=[LedgerRow(3, 0, "acme", "native", accepted=accepted, decoded=2, stored=accepted)],
        observations=pa.Table.from_pylist(rows, OBSERVATION_SCHEMA),
        conflicts=NOTHING,
        series=SERIES if previous == 0 else [],
    )


def test_it_counts_messages_rows_and_marks() -> None:
    store = NullStore()
    store.write(batch())
    store.write(batch(previous=1, sequence=2, count=4))
    facts = store.facts()
    assert store.marks() == {3: 2}
    assert store.applied == 4
    assert (facts.received, facts.accepted, facts.stored, facts.batches) == (4, 4, 4, 2)
    assert facts.digest.counts == {"m-1 pm2_5": 4}
    assert facts.digest.time_sum == 10 + 11 + 20 + 21
    assert facts.difference == 0


def test_a_batch_behind_another_mark_is_refused_and_counts_nothing() -> None:
    store = NullStore()
    store.write(batch())
    with pytest.raises(FencedError):
        store.write(batch())
    assert store.facts().batches == 1
    assert store.applied == 2


def test_a_message_that_nobody_accounts_for_shows_as_a_difference() -> None:
    store = NullStore()
    store.write(batch(accepted=1))
    assert store.facts().difference == 2


def test_a_store_behind_it_gets_every_batch() -> None:
    behind = NullStore()
    NullStore(behind).write(batch())
    assert behind.applied == 2
