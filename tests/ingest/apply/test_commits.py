"""What is counted once whatever happens between reading a frame and its commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from registry.errors import RegistryAwayError
from store.interface import FencedError, StoreBusyError

if TYPE_CHECKING:
    from conftest import Bench, NewBench

    from store.interface import Batch

SHARD = 3
NOW_MS = 1_772_619_330_000


def message(value: int) -> tuple[str, dict[str, object]]:
    """Return a message whose time is its value's."""
    document: dict[str, object] = {"t": NOW_MS + value, "obs": [{"q": "pm10", "v": value}]}
    return "madina/v1/acme/a/up", document


def test_a_frame_that_came_before_is_not_counted_again(bench: Bench) -> None:
    bench.register("a")
    frame = bench.frame(message(1))
    again = msgspec.structs.replace(frame, sequence=2)
    bench.applier.apply([frame, again])
    bench.applier.apply([msgspec.structs.replace(frame, sequence=3)])
    assert bench.ledger.messages.received == 1
    assert bench.store.marks() == {SHARD: 3}


def test_bytes_that_are_no_frame_show_in_the_difference(bench: Bench) -> None:
    bench.register("a")
    frame = bench.frame(message(1))
    bench.applier.apply([msgspec.structs.replace(frame, data=frame.data[:-1] + b"?")])
    bench.send(message(2))
    assert bench.store.counts()[0].count == 2
    assert bench.ledger.messages.received == 1


def test_a_busy_store_gets_the_same_batch_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.register("a")
    write, refusals = bench.store.write, [2]

    def busy(batch: Batch) -> None:
        if refusals[0]:
            refusals[0] -= 1
            raise StoreBusyError(store="duckdb", cause="told so", retry_after_s=0.1)
        write(batch)

    monkeypatch.setattr(bench.store, "write", busy)
    frames = [bench.frame(message(1))]
    for _ in range(2):
        with pytest.raises(StoreBusyError):
            bench.applier.apply(frames)
    frames.append(bench.frame(message(2)))
    assert bench.applier.apply(frames).messages == 2
    assert bench.values() == [1.0, 2.0]
    assert bench.ledger.messages.received == 2


def test_a_registry_that_goes_away_amid_a_batch_costs_no_message(
    new_bench: NewBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = new_bench("accept")
    bench.send(message(1))
    frames = [bench.frame(message(2)), bench.frame(("madina/v1/acme/b/up", message(3)[1]))]
    with monkeypatch.context() as away:

        def refuse(_devices: list[tuple[str, str]]) -> int:
            raise RegistryAwayError(OSError("gone"))

        away.setattr(bench.registry, "accept", refuse)
        for _ in range(2):
            with pytest.raises(RegistryAwayError):
                bench.applier.apply(frames)
    bench.applier.apply(frames)
    assert (bench.values(), bench.values("b")) == ([1.0, 2.0], [3.0])
    assert bench.ledger.messages.accepted == 3


def test_an_owner_that_woke_up_late_changes_nothing(bench: Bench) -> None:
    bench.register("a")
    late, frames = bench.applier, [bench.frame(message(1))]
    bench.reload()
    bench.applier.apply(frames)
    with pytest.raises(FencedError):
        late.apply(frames)
    assert late.load() == {SHARD: 1}
    late.apply([bench.frame(message(2))])
    assert bench.values() == [1.0, 2.0]
    assert bench.ledger.messages.accepted == 2
