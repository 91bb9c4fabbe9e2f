"""Lines of JSON, rows of CSV and records of one quantity each: read as proposed, or said plainly.

Whatever is proposed is read by the code of ingest with the proposed options: values, units, times
and devices of the messages themselves are compared, not what the proposal says of itself.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.codecs.catalogue import find_codecs, options_fault
from ingest.codecs.mapping.codec import CODEC
from ingest.codecs.seam import Arrived
from ingest.inspect.findings import Group, Heard
from ingest.inspect.inspector import Inspector

AT_US = 1_772_619_330_000_000
AT_S = AT_US // 1_000_000
CODECS = find_codecs()
Stored = list[tuple[str, str, Any, str | None]]


def look(*messages: tuple[str, bytes | object]) -> Group:
    heard = [
        Heard(topic, body if isinstance(body, bytes) else msgspec.json.encode(body), AT_US)
        for topic, body in messages
    ]
    (group,) = Inspector(CODECS, "Europe/Zurich").look(heard).groups
    return group


def stored(group: Group, topic: str, body: bytes | object) -> Stored:
    """Return device, quantity, value and unit of what ingest reads of a message as proposed."""
    assert (group.codec, group.faults) == ("mapping", {})
    assert options_fault(CODECS, "mapping", group.options) is None
    payload = body if isinstance(body, bytes) else msgspec.json.encode(body)
    zone = "Europe/Zurich"
    decoded = CODEC.decode(
        Arrived(topic, payload, AT_US, "acme", timezone=zone, options=group.options)
    )
    assert decoded.rejected == []
    return [(each.device, each.quantity, each.value, each.unit) for each in decoded.observations]


def test_lines_of_json_are_read_and_one_line_as_well() -> None:
    two = b'{"ts": %d, "temp_c": 21.5}\r\n{"ts": %d, "temp_c": 21.7}\r\n' % (AT_S, AT_S + 60)
    one = b'{"ts": %d, "temp_c": 19.5}' % AT_S
    group = look(("weather/w1/lines", two), ("weather/w2/lines", one))
    assert (group.pattern, group.options["input"]) == ("weather/+/lines", "ndjson")
    assert stored(group, "weather/w1/lines", two) == [
        ("w1", "temperature", 21.5, "Cel"),
        ("w1", "temperature", 21.7, "Cel"),
    ]
    assert stored(group, "weather/w2/lines", one) == [("w2", "temperature", 19.5, "Cel")]


def test_lines_of_several_devices_name_them_and_a_topic_of_state_does_not_hide_them() -> None:
    body = b'{"id": "b1", "fill_pct": 12}\n\n{"id": "b2", "fill_pct": 80}\n'
    group = look(("bins/all/status", body))
    assert stored(group, "bins/all/status", body) == [
        ("b1", "fill_level", 12, "%"),
        ("b2", "fill_level", 80, "%"),
    ]


def test_rows_of_csv_are_read_by_the_names_in_their_first_row() -> None:
    body = (
        b"zeit;station_id;time;level_m;temp\r\n"
        b"a;R4;04.03.2026 11:15;1,25;8,5\r\nb;R5;04.03.2026 11:30;1,3;--\r\n"
    )
    group = look(("river/rows", body))
    assert group.options["delimiter"] == ";"
    assert group.options["time"] == {"path": "/time", "format": "dd.MM.yyyy HH:mm"}
    assert stored(group, "river/rows", body) == [
        ("R4", "level", 1.25, "m"),
        ("R4", "temperature", 8.5, "Cel"),
        ("R5", "level", 1.3, "m"),
    ]


def test_rows_without_names_are_read_where_their_cells_leave_no_choice() -> None:
    body = b"2026-03-04T10:15:00Z,21.5\n2026-03-04T10:16:00Z,21.6\n"
    group = look(("hall/t-1/temp", body), ("hall/t-2/temp", body))
    assert group.options["columns"] == ["time", "temp"]
    assert stored(group, "hall/t-1/temp", body)[0] == ("t-1", "temperature", 21.5, "Cel")
    named = b"2026-03-04T10:15:00Z,temp,21.5\n2026-03-04T10:15:00Z,hum,44\n"
    group = look(("hall/k1/rows", named))
    assert [each[1:3] for each in stored(group, "hall/k1/rows", named)] == [
        ("temperature", 21.5),
        ("humidity", 44),
    ]


@pytest.mark.parametrize(
    ("bodies", "words"),
    [
        ([b"1;2;3\n4;5;6"], "3 of 3 columns have numbers, and nothing says what they are"),
        ([b"temp;hum\n1;2", b"3;4"], "begin with the names of columns and others do not"),
        ([b"temp;hum\n1;2", b"hum;temp\n1;2"], "a mapping knows one order of columns"),
        ([b"temp;hum\n"], "no row below them"),
        ([b"temp;hum\n1;2", b"temp,hum,co2\n1,2,3"], "different columns"),
        ([b'{"name": "gate", "state": "open"}\n{"name": "door", "state": "shut"}'],
         "nothing in its messages is a number with a name"),
    ],
)  # fmt: skip
def test_what_a_mapping_cannot_read_is_said_with_what_to_do(
    bodies: list[bytes], words: str
) -> None:
    group = look(*((f"box/b{at}/rows", each) for at, each in enumerate(bodies)))
    assert (group.codec, group.options, group.devices) == ("", {}, [])
    assert words in group.why


def test_records_of_one_quantity_each_become_a_value_for_each_name() -> None:
    body = {
        "device": "s2", "ts": AT_S, "battery": 80,
        "readings": [{"name": "Temp", "value": 49.1, "unit": "°F"},
                     {"name": "hum", "value": "44,5", "unit": "%"},
                     {"name": "status", "value": "fine"}],
    }  # fmt: skip
    group = look(("soil/gw", body))
    assert group.options["device"] == {"path": "/device", "of": "document"}
    assert group.options["time"] == {"path": "/ts", "format": "epoch_s", "of": "document"}
    assert stored(group, "soil/gw", body) == [
        ("s2", "temperature", 49.1, "[degF]"),
        ("s2", "humidity", 44.5, "%"),
    ]
    told = " ".join(group.notes)
    assert "name says which quantity a record has; one that did not come" in told
    assert "records of 'status' are not read" in told
    assert "what stands beside the records is not read: /battery" in told
    assert "where name is 'Temp'" in group.quantities[0].why


@pytest.mark.parametrize("form", ["one", "array", "lines", "csv"])
def test_names_beside_values_are_read_in_every_form(form: str) -> None:
    rows = [("m1", "pm25", 7.5), ("m1", "pm10", 12.0), ("m2", "pm25", 8.0)]
    records = [dict(zip(("sensor_id", "parameter", "value"), row, strict=True)) for row in rows]
    bodies: list[bytes] = [*map(msgspec.json.encode, records)]
    if form == "array":
        bodies = [msgspec.json.encode(records)]
    elif form == "lines":
        bodies = [b"\n".join(bodies)]
    elif form == "csv":
        lines = ["sensor_id,parameter,value", *(",".join(map(str, row)) for row in rows)]
        bodies = ["\n".join(lines).encode()]
    group = look(*(("air/feed", each) for each in bodies))
    found = [each for body in bodies for each in stored(group, "air/feed", body)]
    quantities = {"pm25": "pm2_5", "pm10": "pm10"}
    assert found == [(device, quantities[name], value, "ug/m3") for device, name, value in rows]


def test_a_name_that_is_no_quantity_is_a_device_and_no_condition() -> None:
    body = [{"sensor": "t-1", "value": 3}, {"sensor": "t-2", "value": 4}]
    group = look(("hall/feed", body))
    assert [each.id for each in group.devices] == ["t-1", "t-2"]
    assert "when" not in group.options["values"][0]


def test_a_time_that_nobody_understands_is_said() -> None:
    group = look(("box/b1/data", {"time": "3/4/26 11:15", "temp": 20}))
    assert "time" not in group.options
    assert any("'3/4/26 11:15' is not understood" in each for each in group.notes)


NAMES = st.sampled_from(["temp", "hum", "pm25", "pm10", "co2", "level", "flow"])


@given(
    st.lists(st.tuples(NAMES, st.integers(1, 60)), min_size=1, max_size=12),
    st.sampled_from([";", ",", "\t", "|"]),
)
def test_every_number_under_a_known_name_is_stored_whatever_separates_it(
    rows: list[tuple[str, int]], separator: str
) -> None:
    lines = [separator.join(("parameter", "value")), *(f"{n}{separator}{v}" for n, v in rows)]
    body = "\n".join(lines).encode()
    group = look(("air/a1/rows", body))
    assert [each[2] for each in stored(group, "air/a1/rows", body)] == [v for _, v in rows]
