"""Observations come back as they were: values of every kind, pages, conflicts, late look-ups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from city.scope import EVERYTHING, Scope
from store.interface import OBSERVATION_SCHEMA, CodecRecord, ObservationQuery, RecentKey, Series

if TYPE_CHECKING:
    from conftest import Parts, Writer

METER = ObservationQuery("acme", "meter")
HOUR_US = 3_600_000_000


@pytest.mark.parametrize(
    ("kind", "column", "value"),
    [
        ("number", {"value": -0.25}, -0.25),
        ("number", {"value": 5e-324}, 5e-324),
        ("number", {"other": "9007199254740993"}, 9007199254740993),
        ("number", {"other": "-123456789012345678901234567890"}, None),
        ("bool", {"other": "true"}, True),
        ("bool", {"other": "false"}, False),
        ("text", {"other": '"zu \\"a\\" \\u0000"'}, 'zu "a" \x00'),
        ("text", {"other": '""'}, ""),
    ],
)
def test_a_value_keeps_its_type(
    kind: str, column: dict[str, object], value: object, writer: Writer, parts: type[Parts]
) -> None:
    number = parts.series(kind=kind)  # pyright: ignore[reportArgumentType] - a parameter of pytest
    writer.write([column], series=[number])
    (found,) = writer.store.observations(EVERYTHING, METER)
    expected = int(str(column["other"])) if value is None else value
    assert found.value == expected
    assert type(found.value) is type(expected)
    assert (found.unit, found.quantity) == (number.unit, "pm10")


def test_every_column_comes_back(writer: Writer, parts: type[Parts]) -> None:
    end_us = writer.time_us + HOUR_US
    row = {"value": 1.5, "flag": 3, "end_us": end_us, "metadata": '{"snr":7.5}'}
    writer.write([row], series=[parts.series()])
    (found,) = writer.store.observations(EVERYTHING, METER)
    assert (found.flag, found.end_us, found.metadata) == (3, end_us, '{"snr":7.5}')
    assert (found.time_us, found.received_us) == (writer.time_us, writer.time_us + 500)


def test_series_are_read_by_number_with_units_that_nobody_knows(
    writer: Writer, parts: type[Parts]
) -> None:
    first, second = parts.series(0), parts.series(1, kind="text", quantity="note")
    writer.write(series=[first])
    writer.write(series=[second])
    assert writer.store.series() == [first, second]
    assert writer.open().series() == [first, second]
    assert second.unit is None


def test_pages_meet_without_a_gap_or_a_double(writer: Writer, parts: type[Parts]) -> None:
    rows = [
        {"series": number, "time_us": writer.time_us + minute, "value": float(minute)}
        for minute in range(10)
        for number in (0, 1)
    ]
    both = [parts.series(0), parts.series(1, quantity="pm2_5")]
    writer.write(list(reversed(rows)), series=both)
    seen: list[tuple[int, int]] = []
    after = None
    while page := writer.store.observations(
        EVERYTHING, msgspec.structs.replace(METER, limit=3, after=after)
    ):
        assert len(page) <= 3
        seen += [(each.time_us, each.series) for each in page]
        after = seen[-1]
    assert seen == [(row["time_us"], row["series"]) for row in rows]


def test_from_is_included_and_to_is_not(writer: Writer, parts: type[Parts]) -> None:
    first = writer.time_us
    rows = [{"time_us": first + second, "value": 1.0} for second in range(5)]
    writer.write(rows, series=[parts.series()])
    query = msgspec.structs.replace(METER, from_us=first + 1, to_us=first + 3, quantity="pm10")
    found = writer.store.observations(EVERYTHING, query)
    assert [each.time_us - first for each in found] == [1, 2]
    assert writer.store.observations(EVERYTHING, ObservationQuery("acme", "meter", "co2")) == []


def test_columns_are_first_values_of_the_wanted_series_by_series_and_time(
    writer: Writer, parts: type[Parts]
) -> None:
    first = writer.time_us
    rows = [
        {"series": number, "time_us": first + second, "value": number + second / 8, "flag": 3}
        for second in (4, 0, 2, 1, 3)
        for number in (2, 0, 1)
    ]
    every = [parts.series(number, quantity=f"q{number}") for number in range(3)]
    conflict = parts.observations([{"series": 2, "time_us": first + 1, "value": 99.0}])
    writer.write(rows, series=every, conflicts=conflict)
    found = writer.store.columns([2, 0, 7], first + 1, first + 4)
    assert found.schema == OBSERVATION_SCHEMA
    assert found.column("series").to_pylist() == [0, 0, 0, 2, 2, 2]
    assert [time - first for time in found.column("time_us").to_pylist()] == [1, 2, 3, 1, 2, 3]
    assert found.column("value").to_pylist() == [0.125, 0.25, 0.375, 2.125, 2.25, 2.375]
    assert writer.store.columns([0, 1], first + 3, first + 3).num_rows == 0
    assert writer.store.columns([], first, first + 9).schema == OBSERVATION_SCHEMA


def test_a_scope_hides_other_providers(writer: Writer, parts: type[Parts]) -> None:
    writer.write([{"value": 1.0}], series=[parts.series()])
    store = writer.store
    other = Scope(frozenset({"other"}))
    assert store.observations(other, METER) == []
    assert store.aggregates(other, METER, "hour") == []
    assert len(store.observations(Scope(frozenset({"acme"})), METER)) == 1


def test_conflicts_are_kept_beside_the_first_value_and_say_so(
    writer: Writer, parts: type[Parts]
) -> None:
    writer.write([{"value": 1.0}], series=[parts.series()])
    conflicts = [
        {"value": 2.0, "metadata": '{"notes":["late"],"rssi":-90}'},
        {"value": 3.0},
    ]
    writer.write(conflicts=parts.observations(conflicts))
    found = writer.store.observations(EVERYTHING, METER)
    assert [each.value for each in found] == [1.0, 2.0, 3.0]
    assert [each.metadata for each in found] == [
        None,
        '{"notes":["late","conflict"],"rssi":-90}',
        '{"notes":["conflict"]}',
    ]
    assert [each.count for each in writer.store.aggregates(EVERYTHING, METER, "day")] == [1]
    key = parts.late((0, writer.time_us))
    assert writer.store.find(key).column("value").to_pylist() == [1.0]
    assert writer.store.find_conflicts(key).column("value").to_pylist() == [2.0, 3.0]


def test_a_stuck_clock_does_not_fill_a_page_with_conflicts(
    writer: Writer, parts: type[Parts]
) -> None:
    conflicts = [{"value": float(each)} for each in range(1_000)]
    rows = [{"value": -1.0}, {"value": 5.0, "time_us": writer.time_us + 1}]
    writer.write(rows, series=[parts.series()], conflicts=parts.observations(conflicts))
    found = writer.store.observations(EVERYTHING, METER)
    assert len(found) == 1 + 100 + 1
    assert [found[0].value, found[1].value, found[-1].value] == [-1.0, 0.0, 5.0]


def test_late_times_are_found_wherever_they_are(writer: Writer, parts: type[Parts]) -> None:
    times = [writer.time_us - back for back in (0, 1, HOUR_US, 400 * HOUR_US, 9_000 * HOUR_US)]
    writer.write(
        [{"time_us": time_us, "value": float(at)} for at, time_us in enumerate(times)],
        series=[parts.series()],
    )
    wanted = [(0, time_us) for time_us in times[1:]]
    missing = [(0, writer.time_us + 1), (1, times[0]), (0, 0), (0, 2**62)]
    found = writer.store.find(parts.late(*wanted, *missing))
    assert sorted(found.column("time_us").to_pylist()) == sorted(times[1:])
    assert found.schema == OBSERVATION_SCHEMA
    assert writer.store.find(parts.late()).num_rows == 0


def test_watermarks_are_the_newest_by_event_time(writer: Writer, parts: type[Parts]) -> None:
    newest = {"time_us": writer.time_us + 9, "value": None, "other": '"open"', "flag": 4}
    both = [parts.series(0), parts.series(1, quantity="pm2_5")]
    writer.write([newest, {"series": 1, "value": 3.5}], series=both)
    writer.write([{"time_us": writer.time_us + 5, "value": 1.0}])
    found = writer.open().watermarks()
    assert found.schema == OBSERVATION_SCHEMA
    assert found.column("series").to_pylist() == [0, 1]
    assert found.column("time_us").to_pylist() == [writer.time_us + 9, writer.time_us]
    assert found.column("other").to_pylist() == ['"open"', None]


def test_the_last_64_keys_of_each_device_come_back_oldest_first(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of the store that prunes by itself.
    monkeypatch.setattr("store.duckdb.store.PRUNE_EVERY", 100)
    for first in range(0, 200, 20):
        keys = [
            RecentKey("acme", device, 2**64 - 1 - number, writer.time_us + number // 2)
            for number in range(first, first + 20)
            for device in ("a", "b")
        ]
        writer.write(recent=keys)
    found = writer.open().recent()
    assert [each.device for each in found] == ["a"] * 64 + ["b"] * 64
    assert [2**64 - 1 - each.key for each in found[:64]] == list(range(136, 200))


def test_the_last_record_of_a_codec_and_key_counts(writer: Writer) -> None:
    first = [
        CodecRecord("spb", "a", b"1"),
        CodecRecord("spb", "b", b"\0"),
        CodecRecord("x", "a", b""),
    ]
    writer.write(codec_records=first)
    writer.write(codec_records=[CodecRecord("spb", "a", b"2"), CodecRecord("spb", "c", b"3")])
    writer.write(codec_records=[CodecRecord("presence", "acme/o'x", b"4")])
    assert writer.store.codec_records("presence") == [CodecRecord("presence", "acme/o'x", b"4")]
    assert writer.store.codec_records("nobody") == []
    found = {(each.codec, each.key): each.value for each in writer.open().codec_records()}
    assert found.pop(("presence", "acme/o'x")) == b"4"
    assert found == {("spb", "a"): b"2", ("spb", "b"): b"\0", ("spb", "c"): b"3", ("x", "a"): b""}


def test_a_device_id_is_no_pattern(writer: Writer) -> None:
    odd = Series(0, "acme", "a'; DROP TABLE series; --%", "pm10", "ug/m3", "number")
    writer.write([{"value": 1.0}], series=[odd])
    assert len(writer.store.observations(EVERYTHING, ObservationQuery("acme", odd.device))) == 1
    assert writer.store.observations(EVERYTHING, ObservationQuery("acme", "%")) == []
