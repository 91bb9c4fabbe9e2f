"""The inspector: which formats it recognises, and what it proposes for vendors nobody knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.codecs.catalogue import find_codecs, options_fault
from ingest.inspect.findings import Findings, Group, Heard
from ingest.inspect.inspector import Inspector
from ingest.inspect.sniff import recognise
from ingest.inspect.topics import topic_patterns
from registry.facts import Route

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
AT_US = 1_772_619_330_000_000
CODECS = find_codecs()
# Without a signature, by formats.md section 0.8, or chosen by the last level of a topic of ours.
UNSIGNED = {
    "ngsi-ld/v2_local_time", "senml-json/names_and_units", "tasmota/state", "tasmota/units",
    "ultralight/raw_topic_hash", "zigbee2mqtt/availability",
}  # fmt: skip


def heard(topic: str, payload: object, after_s: int = 0) -> Heard:
    data = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
    return Heard(topic, data, AT_US + after_s * 1_000_000)


def look(*messages: Heard, **known: Any) -> Findings:  # noqa: ANN401
    return Inspector(CODECS, "Europe/Zurich", **known).look(messages)


def only(findings: Findings) -> Group:
    (group,) = findings.groups
    return group


def samples() -> list[Path]:
    found = [
        path
        for path in sorted(SAMPLES.glob("*/*.meta.json"))
        if path.parent.name not in {"common", "mapping", "cayenne-lpp"}
        and msgspec.json.decode(path.read_bytes())["outcome"] == "accepted"
    ]
    assert found, f"no samples under {SAMPLES}"
    return found


@pytest.mark.parametrize(
    "path", samples(), ids=lambda path: f"{path.parent.name}/{path.name.partition('.')[0]}"
)
def test_a_sample_of_each_format_is_recognised_by_its_signature(path: Path) -> None:
    meta = msgspec.json.decode(path.read_bytes())
    name = path.name.partition(".")[0]
    payload = path.with_name(f"{name}.in").read_bytes()
    if meta["encoding"] == "hex":
        payload = bytes.fromhex(payload.decode())
    message = Heard(meta["topic"], payload, AT_US, meta.get("content_type", ""))
    key = f"{path.parent.name}/{name}"
    assert recognise(message) == (None if key in UNSIGNED else path.parent.name)


def test_a_vendors_json_becomes_a_mapping_that_reads_it() -> None:
    box = {"ts": AT_US // 1_000, "pm25": 12.5, "temp_c": 21.5, "batt_mv": 3_600, "rssi": -70}
    group = only(look(*(heard(f"airbox/a{n}/data", box, n) for n in range(3))))
    assert (group.pattern, group.codec, group.provider) == ("airbox/+/data", "mapping", "airbox")
    assert (group.confidence, group.faults) == ("medium", {})
    units = {each.quantity: each.unit for each in group.quantities}
    assert units == {"pm2_5": "ug/m3", "temperature": "Cel", "battery_voltage": "mV"}
    assert group.options["time"] == {"path": "/ts", "format": "epoch_ms"}
    assert group.options["metadata"] == {"rssi_dbm": "/rssi"}
    assert options_fault(CODECS, "mapping", group.options) is None
    assert [(each.id, each.kind) for each in group.devices] == [
        ("a0", "air"), ("a1", "air"), ("a2", "air"),
    ]  # fmt: skip


def test_what_stands_for_no_value_and_words_for_occupied_are_seen() -> None:
    bay = {"status": "BUSY", "temp": -999}
    group = only(look(heard("park/p7/bays/0113/state", bay)))
    assert group.options["device"] == "{part1}:{part2}"
    by_name = {each["quantity"]: each for each in group.options["values"]}
    assert by_name["occupied"]["map"] == {"BUSY": True}
    assert by_name["temperature"]["missing"] == [-999]


def test_one_topic_of_many_devices_takes_the_device_from_the_payload() -> None:
    group = only(look(*(heard("noise/gw", {"serial": f"N{n}", "level_db": 55.5}) for n in (1, 2))))
    assert group.options["device"] == {"path": "/serial"}
    assert [each.id for each in group.devices] == ["N1", "N2"]
    assert (group.quantities[0].quantity, group.quantities[0].unit) == ("laeq", "dB")


def test_records_in_an_array_and_a_decimal_comma_are_read() -> None:
    records = [{"id": "b1", "fill_pct": "12,5"}, {"id": "b2", "fill_pct": "80"}]
    group = only(look(heard("bins/batch", {"readings": records})))
    assert group.faults == {}
    assert [each.id for each in group.devices] == ["b1", "b2"]
    assert group.candidates[0].values[0].value == 12.5


def test_a_unit_that_messages_name_is_taken_from_them() -> None:
    group = only(look(heard("hall/k1/air", {"temperature": 70, "unit": "°F"})))
    assert group.options["values"][0]["unit_path"] == "/unit"
    assert group.candidates[0].values[0].unit == "[degF]"


def test_a_unit_that_cannot_be_that_of_its_quantity_is_said_and_not_taken() -> None:
    group = only(look(heard("flow/m-1/reading", {"flow": 3.5, "unit": "m3"})))
    (found,) = group.quantities
    assert (found.unit, found.confidence) == ("m3/h", "low")
    assert "'m3', which does not fit" in found.why
    assert "unit_path" not in group.options["values"][0]


def test_a_unit_that_no_message_of_a_known_format_says_is_said_to_be_the_usual() -> None:
    sent = [{"q": "humidity", "v": 2}, {"q": "temperature", "v": 2, "u": "Cel"}]
    group = only(look(heard("madina/v1/acme/x/up", {"obs": sent})))
    sure = {each.quantity: each.confidence for each in group.quantities}
    assert sure == {"humidity": "medium", "temperature": "high"}


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [("temperature", 294.5, "K"), ("pressure", 96_500, "Pa"), ("pressure", 96.5, "kPa"),
     ("temperature", 21.5, "Cel"), ("pressure", 965, "hPa")],
)  # fmt: skip
def test_the_size_of_numbers_tells_a_unit_that_nothing_else_says(
    name: str, value: float, unit: str
) -> None:
    group = only(look(heard("hall/k1/air", {name: value})))
    assert group.quantities[0].unit == unit


def test_a_bare_number_is_the_quantity_of_its_topic() -> None:
    found = look(heard("hall/t-1/temp", b"22.5"), heard("hall/t-2/temp", b"21"),
                 heard("hall/t-1/hum", b"44"))  # fmt: skip
    assert [(each.pattern, each.quantities[0].quantity) for each in found.groups] == [
        ("hall/+/temp", "temperature"),
        ("hall/+/hum", "humidity"),
    ]


def test_bytes_that_nobody_can_read_get_no_proposal_and_are_shown() -> None:
    group = only(look(heard("bin/x9/raw", b"\x01\x02\xc8\x04")))
    assert (group.codec, group.devices) == ("", [])
    assert group.samples[0].payload == "01 02 c8 04"


def test_a_senders_state_is_proposed_to_be_counted_only() -> None:
    group = only(look(heard("tele/plug-1/LWT", b"Online")))
    assert group.codec == "ignore"


def test_what_a_route_reads_needs_no_other() -> None:
    route = Route("hall", "hall/+/temp", "senml-json", "acme", recorded=False, timezone=None,
                  revision=1)  # fmt: skip
    message = heard("hall/t-1/temp", [{"bn": "t-1:", "n": "temperature", "u": "Cel", "v": 21}])
    group = only(look(message, routes=[route]))
    assert (group.registered, group.route, group.provider) == (True, "hall", "acme")


def test_a_key_in_a_topic_is_never_shown() -> None:
    group = only(look(heard("/ul/SECRETKEY/bin-1/attrs", b"fill_level|12")))
    assert "SECRETKEY" not in msgspec.json.encode(group).decode()


def test_the_first_level_of_a_topic_always_stays() -> None:
    assert topic_patterns([("a1/x", 1), ("a2/x", 1)]) == ["a1/x", "a2/x"]
    assert topic_patterns([("v/kitchen/x", 1), ("v/hall/x", 1)]) == ["v/+/x"]
    assert topic_patterns([("v/kitchen/x", 1), ("v/hall/x", 2)]) == ["v/hall/x", "v/kitchen/x"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)


@given(
    topic=st.text(min_size=1, max_size=20).filter(lambda text: not set(text) & set("+#\0")),
    payload=st.binary(max_size=64) | JSON.map(msgspec.json.encode),
)
def test_any_message_gets_findings_and_every_proposed_mapping_is_one(
    topic: str, payload: bytes
) -> None:
    group = only(look(Heard(topic, payload, AT_US)))
    if group.codec == "mapping":
        assert options_fault(CODECS, "mapping", group.options) is None
