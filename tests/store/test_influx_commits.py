"""A reader beside the writer: what is being written does not hide what counts already."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from city.scope import EVERYTHING
from store.influx import InfluxAddress, InfluxStore
from store.influx.address import BOOKS
from store.influx.connection import Connection
from store.influx.terms import read_chains
from store.interface import OBSERVATION_SCHEMA, Batch, LedgerQuery, LedgerRow, Mark

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.live


def test_a_commit_of_which_a_part_is_there_does_not_hide_the_one_before_it(
    new_database: Callable[[], InfluxAddress],
) -> None:
    address = new_database()
    store = InfluxStore(address)
    store.marks()
    nothing = OBSERVATION_SCHEMA.empty_table()
    store.write(
        Batch(
            marks=[Mark(0, 0, 7)], counts=[], received=[], series=[],
            ledger=[LedgerRow(shard=0, minute_us=0, provider="acme", route="native", accepted=5)],
            observations=nothing, conflicts=nothing,
        )
    )  # fmt: skip
    store.close()
    with contextlib.closing(Connection(address)) as connection:
        (link,) = read_chains(connection)[0].links
        # As a server shows a point while it takes its fields one after the other.
        begun = f'commits,shard=0,term={link.term} part1="end of it" {link.limit + 1}'
        connection.write(BOOKS, begun.encode())
        assert read_chains(connection)[0].links == [link]
    reader = InfluxStore(address)
    assert reader.marks() == {0: 7}
    assert reader.ledger(EVERYTHING, LedgerQuery()).messages.accepted == 5
    reader.close()
