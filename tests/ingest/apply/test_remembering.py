"""Codecs that remember: sessions survive a restart, what waited comes back, and all is counted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from city.frame import Door
from city.presence import PRESENCE, offline_of
from registry.records import RouteDraft
from store.interface import Batch

if TYPE_CHECKING:
    from conftest import Bench

SAMPLES = Path(__file__).parents[2] / "data" / "samples" / "sparkplug-b"
METER = "water:plc-1:meter%201"


def sample(name: str) -> tuple[str, bytes]:
    meta = msgspec.json.decode((SAMPLES / f"{name}.meta.json").read_bytes())
    topic: str = meta["topic"]
    return topic, bytes.fromhex((SAMPLES / f"{name}.in").read_text())


@pytest.fixture
def plant(bench: Bench) -> Bench:
    """Return a bench whose route reads Sparkplug; nodes and devices are registered."""
    options = {"ask_rebirth": True}
    route = RouteDraft("plant", "spBv1.0/#", "sparkplug-b", "acme", options=options)
    bench.registry.routes.create("test", route)
    bench.register("water:plc-1", METER, kind="water")
    return bench


def test_what_a_birth_told_survives_a_restart(plant: Bench) -> None:
    for name in ("01_nbirth", "02_dbirth"):
        plant.send(sample(name))
        plant.reload()
    plant.send(sample("03_ddata_alias"))
    rates = [each.value for each in plant.stored(METER) if each.quantity == "flow_rate"]
    assert rates == pytest.approx([13.5, 15.3])
    assert plant.ledger.messages.accepted == 3


def test_data_without_a_birth_waits_and_comes_back_by_itself(plant: Bench) -> None:
    plant.send(sample("03_ddata_alias"))
    (held,) = plant.quarantine()
    assert (held.reason, held.device) == ("sparkplug_no_birth", METER)
    assert plant.ledger.messages.quarantined == 1
    plant.reload()
    plant.send(sample("01_nbirth"), sample("02_dbirth"))
    assert plant.quarantine() == []
    ledger = plant.ledger.messages
    assert (ledger.received, ledger.accepted, ledger.quarantined) == (3, 3, 0)
    assert 15.3 in [each.value for each in plant.stored(METER)]


def test_what_waited_comes_back_though_the_worker_died_before_it_was_read_again(
    plant: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant.send(sample("03_ddata_alias"))
    plant.send(sample("01_nbirth"))
    # Nothing beyond the birth's own batch is written: the process ends there.
    write, written = plant.store.write, list[Batch]()

    def die_after_one(batch: Batch) -> None:
        if written:
            raise KeyboardInterrupt
        written.append(batch)
        write(batch)

    monkeypatch.setattr(plant.store, "write", die_after_one)
    with pytest.raises(KeyboardInterrupt):
        plant.send(sample("02_dbirth"))
    monkeypatch.undo()
    assert len(plant.quarantine()) == 1
    plant.reload()
    plant.send(sample("04_ddata_edge_cases"))
    assert plant.quarantine() == []
    assert plant.ledger.messages.accepted == 4


def test_a_death_ends_the_session_for_the_next_worker_too(plant: Bench) -> None:
    plant.send(sample("01_nbirth"), sample("02_dbirth"))
    plant.send(sample("05_ndeath"))
    plant.reload()
    plant.send(sample("03_ddata_alias"))
    assert [each.reason for each in plant.quarantine()] == ["sparkplug_no_birth"]


def test_a_death_is_kept_with_its_batch_and_a_birth_takes_it_back(plant: Bench) -> None:
    def offline() -> dict[tuple[str, str], int]:
        kept = plant.store.codec_records(PRESENCE)
        return offline_of((each.key, each.value) for each in kept)

    plant.send(sample("01_nbirth"), sample("02_dbirth"))
    assert offline() == {}
    plant.send(sample("05_ndeath"))
    assert set(offline()) == {("acme", "water:plc-1"), ("acme", METER)}
    plant.reload()
    plant.send(sample("01_nbirth"))
    assert set(offline()) == {("acme", METER)}
    plant.send(sample("02_dbirth"))
    assert offline() == {}


def test_a_node_is_asked_through_the_bridge_and_never_at_our_own_endpoint(plant: Bench) -> None:
    data = sample("03_ddata_alias")
    assert plant.send(data).requests == []
    asked = plant.applier.apply([plant.frame(data, door=Door.BRIDGE, received_us=10**15 * 2)])
    assert [each.topic for each in asked.requests] == ["spBv1.0/water/NCMD/plc-1"]


def test_a_birth_of_an_unknown_device_counts_though_it_waits(plant: Bench) -> None:
    topic, data = sample("02_dbirth")
    other = topic.replace("meter 1", "meter 2")
    plant.send(sample("01_nbirth"), (other, data))
    assert [each.reason for each in plant.quarantine()] == ["unknown_device"]
    plant.register("water:plc-1:meter%202", kind="water")
    plant.replay()
    topic, data = sample("03_ddata_alias")
    plant.send((topic.replace("meter 1", "meter 2"), data))
    assert 15.3 in [each.value for each in plant.stored("water:plc-1:meter%202")]
