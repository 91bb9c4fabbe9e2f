"""Sparkplug B: sessions of edge nodes, datatypes, requests for births, and reasons to refuse."""

import contextlib
import random
import struct
from pathlib import Path
from typing import Any

import msgspec
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st

from city.flags import Flag
from city.instants import text_us, to_text
from city.reasons import MessageReason, ObservationReason
from ingest.codecs.seam import Arrived, Decoded, MessageError
from ingest.codecs.sparkplug_b import CODEC
from ingest.codecs.sparkplug_b.codec import SparkplugMemory

SAMPLES = Path(__file__).parents[2] / "data" / "samples" / "sparkplug-b"
NAMES = sorted(path.name.removesuffix(".in") for path in SAMPLES.glob("*.in"))
# Held by a timer in the reference; here nothing waits for a clock: it is read at once.
GAP = {"06_ddata_gap": slice(-1, None), "07_dbirth_fills_gap": slice(0, -1)}
MS = 1_772_619_330_000
NODE, DEVICE = "spBv1.0/water/N{}/plc-1", "spBv1.0/water/D{}/plc-1/pump"
INT16, INT64, DOUBLE, BOOLEAN, STRING = 2, 4, 10, 11, 12
LAST_SINGLE = 21


def schema() -> Any:  # noqa: ANN401 - classes that the library makes
    """Return the messages of sparkplug_b.proto that are needed here, as the library knows them."""
    file = descriptor_pb2.FileDescriptorProto(name="spb.proto", package="spb", syntax="proto2")
    kinds = {"text": 9, "u32": 13, "u64": 4, "bool": 8, "float": 2, "double": 1, "bytes": 12}
    for name, fields in {
        "PropertyValue": "type=1:u32 is_null=2:bool int_value=3:u32 string_value=8:text",
        "PropertySet": "keys=1:text* values=2:PropertyValue*",
        "Metric": "name=1:text alias=2:u64 timestamp=3:u64 datatype=4:u32 is_historical=5:bool"
        " is_transient=6:bool is_null=7:bool properties=9:PropertySet int_value=10:u32"
        " long_value=11:u64 float_value=12:float double_value=13:double boolean_value=14:bool"
        " string_value=15:text bytes_value=16:bytes",
        "Payload": "timestamp=1:u64 metrics=2:Metric* seq=3:u64 uuid=4:text body=5:bytes",
    }.items():
        made = file.message_type.add(name=name)
        for field in fields.split():
            label, _, kind = field.partition(":")
            number = int(label.partition("=")[2])
            of = kinds.get(kind.rstrip("*"), 11)
            added = made.field.add(
                name=label.partition("=")[0], number=number, type=of,
                label=3 if kind.endswith("*") else 1,
            )  # fmt: skip
            if of == 11:
                added.type_name = f".spb.{kind.rstrip('*')}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("spb.Payload"))


PAYLOAD = schema()


def payload(seq: int | None, *metrics: dict[str, Any], timestamp: int = MS) -> bytes:
    sent = PAYLOAD(timestamp=timestamp, metrics=metrics)
    if seq is not None:
        sent.seq = seq
    return sent.SerializeToString()


def bd(number: int) -> dict[str, Any]:
    return {"name": "bdSeq", "datatype": INT64, "long_value": number}


RATE = {"name": "Flow/Rate", "alias": 1, "datatype": DOUBLE, "double_value": 3.5}


class Nodes:
    """Messages in the order in which they came, and what is asked of the nodes."""

    def __init__(self, records: dict[str, bytes] | None = None) -> None:
        self.records = records or {}
        self.memory: Any = CODEC.remember(self.records)
        self.now_us = MS * 1_000
        self.requests: list[Any] = []
        self.released: list[tuple[str, str]] = []
        self.presence: list[tuple[str, int]] = []

    def say(self, topic: str, data: bytes, **more: Any) -> Decoded:  # noqa: ANN401 - as Arrived has them
        more = {"options": {"ask_rebirth": True}, "bridge": "madina-1", **more}
        try:
            return self.memory.decode(Arrived(topic, data, self.now_us, "city", **more))
        finally:
            taken = self.memory.take()
            self.records |= taken.records
            self.requests += taken.requests
            self.presence += [(each.device, each.offline_us) for each in taken.presence]
            self.released += [(each.provider, each.device) for each in taken.released]

    def refused(self, topic: str, data: bytes, **more: Any) -> MessageReason:  # noqa: ANN401
        with pytest.raises(MessageError) as caught:
            self.say(topic, data, **more)
        return caught.value.reason

    def born(self) -> "Nodes":
        self.say(NODE.format("BIRTH"), payload(0, bd(7)))
        self.say(DEVICE.format("BIRTH"), payload(1, RATE))
        return self


def rows(decoded: Decoded) -> list[tuple[str, Any, str | None]]:
    return [(each.quantity, each.value, each.unit) for each in decoded.observations]


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_read_as_it_says_after_those_before(name: str) -> None:
    meta = msgspec.json.decode((SAMPLES / f"{name}.meta.json").read_bytes())
    expected = msgspec.json.decode((SAMPLES / f"{name}.expected.json").read_bytes())
    if name in GAP:
        whole = SAMPLES / "07_dbirth_fills_gap.expected.json"
        expected = msgspec.json.decode(whole.read_bytes())[GAP[name]]
    nodes = Nodes()
    for before in meta.get("requires", []):
        data = bytes.fromhex((SAMPLES / f"{before}.in").read_text())
        of = msgspec.json.decode((SAMPLES / f"{before}.meta.json").read_bytes())
        nodes.say(of["topic"], data)
        # Each message may come to another worker.
        nodes = Nodes(nodes.records)
    data = bytes.fromhex((SAMPLES / f"{name}.in").read_text())
    if meta["outcome"] == "quarantined":
        assert nodes.refused(meta["topic"], data) == meta["reason"]
        return
    decoded = nodes.say(meta["topic"], data)
    seen = [
        {"device": each.device, "quantity": each.quantity, "value": each.value, "unit": each.unit,
         "time": to_text(each.time_us or text_us(meta["received_at"]))}
        for each in decoded.observations
    ]  # fmt: skip
    assert seen == [{**each, "time": to_text(text_us(each["time"]))} for each in expected]
    assert [(each.quantity.lower().replace(" ", "_"), str(each.reason)) for each in
            decoded.rejected] == [
        (each["quantity"], each["reason"]) for each in meta.get("rejected", [])
    ]  # fmt: skip
    historical = meta.get("metadata", {}).get("historical", [])
    for each in decoded.observations:
        assert each.flag == meta.get("flags", {}).get(each.quantity, 2)
        assert ("historical" in each.metadata) == (each.quantity in historical)


def test_a_unit_that_is_none_is_kept_as_it_was_sent() -> None:
    unit = {"keys": ["engUnit"], "values": [{"type": 12, "string_value": "0.1 Cel"}]}
    found = Nodes().say(NODE.format("BIRTH"), payload(0, {**RATE, "properties": unit}))
    assert (found.observations[0].unit, found.observations[0].metadata) == (
        None, {"unit_raw": "0.1 Cel"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("topic", "data", "reason"),
    [
        ("spBv1.0/g/XDATA/n", b"\x08\x01", MessageReason.SPARKPLUG_TOPIC),
        ("spBv1.0/g/DDATA/n", b"\x08\x01", MessageReason.SPARKPLUG_TOPIC),
        ("spBv1.0/g/NDATA/n/d", b"\x08\x01", MessageReason.SPARKPLUG_TOPIC),
        ("spAv1.0/g/NDATA/n", b"\x08\x01", MessageReason.SPARKPLUG_TOPIC),
        ("spBv1.0//NDATA/n", b"\x08\x01", MessageReason.BAD_DEVICE_ID),
        ("spBv1.0/g/NDATA/a\u200bb", b"\x08\x01", MessageReason.BAD_DEVICE_ID),
        (NODE.format("BIRTH"), b"\x08", MessageReason.PROTOBUF_SYNTAX),
        (NODE.format("BIRTH"), b"\x12\x05\x0a", MessageReason.PROTOBUF_SYNTAX),
        (NODE.format("BIRTH"), b"\x12\x03\x0a\x01\xff", MessageReason.PROTOBUF_SYNTAX),
        (NODE.format("BIRTH"), b"\x0a\x01a", MessageReason.PROTOBUF_SYNTAX),
        (NODE.format("BIRTH"), b"\x13", MessageReason.PROTOBUF_SYNTAX),
        (NODE.format("BIRTH"), b"\x00\x01", MessageReason.PROTOBUF_SYNTAX),
        (NODE.format("BIRTH"), b"\x08" + b"\xff" * 10, MessageReason.PROTOBUF_SYNTAX),
        (NODE.format("BIRTH"), b"\x12\x02\x60\x01", MessageReason.PROTOBUF_SYNTAX),
        (NODE.format("BIRTH"), b"\x12\x00" * 5_001, MessageReason.TOO_MANY),
        (NODE.format("BIRTH"), payload(0, {**RATE, "timestamp": 2**63}), MessageReason.BAD_TIME),
        (NODE.format("DATA"), payload(0), MessageReason.SPARKPLUG_NO_BIRTH),
        (DEVICE.format("BIRTH"), payload(0), MessageReason.SPARKPLUG_NO_BIRTH),
    ],
    ids=lambda each: str(each)[:40],
)
def test_a_bad_message_has_one_reason(topic: str, data: bytes, reason: MessageReason) -> None:
    assert Nodes().refused(topic, data) == reason


@pytest.mark.parametrize(
    ("topic", "data"),
    [
        ("spBv1.0/STATE/host", b'{"online": true}'),
        ("STATE/host", b"ONLINE"),
        ("spBv1.0/g/NCMD/n", b"\xff"),
        ("spBv1.0/g/DCMD/n/d", b"\xff"),
        (NODE.format("DATA"), b""),
    ],
)
def test_talk_is_control(topic: str, data: bytes) -> None:
    found = Nodes().say(topic, data)
    assert (found.observations, found.rejected) == ([], [])


@pytest.mark.parametrize(
    ("kind", "sent", "wanted"),
    [
        (1, {"int_value": 0xFF}, -1),
        (INT16, {"int_value": 0xFFE7}, -25),
        (INT16, {"int_value": 0xFFFFFFE7}, -25),
        (3, {"int_value": 0x80000000}, -(2**31)),
        (INT64, {"long_value": 2**64 - 5}, -5),
        (5, {"int_value": 255}, 255),
        (7, {"long_value": 2**32 - 1}, 2**32 - 1),
        (8, {"long_value": 2**64 - 1}, 2**64 - 1),
        (9, {"double_value": 1.5}, 1.5),
        (DOUBLE, {"float_value": 1.5}, 1.5),
        (BOOLEAN, {"boolean_value": False}, False),
        (STRING, {"string_value": "x"}, "x"),
        (13, {"long_value": MS}, "2026-03-04T10:15:30.000Z"),
        (33, {"bytes_value": b"a\0bc\0"}, ["a", "bc"]),
        (32, {"bytes_value": struct.pack("<I", 3) + b"\xa0"}, [True, False, True]),
        (31, {"bytes_value": struct.pack("<2d", 1.5, 2.5)}, [1.5, 2.5]),
        (34, {"bytes_value": struct.pack("<Q", MS)}, ["2026-03-04T10:15:30.000Z"]),
        (DOUBLE, {"double_value": float("nan")}, ObservationReason.NONFINITE),
        (DOUBLE, {"string_value": "1"}, ObservationReason.UNSUPPORTED_DATATYPE),
        (BOOLEAN, {"int_value": 1}, ObservationReason.UNSUPPORTED_DATATYPE),
        (17, {"bytes_value": b"x"}, ObservationReason.UNSUPPORTED_DATATYPE),
        (99, {"int_value": 1}, ObservationReason.UNSUPPORTED_DATATYPE),
        (31, {"bytes_value": b"123"}, ObservationReason.UNSUPPORTED_DATATYPE),
        (32, {"bytes_value": struct.pack("<I", 9) + b"\xa0"},
         ObservationReason.UNSUPPORTED_DATATYPE),
        (13, {"long_value": 2**63}, ObservationReason.UNSUPPORTED_DATATYPE),
        (DOUBLE, {"is_null": True}, []),
        (DOUBLE, {"is_transient": True, "double_value": 1.5}, []),
    ],
    ids=lambda each: str(each)[:40],
)  # fmt: skip
def test_a_value_is_read_by_its_datatype(kind: int, sent: dict[str, Any], wanted: Any) -> None:  # noqa: ANN401 - any value
    found = Nodes().say(
        NODE.format("BIRTH"), payload(0, {"name": "Level", "datatype": kind, **sent})
    )
    if isinstance(wanted, ObservationReason):
        assert [each.reason for each in found.rejected] == [wanted]
        return
    whole: list[Any] = wanted if kind > LAST_SINGLE or wanted == [] else [wanted]
    names = [f"level_{at}" for at in range(1, len(whole) + 1)] if kind > LAST_SINGLE else ["level"]
    assert [each.value for each in found.observations] == whole
    assert [each.quantity for each in found.observations] == names[: len(whole)]


@pytest.mark.parametrize(
    ("quality", "flag"), [(0, Flag.FAIL), (192, Flag.NOT_EVALUATED), (500, Flag.SUSPECT)]
)
def test_quality_is_a_flag(quality: int, flag: Flag) -> None:
    told = {"keys": ["Quality"], "values": [{"type": 3, "int_value": quality}]}
    found = Nodes().say(NODE.format("BIRTH"), payload(0, {**RATE, "properties": told}))
    assert found.observations[0].flag == flag


def test_data_is_read_by_what_the_birth_told_whoever_reads_it() -> None:
    nodes = Nodes(Nodes().born().records)
    found = nodes.say(DEVICE.format("DATA"), payload(2, {"alias": 1, "double_value": 4.0}))
    assert rows(found) == [("flow_rate", 4.0, None)]
    named = nodes.say(DEVICE.format("DATA"), payload(3, {"name": "Flow/Rate", "double_value": 5}))
    assert rows(named) == [("flow_rate", 5.0, None)]
    assert nodes.requests == []


def test_an_unknown_alias_is_rejected_alone_and_asked_for() -> None:
    nodes = Nodes().born()
    sent = payload(2, {"alias": 1, "double_value": 4.0}, {"alias": 9, "double_value": 4.0})
    found = nodes.say(DEVICE.format("DATA"), sent)
    assert rows(found) == [("flow_rate", 4.0, None)]
    assert [each.reason for each in found.rejected] == [ObservationReason.SPARKPLUG_UNKNOWN_ALIAS]
    (request,) = nodes.requests
    assert (request.bridge, request.topic) == ("madina-1", "spBv1.0/water/NCMD/plc-1")
    asked = PAYLOAD.FromString(request.payload)
    assert (asked.timestamp, asked.metrics[0].name) == (MS, "Node Control/Rebirth")
    assert (asked.metrics[0].datatype, asked.metrics[0].boolean_value) == (BOOLEAN, True)


def test_a_node_is_asked_once_in_half_a_minute_and_only_where_that_is_allowed() -> None:
    nodes = Nodes()
    data, topic = payload(5, {"alias": 1, "double_value": 4.0}), DEVICE.format("DATA")
    nodes.refused(topic, data, bridge="")
    nodes.refused(topic, data, options={})
    assert nodes.requests == []
    for seconds in (0, 29, 30, 31):
        nodes.now_us = MS * 1_000 + seconds * 1_000_000
        nodes.refused(topic, data)
    assert len(nodes.requests) == 2


def test_a_gap_in_the_sequence_is_asked_for_and_a_repetition_is_none() -> None:
    nodes = Nodes().born()
    said = payload(2, {"alias": 1, "double_value": 4.0})
    nodes.say(DEVICE.format("DATA"), said)
    nodes.say(DEVICE.format("DATA"), said)
    assert nodes.requests == []
    nodes.say(NODE.format("DATA"), payload(4))
    assert len(nodes.requests) == 1


def test_the_sequence_goes_on_from_255_with_0() -> None:
    nodes = Nodes()
    nodes.say(NODE.format("BIRTH"), payload(255, bd(1)))
    nodes.say(NODE.format("DATA"), payload(0))
    assert nodes.requests == []


def test_a_birth_voids_what_was_born_before() -> None:
    nodes = Nodes().born()
    nodes.say(NODE.format("BIRTH"), payload(0, bd(8), {**RATE, "name": "Other"}))
    data = payload(1, {"alias": 1, "double_value": 4.0})
    assert nodes.refused(DEVICE.format("DATA"), data) == MessageReason.SPARKPLUG_NO_BIRTH
    assert rows(nodes.say(NODE.format("DATA"), data)) == [("other", 4.0, None)]


def test_a_death_voids_births_and_a_late_will_does_not() -> None:
    nodes = Nodes().born()
    data = payload(2, {"alias": 1, "double_value": 4.0})
    assert nodes.say(NODE.format("DEATH"), payload(None, bd(6))) == Decoded(device="water:plc-1")
    assert rows(nodes.say(DEVICE.format("DATA"), data)) == [("flow_rate", 4.0, None)]
    nodes.say(DEVICE.format("DEATH"), payload(3))
    assert nodes.refused(DEVICE.format("DATA"), data) == MessageReason.SPARKPLUG_NO_BIRTH
    nodes = Nodes().born()
    nodes.say(NODE.format("DEATH"), payload(None, bd(7)))
    for topic in (NODE.format("DATA"), DEVICE.format("DATA")):
        assert nodes.refused(topic, data) == MessageReason.SPARKPLUG_NO_BIRTH


def test_deaths_mark_devices_offline_as_of_their_arrival_and_births_bring_them_back() -> None:
    nodes = Nodes().born()
    assert nodes.presence == []
    nodes.say(NODE.format("DEATH"), payload(None, bd(6)))
    assert nodes.presence == [], "the will of a session that is over"
    nodes.say(DEVICE.format("DEATH"), payload(2))
    died_us = nodes.now_us
    assert nodes.presence == [("water:plc-1:pump", died_us)]
    # Another worker goes on.
    later = Nodes(nodes.records)
    later.now_us = died_us + 5
    later.say(DEVICE.format("DEATH"), payload(3))
    later.say(NODE.format("DEATH"), payload(None, bd(7)))
    assert later.presence == [("water:plc-1", died_us + 5)], "a death is told once"
    last = Nodes(later.records).born()
    assert last.presence == [("water:plc-1", 0), ("water:plc-1:pump", 0)]


def test_the_death_of_a_node_is_that_of_its_devices() -> None:
    nodes = Nodes().born()
    nodes.say(NODE.format("DEATH"), payload(None, bd(7)))
    at = nodes.now_us
    assert nodes.presence == [("water:plc-1", at), ("water:plc-1:pump", at)]
    nodes.say(NODE.format("BIRTH"), payload(0, bd(8)))
    assert nodes.presence[2:] == [("water:plc-1", 0)], "its devices come back by their own births"


def test_sessions_kept_before_deaths_were_remembered_go_on() -> None:
    nodes = Nodes().born()
    key = next(each for each in nodes.records if each.startswith("session "))
    old = msgspec.msgpack.decode(nodes.records[key])[:5]
    again = Nodes({**nodes.records, key: msgspec.msgpack.encode(old)})
    again.say(DEVICE.format("DEATH"), payload(2))
    assert again.presence == [("water:plc-1:pump", again.now_us)]


def test_what_waits_is_released_by_the_birth_of_its_device_and_of_no_other() -> None:
    nodes = Nodes()
    nodes.refused(DEVICE.format("DATA"), payload(5, {"alias": 1, "double_value": 4.0}))
    nodes.say(NODE.format("BIRTH"), payload(0, bd(7)))
    assert nodes.released == []
    nodes.say(DEVICE.format("BIRTH"), payload(1, RATE))
    assert nodes.released == [("city", "water:plc-1:pump")]
    nodes.say(DEVICE.format("DATA"), payload(2, {"alias": 1, "double_value": 4.0}))
    assert len(nodes.released) == 1


def test_what_is_read_again_says_nothing_of_the_present() -> None:
    nodes = Nodes().born()
    kept = dict(nodes.records)
    old = payload(200, bd(3), {**RATE, "alias": 2, "name": "Old"})
    assert rows(nodes.say(NODE.format("BIRTH"), old, again=True)) == [("old", 3.5, None)]
    data = payload(2, {"alias": 1, "double_value": 4.0})
    assert rows(nodes.say(DEVICE.format("DATA"), data, again=True)) == [("flow_rate", 4.0, None)]
    nodes.say(NODE.format("DEATH"), payload(None, bd(7)), again=True)
    assert nodes.records == kept
    assert nodes.presence == []
    other = DEVICE.format("DATA").replace("pump", "valve")
    assert nodes.refused(other, data, again=True) == MessageReason.SPARKPLUG_NO_BIRTH
    assert nodes.requests == []


def test_nodes_of_two_providers_are_two() -> None:
    memory = SparkplugMemory({})
    memory.decode(Arrived(NODE.format("BIRTH"), payload(0, bd(7), RATE), 0, "one"))
    with pytest.raises(MessageError):
        memory.decode(Arrived(NODE.format("DATA"), payload(1), 0, "two"))


Sent = tuple[int, str, Any, Any]


def integer(value: int) -> Sent:
    return INT64, "long_value", value % 2**64, value


def real(value: float) -> Sent:
    return DOUBLE, "double_value", value, value


def truth(value: bool) -> Sent:
    return BOOLEAN, "boolean_value", value, value


def text(value: str) -> Sent:
    return STRING, "string_value", value, value


VALUES = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(integer),
    st.floats(allow_nan=False, allow_infinity=False).map(real),
    st.booleans().map(truth),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=50).map(text),
)


@pytest.mark.property
@given(st.lists(VALUES, max_size=8))
def test_what_the_library_writes_is_read_again(values: list[Sent]) -> None:
    metrics = [
        {"name": f"m{at}", "alias": at, "datatype": kind, field: sent}
        for at, (kind, field, sent, _) in enumerate(values)
    ]
    nodes = Nodes()
    nodes.say(NODE.format("BIRTH"), payload(0, *metrics))
    data = [{"alias": at, field: sent} for at, (_, field, sent, _) in enumerate(values)]
    found = nodes.say(NODE.format("DATA"), payload(1, *data))
    assert rows(found) == [(f"m{at}", value, None) for at, (*_, value) in enumerate(values)]


@pytest.mark.property
@given(st.sampled_from(NAMES), st.randoms())
def test_damaged_messages_are_read_or_refused(name: str, chance: random.Random) -> None:
    nodes = Nodes().born()
    data = bytearray(bytes.fromhex((SAMPLES / f"{name}.in").read_text()))
    for _ in range(chance.randint(1, 4)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    for kind in (NODE.format("BIRTH"), NODE.format("DATA"), DEVICE.format("DATA")):
        with contextlib.suppress(MessageError):
            msgspec.json.encode(nodes.say(kind, bytes(data)))
