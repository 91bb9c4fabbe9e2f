"""Quarantine keeps messages byte by byte, is paged newest first, and remembers what was decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from city.scope import EVERYTHING, Scope
from store.interface import Mark, ParkedDevice, ParkedQuery, QuarantineQuery, Resolution

if TYPE_CHECKING:
    from conftest import Parts, Writer

HELD = QuarantineQuery()


def test_an_entry_comes_back_whole(writer: Writer, parts: type[Parts]) -> None:
    entry = parts.entry(
        1, payload=bytes(range(256)) * 256, reasons=(("unit_mismatch", "pm10"), ("nonfinite", "t")),
        state="partial", topic="a/'\"/\x00ü", content_type="application/json", length=1 << 20,
    )  # fmt: skip
    writer.write(quarantine=[entry])
    writer.open()
    assert writer.store.quarantine(EVERYTHING, QuarantineQuery(state="partial")) == [entry]
    assert writer.store.quarantine(EVERYTHING, HELD) == []


def test_pages_go_from_new_to_old_without_a_gap(writer: Writer, parts: type[Parts]) -> None:
    entries = [parts.entry(number, received_us=100 + number // 3) for number in range(10, 30)]
    writer.write(quarantine=entries)
    seen: list[str] = []
    before = None
    while page := writer.store.quarantine(EVERYTHING, QuarantineQuery(limit=6, before=before)):
        seen += [each.id for each in page]
        before = seen[-1]
    expected = sorted(entries, key=lambda each: (each.received_us, each.id), reverse=True)
    assert seen == [each.id for each in expected]
    assert writer.store.quarantine(EVERYTHING, QuarantineQuery(before="9-9-9")) == []


def test_entries_are_found_by_what_they_have_in_common(writer: Writer, parts: type[Parts]) -> None:
    writer.write(
        marks=[Mark(3, 0, 1), Mark(4, 0, 1)],
        quarantine=[
            parts.entry(1),
            parts.entry(2, reason="no_route", provider="", device="", route=""),
            parts.entry(3, provider="water", device="pump", route="lora", shard=4),
        ],
    )
    for query, numbers in [
        (QuarantineQuery(reason="no_route"), [2]),
        (QuarantineQuery(provider="acme"), [1]),
        (QuarantineQuery(device="pump", provider="water"), [3]),
        (QuarantineQuery(route="lora"), [3]),
        (QuarantineQuery(shard=3), [2, 1]),
        (QuarantineQuery(ids=("3-1-0", "3-3-0", "3-9-0")), [3, 1]),
        (QuarantineQuery(ids=()), []),
        (QuarantineQuery(state=None), [3, 2, 1]),
        (QuarantineQuery(state="dropped"), []),
    ]:
        found = writer.store.quarantine(EVERYTHING, query)
        assert [each.id for each in found] == [f"3-{number}-0" for number in numbers], query
    water = Scope(frozenset({"water"}))
    assert [each.device for each in writer.store.quarantine(water, HELD)] == ["pump"]
    assert writer.store.quarantine_counts(EVERYTHING) == {"bad_json": 2, "no_route": 1}
    assert writer.store.quarantine_counts(water) == {"bad_json": 1}


def test_a_resolution_changes_its_entry_and_nothing_else(
    writer: Writer, parts: type[Parts]
) -> None:
    entries = [parts.entry(number) for number in range(4)]
    writer.write(quarantine=entries)
    writer.write(
        resolutions=[
            Resolution("3-0-0", "replayed", resolved_us=7),
            Resolution("3-1-0", "dropped", words="broken meter", resolved_us=8),
            Resolution("3-2-0", "held", reason="no_codec", words="none for lora", resolved_us=9),
            Resolution("3-99-0", "dropped", resolved_us=9),
        ]
    )
    found = {
        each.id: each for each in writer.store.quarantine(EVERYTHING, QuarantineQuery(state=None))
    }
    replace = msgspec.structs.replace
    assert found["3-0-0"] == replace(entries[0], state="replayed", resolved_us=7)
    assert found["3-1-0"] == replace(
        entries[1], state="dropped", words="broken meter", resolved_us=8
    )
    assert found["3-2-0"] == replace(
        entries[2], reason="no_codec", words="none for lora", resolved_us=9
    )
    assert found["3-3-0"] == entries[3]
    assert writer.store.quarantine_counts(EVERYTHING) == {"bad_json": 1, "no_codec": 1}


def test_an_entry_may_be_resolved_in_the_batch_that_brings_it(
    writer: Writer, parts: type[Parts]
) -> None:
    entry = parts.entry(1)
    writer.write(quarantine=[entry], resolutions=[Resolution(entry.id, "replayed", resolved_us=1)])
    assert writer.store.quarantine_counts(EVERYTHING) == {}


def test_devices_with_waiting_messages_are_listed_with_their_newest(
    writer: Writer, parts: type[Parts]
) -> None:
    entries = [
        *(parts.entry(number, reason="unknown_device") for number in range(5)),
        parts.entry(5, reason="unknown_device", device="z", route="lora", codec="tts-v3"),
        parts.entry(6, reason="unknown_device", device="z", state="partial"),
        parts.entry(7, reason="unknown_device", provider="water", device="pump"),
        parts.entry(8, reason="unknown_device", provider="water", device=""),
        parts.entry(9, reason="no_route", device="other"),
    ]
    writer.write(quarantine=entries)
    writer.write(resolutions=[Resolution("3-0-0", "replayed", resolved_us=7)])
    first, second, third = writer.store.parked(EVERYTHING, ParkedQuery("unknown_device"))
    at = entries[0].received_us
    assert first == ParkedDevice(
        "acme", "meter", "native", "native", 4, at + 1, at + 4, ("3-4-0", "3-3-0", "3-2-0")
    )
    assert (second.device, second.messages, second.newest) == ("z", 2, ("3-6-0", "3-5-0"))
    assert (third.provider, third.device) == ("water", "pump")
    for query, devices in [
        (ParkedQuery("unknown_device", provider="water"), ["pump"]),
        (ParkedQuery("unknown_device", route="lora"), ["z"]),
        (ParkedQuery("unknown_device", after=("acme", "meter"), limit=1), ["z"]),
        (ParkedQuery("unknown_device", after=("water", "pump")), []),
        (ParkedQuery("no_route"), ["other"]),
    ]:
        assert [each.device for each in writer.store.parked(EVERYTHING, query)] == devices, query
    scope = Scope(frozenset({"water"}))
    assert [each.device for each in writer.store.parked(scope, ParkedQuery("unknown_device"))] == [
        "pump"
    ]
    writer.write(resolutions=[Resolution("3-7-0", "dropped", resolved_us=9)])
    assert writer.store.parked(scope, ParkedQuery("unknown_device")) == []
