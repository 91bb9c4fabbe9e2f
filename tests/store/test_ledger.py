"""The ledger's sums are what the batches said, folded or not, and agree at one instant."""

from __future__ import annotations

import collections
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from city.scope import EVERYTHING, Scope
from store.interface import GatewayCount, LedgerQuery, LedgerRow, Mark, ReceivedRow

if TYPE_CHECKING:
    from conftest import Parts, Writer

    from store.interface import Batch, Store

MINUTE_US = 60_000_000
ALL = LedgerQuery()

# Few keys, so that examples fold the same ones again; routes may be unknown.
outcomes = st.builds(
    LedgerRow,
    shard=st.just(3),
    minute_us=st.integers(0, 3).map(lambda minute: minute * MINUTE_US),
    provider=st.sampled_from(["", "acme", "water"]),
    route=st.sampled_from(["", "native"]),
    accepted=st.integers(-2, 9),
    quarantined=st.integers(-2, 9),
    duplicate=st.integers(0, 9),
    decoded=st.integers(0, 2**40),
    stored=st.integers(0, 9),
    duplicate_observations=st.integers(0, 9),
    rejected=st.integers(0, 9),
    conflict=st.integers(0, 9),
)
batches = st.lists(
    st.tuples(
        st.lists(outcomes, max_size=4),
        st.lists(
            st.builds(
                ReceivedRow,
                shard=st.just(3),
                minute_us=st.integers(0, 3).map(lambda minute: minute * MINUTE_US),
                received=st.integers(1, 50),
            ),
            max_size=3,
        ),
        st.integers(0, 9),
    ),
    max_size=8,
)


@pytest.mark.property
@settings(
    max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(batches=batches)
def test_sums_are_those_of_the_batches_before_and_after_folding(
    batches: list[tuple[list[LedgerRow], list[ReceivedRow], int]],
    writer: Writer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fold_every(monkeypatch, 3)
    store = writer.fresh()
    sums: collections.Counter[tuple[int, str, str, str]] = collections.Counter()
    received: collections.Counter[int] = collections.Counter()
    for number, (rows, counted, gateway) in enumerate(batches):
        counts = [GatewayCount(f"gateway-{gateway}", gateway, 3, number + 1)]
        store.write(whole(writer, number, rows, counted, counts))
        for row in rows:
            sums.update(members(row))
        received.update({row.minute_us: row.received for row in collapse(counted)})
        assert_agree(store, sums, received)
        assert store.marks() == {3: number + 1}
    last = {gateway: number + 1 for number, (_, _, gateway) in enumerate(batches)}
    assert {each.epoch: each.count for each in store.counts()} == last
    store.close()


def test_a_message_without_a_route_is_counted_beside_what_was_received(writer: Writer) -> None:
    row = LedgerRow(3, 0, "", "", quarantined=1)
    for _ in range(200):
        writer.write(received=[ReceivedRow(3, 0, 1)], ledger=[row])
    assert writer.store.ledger_rows(EVERYTHING, ALL) == [LedgerRow(-1, 0, "", "", quarantined=200)]
    assert writer.store.ledger(EVERYTHING, ALL).difference.messages == 0


def test_a_replay_moves_a_message_and_counts_it_once(writer: Writer) -> None:
    writer.write(
        received=[ReceivedRow(3, 0, 1)], ledger=[LedgerRow(3, 0, "acme", "native", quarantined=1)]
    )
    moved = LedgerRow(3, 0, "acme", "native", quarantined=-1, accepted=1, decoded=2, stored=2)
    writer.write(ledger=[moved])
    balance = writer.store.ledger(EVERYTHING, ALL)
    assert (balance.messages.accepted, balance.messages.quarantined) == (1, 0)
    assert balance.difference.messages == balance.difference.observations == 0


def test_minutes_providers_and_routes_can_be_asked_for(writer: Writer) -> None:
    rows = [
        LedgerRow(3, minute * MINUTE_US, provider, route, accepted=1)
        for minute in range(3)
        for provider in ("acme", "water")
        for route in ("native", "lora")
    ]
    writer.write(ledger=rows, received=[ReceivedRow(3, MINUTE_US, 4)])
    store = writer.store
    since = LedgerQuery(since_us=MINUTE_US, until_us=2 * MINUTE_US)
    assert store.ledger(EVERYTHING, since).messages.accepted == 4
    assert store.ledger(EVERYTHING, since).messages.received == 4
    of_route = store.ledger(EVERYTHING, LedgerQuery(provider="acme", route="lora"))
    assert (of_route.messages.accepted, of_route.messages.received) == (3, 3)
    assert of_route.difference.messages == 0
    seen = store.ledger_rows(Scope(frozenset({"water"})), ALL)
    assert {row.provider for row in seen} == {"water"}
    assert store.ledger(Scope(frozenset()), ALL).messages.received == 0


def test_a_snapshot_by_minute_has_everything_of_one_instant(writer: Writer) -> None:
    writer.write(**writer.messages(5))
    snapshot = writer.store.ledger_snapshot(EVERYTHING, ALL, "minute")
    assert snapshot.balance == writer.store.ledger(EVERYTHING, ALL)
    assert snapshot.counts == [GatewayCount("gateway-0", 7, 3, 5)]
    assert snapshot.received == [ReceivedRow(-1, writer.time_us, 5)]
    assert [row.accepted for row in snapshot.rows] == [5]
    total = writer.store.ledger_snapshot(EVERYTHING, ALL)
    assert (total.received, total.rows) == ([], [])


def test_a_snapshot_agrees_with_itself_while_batches_are_written(
    writer: Writer, parts: type[Parts], monkeypatch: pytest.MonkeyPatch
) -> None:
    fold_every(monkeypatch, 5)
    writer.write(series=[parts.series()])
    store, done, faults = writer.store, threading.Event(), list[object]()
    seen = list[int]()

    def read() -> None:
        while not done.is_set():
            snapshot = store.ledger_snapshot(EVERYTHING, ALL, "minute")
            counted = sum(each.count for each in snapshot.counts)
            of_rows = sum(row.accepted for row in snapshot.rows)
            of_minutes = sum(row.received for row in snapshot.received)
            received = snapshot.balance.messages.received
            seen.append(received)
            if not counted == of_rows == of_minutes == received:
                faults.append(snapshot)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(150):
        writer.write([{"value": 1.0}], **writer.messages())
    done.set()
    for reader in readers:
        reader.join(30)
    assert not faults
    assert len(set(seen)) > 5, "the readers did not see the writes happen"


def test_marks_of_shards_do_not_touch_each_other(writer: Writer) -> None:
    writer.write()
    writer.write(marks=[Mark(4, 0, 900)])
    writer.write(marks=[Mark(3, 1, 2), Mark(4, 900, 901)])
    assert writer.open().marks() == {3: 2, 4: 901}


def fold_every(monkeypatch: pytest.MonkeyPatch, batches: int) -> None:
    """Let each store gather what its batches added after so many of them."""
    monkeypatch.setattr("store.duckdb.store.FOLD_EVERY", batches)
    monkeypatch.setattr("store.influx.writer.FLUSH_EVERY", batches)


def whole(
    writer: Writer,
    number: int,
    ledger: list[LedgerRow],
    received: list[ReceivedRow],
    counts: list[GatewayCount],
) -> Batch:
    marks = [Mark(3, number, number + 1)]
    return writer.batch(marks=marks, ledger=ledger, received=collapse(received), counts=counts)


def collapse(rows: list[ReceivedRow]) -> list[ReceivedRow]:
    """Return at most one row a minute."""
    return list({row.minute_us: row for row in rows}.values())


def members(row: LedgerRow) -> dict[tuple[int, str, str, str], int]:
    names = LedgerRow.__struct_fields__[4:]
    return {(row.minute_us, row.provider, row.route, name): getattr(row, name) for name in names}


def assert_agree(
    store: Store,
    sums: collections.Counter[tuple[int, str, str, str]],
    received: collections.Counter[int],
) -> None:
    found: dict[tuple[int, str, str, str], int] = {}
    for row in store.ledger_rows(EVERYTHING, ALL):
        found |= members(row)
    assert {key: value for key, value in found.items() if value} == {
        key: value for key, value in sums.items() if value
    }
    balance = store.ledger(EVERYTHING, ALL)
    assert balance.messages.received == received.total()
    assert balance.messages.accepted == sum(v for key, v in sums.items() if key[3] == "accepted")
