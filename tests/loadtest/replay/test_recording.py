"""Every row of a file becomes a message, or is noted with its number and a reason."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadtest.replay.mapping import read_mapping
from loadtest.replay.recording import Recording
from loadtest.replay.tables import FileError

if TYPE_CHECKING:
    from conftest import ReadFiles

HEADER = "station,day,hour,PM2.5,wind\n"
SNAPSHOTS = """
provider = "test-parking"
format = "ndjson"
each = "data.parks"
values = [{ column = "free", quantity = "free_spaces", unit = "1" }]
metadata = { status = "status" }
[device]
id = "{key}"
[time]
text = "{at}"
[[skip]]
when = { status = "no*" }
reason = "no_data"
"""
LEVELS = """
provider = "test-levels"
format = "json"
rows = "items"
[[values]]
column = "latest.value"
quantity = "{what}"
unit = "{unit}"
units = { mASD = "m" }
[device]
id = "{name}"
interval = "{period}"
[time]
text = "{latest.time}"
[register]
files = "*stations*"
key = "{station}"
name = "{label}"
lat = "{lat}"
lon = "{long}"
tags = ["{river}"]
"""


def test_a_row_becomes_a_native_message(air: str, read: ReadFiles) -> None:
    found = read(air, air__csv=HEADER + "Dongsi,2013-3-1,0,9.5,NNE\r\nDongsi,2013-3-1,1,1,N\r\n")
    assert found.topics == ["madina/v1/test-air/Dongsi/up"] * 2
    assert found.payloads[0] == {
        "t": 1_362_067_200_000,
        "obs": [
            {"q": "pm2_5", "v": 9.5, "u": "ug/m3"},
            {"q": "wind_direction", "v": 22.5, "u": "deg"},
        ],
    }
    assert found.notes.devices["Dongsi"].interval_s == 3_600


def test_what_is_not_sent_has_a_row_and_a_reason(air: str, read: ReadFiles) -> None:
    rows = [
        "a,2013-3-1,0,NA,",
        "a,2013-3-1,1,1_000,N",
        "a,2013-3-1,2,nan,NNW",
        "a,2013-2-30,3,1,N",
        ",2013-3-1,4,1,N",
        "a/b,2013-3-1,5,1,N",
        "a,2013-3-1",
        "a,2013-3-1,7,1e999,N",
        "a,,8,1,NA",
    ]
    found = read(air, air__csv=HEADER + "\n".join(rows))
    assert found.reasons == [
        (2, "", "no_value"),
        (3, "PM2.5", "not_a_number"),
        (4, "PM2.5", "not_a_number"),
        (4, "wind", "not_in_map"),
        (4, "", "no_value"),
        (5, "", "bad_time"),
        (6, "", "bad_device_id"),
        (7, "", "bad_device_id"),
        (8, "", "bad_row"),
        (9, "PM2.5", "not_a_number"),
        (10, "", "no_time"),
    ]
    assert found.notes.missing == {"PM2.5": 1, "wind": 2}
    assert found.notes.rows == 9
    assert found.notes.messages == len(found.messages) == 2


def test_every_member_of_a_snapshot_is_a_reading_of_its_own(read: ReadFiles) -> None:
    lines = (
        '{"at":"2026-01-06T16:28:55Z","status":"success","data":{"parks":{'
        '"city":{"free":7,"status":"open"},"post":{"free":0,"status":"nodata"}}}}\n'
        "\n"
        "{oops\n"
        '{"at":"2026-01-06T16:58:55Z","data":{}}\n'
    )
    found = read(SNAPSHOTS, parks__ndjson=lines)
    assert found.topics == ["madina/v1/test-parking/city/up"]
    assert found.payloads == [
        {
            "t": 1_767_716_935_000,
            "obs": [{"q": "free_spaces", "v": 7, "u": "1"}],
            "meta": {"status": "open"},
        }
    ]
    assert found.reasons == [(1, "", "no_data"), (3, "", "bad_row"), (4, "", "no_value")]
    assert [each.key for each in found.notes.skipped] == ["post", "", "1"]
    assert {*found.notes.devices} >= {"city", "post"}


def test_a_register_describes_devices(read: ReadFiles) -> None:
    levels = (
        '{"items":[{"name":"m 1","station":"s1","what":"Water Level","unit":"mASD","period":900,'
        '"latest":{"time":"2026-02-02T23:15:00Z","value":[-53.16,0.84]}},'
        '{"name":"m2","station":"s2","what":"level","unit":"---"}, 5]}'
    )
    stations = (
        '{"items":[{"station":"s1","label":"Bourton","lat":51.8,"long":-1.7,"river":"Dikler"},'
        '{"station":"s2","label":["a","b"],"lat":[1,2],"long":[3,4]},{"label":"nameless"}]}'
    )
    mapping = LEVELS.replace('id = "{name}"', 'id = "{name}"\nkey = "{station}"')
    found = read(mapping, levels__json=levels, stations__json=stations)
    message = msgspec.json.decode(found.messages[0].payload, type=dict[str, Any])
    assert message["obs"] == [{"q": "water_level", "v": [-53.16, 0.84], "u": "m"}]
    assert len(message["id"]) == 16, "ingest may reject all of it: only its id finds it again"
    known = found.notes.devices["m 1"]
    assert (known.id, known.name, known.interval_s) == ("m%201", "Bourton", 900)
    assert (known.lat, known.lon, known.tags) == (51.8, -1.7, ("Dikler",))
    assert found.notes.devices["m2"].lat is None
    assert [fault.split(":")[0] for fault in found.notes.faults] == ["stations.json row 3", "m2"]
    assert found.reasons == [(2, "", "no_value"), (3, "", "bad_row")]


def test_rows_that_are_messages_are_published_as_they_stand(read: ReadFiles) -> None:
    mapping = """
provider = "test-lora"
format = "ndjson"
device.id = "{devEUI}"
time = { text = "{_timestamp}", format = "epoch_ms" }
[message]
topic = "test/{_topic}"
pattern = "test/#"
codec = "chirpstack-v3"
"""
    line = '{"devEUI": "D1D1E80000000033", "_topic": "application/rx", "_timestamp": 1000}'
    wild = line.replace("application/rx", "#")
    found = read(mapping, log__ndjson=f"\ufeff{line}\n{wild}\n")
    assert found.topics == ["test/application/rx"]
    assert found.messages[0].payload == line.encode()
    assert found.notes.devices["D1D1E80000000033"].id == "d1d1e80000000033"
    assert found.reasons == [(2, "", "bad_topic")]


def test_the_file_says_what_no_column_says(read: ReadFiles) -> None:
    mapping = """
provider = "test-count"
format = "csv"
device.id = "{file}"
time = { text = "{date}", format = "yyyy-MM-dd", zone = "Europe/Zurich", covers = "day" }
values = [
    { column = "count", quantity = "bicycles", when = { file = "*bicycle*" } },
    { column = "count", quantity = "pedestrians", when = { file = ["*foot*", "*pedestrian*"] } },
]
"""
    rows = "\ufeffdate, count \n2021-03-28,7\n"
    found = read(mapping, Bicycle__csv=rows, by_Foot__csv=rows, cars__csv=rows)
    assert found.topics == ["madina/v1/test-count/Bicycle/up", "madina/v1/test-count/by_Foot/up"]
    midnight_ms = 1_616_886_000_000
    assert found.payloads[1] == {
        "t": midnight_ms,
        "obs": [{"q": "pedestrians", "v": 7, "e": midnight_ms + 23 * 3_600_000}],
    }
    assert found.reasons == [(2, "", "no_rule")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"station,day,hour,wind\n", "has no column 'PM2.5'; it has 'station'"),
        (b"", "has no column"),
        (b"station,day,hour,PM2.5,wind\na,\xff,1,1,N\n", "is no UTF-8"),
        (b"station,station,day,hour,PM2.5,wind\n", "the column 'station' more than once"),
    ],
)
def test_a_file_that_is_not_what_the_mapping_says(
    air: str, read: ReadFiles, text: bytes, words: str
) -> None:
    with pytest.raises(FileError) as caught:
        read(air, air__csv=text)
    assert words in str(caught.value)
    assert "air.csv" in str(caught.value)


def test_files_that_only_describe_devices_are_nothing_to_send(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"hold no readings: stations\.json"):
        Recording(read_mapping(LEVELS.encode()), [tmp_path / "stations.json"])


CELL = st.one_of(
    st.sampled_from(["", "NA", "N", "a", "2013-3-1", "2013-02-30", "7", "1.5", "-0", "1e400"]),
    st.text(max_size=6),
)


@given(rows=st.lists(st.lists(CELL, min_size=3, max_size=6), max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.property
def test_no_row_vanishes(air: str, read: ReadFiles, rows: list[list[str]]) -> None:
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    found = read(air, air__csv=HEADER + "\n".join(quoted))
    notes = found.notes
    assert notes.rows == len(rows)
    assert notes.rows == len(found.messages) + sum(notes.skipped_rows.values())
    again = read(air, air__csv=HEADER + "\n".join(quoted))
    assert again.messages == found.messages
