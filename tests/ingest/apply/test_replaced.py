"""New hardware in a device's place: one series, by the times of observations, fast path or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry.records import HardwareDraft

if TYPE_CHECKING:
    from conftest import Bench

AT_MS = 1_772_619_000_000


def said(device: str, minute: int) -> tuple[str, dict[str, object]]:
    """Return a message of a device, so many minutes after the replacement."""
    body: dict[str, object] = {
        "t": AT_MS + minute * 60_000,
        "obs": [{"q": "temperature", "v": minute, "u": "Cel"}],
    }
    return f"madina/v1/acme/{device}/up", body


def replace(bench: Bench, old: str, new: str, minute: int = 0) -> None:
    at_us = (AT_MS + minute * 60_000) * 1_000
    bench.registry.hardware.replace("test", HardwareDraft("acme", old, new, at_us))


def test_new_hardware_goes_on_with_the_series_of_the_old_one(bench: Bench) -> None:
    bench.register("a")
    bench.send(said("a", -3), said("a", -1))
    replace(bench, "a", "b")
    bench.send(said("b", 0), said("b", 2), said("a", -2), said("b", 2))
    assert bench.values() == [-3.0, -2.0, -1.0, 0.0, 2.0]
    assert bench.stored("b") == []
    assert len({each.series for each in bench.stored()}) == 1
    assert bench.ledger.observations.duplicate == 1
    bench.reload()
    bench.send(said("b", 3))
    assert bench.values()[-1] == 3.0


def test_what_was_measured_elsewhere_is_none_of_the_place(bench: Bench) -> None:
    bench.register("a")
    replace(bench, "a", "b")
    bench.send(said("b", -1), said("a", 1))
    assert bench.values() == []
    held = bench.quarantine("partial")
    assert {each.reason for each in held} == {"unknown_device"}
    assert "stood in no device's place" in held[0].words
    assert bench.ledger.observations.rejected == 2


def test_what_waits_of_the_new_hardware_comes_into_the_series_once(bench: Bench) -> None:
    bench.register("a")
    bench.send(said("b", 1), said("b", 2))
    assert [each.reason for each in bench.quarantine()] == ["unknown_device"] * 2
    replace(bench, "a", "b")
    bench.send(said("b", 2))
    bench.replay()
    bench.replay()
    assert bench.values() == [1.0, 2.0]
    assert bench.ledger.messages.quarantined == 0


def test_a_second_replacement_and_a_retired_device(bench: Bench) -> None:
    bench.register("a")
    replace(bench, "a", "b")
    replace(bench, "a", "c", 10)
    bench.send(said("b", 9), said("b", 10), said("c", 10), said("c", 9))
    assert bench.values() == [9.0, 10.0]
    bench.registry.devices.merge("test", [{"provider": "acme", "id": "a", "status": "retired"}])
    bench.send(said("c", 11))
    assert [each.device for each in bench.quarantine()] == ["c"]
    assert "retired" in bench.quarantine()[0].words
