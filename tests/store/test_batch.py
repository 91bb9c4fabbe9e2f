"""A batch is written whole or not at all, and a writer that lost its shard changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from city.scope import EVERYTHING
from store.interface import FencedError, LedgerQuery, ObservationQuery

if TYPE_CHECKING:
    from conftest import Parts, Writer

METER = ObservationQuery("acme", "meter")


def test_a_batch_is_read_back_and_outlives_the_process(writer: Writer, parts: type[Parts]) -> None:
    writer.write([{"value": 12.5}], series=[parts.series()], **writer.messages())
    writer.write([{"value": 13.5, "time_us": writer.time_us + 1}], **writer.messages())
    again = writer.open()
    balance = again.ledger(EVERYTHING, LedgerQuery())
    assert again.marks() == {writer.shard: 2}
    assert [each.value for each in again.observations(EVERYTHING, METER)] == [12.5, 13.5]
    assert balance.messages.received == balance.messages.accepted == 2
    assert balance.difference.messages == balance.difference.observations == 0
    assert again.find(parts.late((0, writer.time_us))).column("value").to_pylist() == [12.5]
    assert again.watermarks().column("time_us").to_pylist() == [writer.time_us + 1]


def test_a_stale_owner_is_fenced_for_every_shard_of_its_batch(
    writer: Writer, parts: type[Parts]
) -> None:
    stale = writer.batch([{"value": 9.0}], **writer.messages(), quarantine=[parts.entry(1)])
    writer.write([{"value": 1.0}], series=[parts.series()], **writer.messages())
    for _ in range(2):
        with pytest.raises(FencedError) as caught:
            writer.store.write(stale)
        assert (caught.value.shard, caught.value.expected, caught.value.found) == (3, 0, 1)
        assert_written(writer, 1)
        assert writer.store.quarantine_counts(EVERYTHING) == {}
        writer.open()


def assert_written(writer: Writer, batches: int) -> None:
    balance = writer.store.ledger(EVERYTHING, LedgerQuery())
    assert writer.store.marks() == {writer.shard: batches}
    assert balance.messages.received == balance.messages.accepted == batches
    assert len(writer.store.observations(EVERYTHING, METER)) == batches
