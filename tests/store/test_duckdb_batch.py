"""A batch is written whole or not at all, and a writer that lost its shard changes nothing."""

from pathlib import Path

import pytest

from city.scope import EVERYTHING
from store.duckdb.store import DuckDBStore
from store.interface import (
    LATE_SCHEMA,
    OBSERVATION_SCHEMA,
    Batch,
    FencedError,
    GatewayCount,
    LedgerQuery,
    LedgerRow,
    Mark,
    ObservationQuery,
    ReceivedRow,
    Series,
    StoreLockedError,
)

TIME_US = 1_772_619_330_000_000
MINUTE_US = TIME_US - TIME_US % 60_000_000


def batch(previous: int, sequence: int, value: float = 12.5) -> Batch:
    row = {
        "series": 0, "time_us": TIME_US + sequence, "value": value, "flag": 2,
        "received_us": TIME_US, "end_us": None, "other": None, "metadata": None,
    }  # fmt: skip
    return Batch(
        marks=[Mark(3, previous, sequence)],
        counts=[GatewayCount("gateway-0", 1, 3, sequence)],
        received=[ReceivedRow(3, MINUTE_US, 1)],
        ledger=[LedgerRow(3, MINUTE_US, "city", "native", accepted=1, decoded=1, stored=1)],
        observations=OBSERVATION_SCHEMA.empty_table().from_pylist([row], OBSERVATION_SCHEMA),
        conflicts=OBSERVATION_SCHEMA.empty_table(),
        series=[Series(0, "city", "a", "pm10", "ug/m3", "number")] if previous == 0 else [],
    )


def test_a_batch_is_read_back_and_outlives_the_process(tmp_path: Path) -> None:
    store = DuckDBStore(tmp_path / "store.duckdb")
    store.write(batch(0, 1))
    store.write(batch(1, 2))
    store.close()
    again = DuckDBStore(tmp_path / "store.duckdb")
    found = again.observations(EVERYTHING, ObservationQuery("city", "a"))
    balance = again.ledger(EVERYTHING, LedgerQuery())
    late = LATE_SCHEMA.empty_table().from_pylist(
        [{"series": 0, "time_us": TIME_US + 1, "value": 1.0, "other": None}], LATE_SCHEMA
    )
    assert again.marks() == {3: 2}
    assert [each.value for each in found] == [12.5, 12.5]
    assert balance.messages.received == balance.messages.accepted == 2
    assert balance.difference.messages == balance.difference.observations == 0
    assert again.find(late).column("value").to_pylist() == [12.5]
    assert again.watermarks().column("time_us").to_pylist() == [TIME_US + 2]
    again.close()


def test_a_writer_that_lost_its_shard_changes_nothing(tmp_path: Path) -> None:
    store = DuckDBStore(tmp_path / "store.duckdb")
    store.write(batch(0, 5))
    with pytest.raises(FencedError) as caught:
        store.write(batch(0, 6, value=99.0))
    assert caught.value.found == 5
    assert len(store.observations(EVERYTHING, ObservationQuery("city", "a"))) == 1
    store.close()


def test_a_file_in_use_says_by_whom(tmp_path: Path) -> None:
    store = DuckDBStore(tmp_path / "store.duckdb")
    with pytest.raises(StoreLockedError):
        DuckDBStore(tmp_path / "store.duckdb")
    store.close()
