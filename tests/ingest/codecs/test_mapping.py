"""Mappings: values, times, devices, layouts, what an expression may cost, and what is refused."""

import struct
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.instants import text_us
from city.reasons import MessageReason, ObservationReason
from ingest.codecs.catalogue import find_codecs, options_fault
from ingest.codecs.mapping import CODEC
from ingest.codecs.mapping.checksums import crc16, sum8, xor8
from ingest.codecs.seam import Arrived, Decoded, MessageError

TOPIC = "vendor/a:1/up"
BASE: dict[str, Any] = {
    "mapping": "vendor", "match": {"topic": "vendor/+id/up"}, "device": "v-{id}", "input": "json",
}  # fmt: skip


def value(**members: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {**BASE, "values": [{"quantity": "level", "path": "v", **members}]}


def frame_of(**members: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    values = [{"quantity": "level", "bytes": [0, 1]}]
    return {**BASE, "input": "bytes", "values": values, **members}


def decode(options: dict[str, Any], sent: object, topic: str = TOPIC) -> Decoded:
    payload = sent if isinstance(sent, bytes) else msgspec.json.encode(sent)
    return CODEC.decode(Arrived(topic, payload, 0, "p", timezone="Europe/Madrid", options=options))


def only(options: dict[str, Any], sent: object) -> Any:  # noqa: ANN401 - any value
    (found,) = decode(options, sent).observations
    return found.value


def reasons(options: dict[str, Any], sent: object) -> list[ObservationReason]:
    found = decode(options, sent)
    assert found.observations == []
    return [each.reason for each in found.rejected]


@pytest.mark.parametrize(
    ("rule", "sent", "wanted"),
    [
        ({}, 21, 21),
        ({}, 2**63, 2**63),
        ({}, "21.5", "21.5"),
        ({}, True, True),
        ({"type": "number"}, "21.5", 21.5),
        ({"type": "number"}, 7, 7),
        ({"decimal": ","}, "21,5", 21.5),
        ({"type": "bool"}, 1, True),
        ({"type": "bool"}, "false", False),
        ({"type": "text"}, 7.0, "7"),
        ({"scale": 0.1}, 581, 58.1),
        ({"scale": 0.1, "offset": -40}, 423, 2.3),
        ({"map": {"FREE": False, "BUSY": True}}, "BUSY", True),
        ({"map": {"1": "dry", "true": "wet"}}, 1.0, "dry"),
        ({"map": {"1": "dry", "true": "wet"}}, True, "wet"),
        ({"map": {"1": "dry"}, "other": "keep"}, 2, 2),
        ({"missing": [-999]}, 1, 1),
        ({"missing": [1]}, True, True),
        ({"range": [0, 100]}, 100, 100),
        ({"when": "ok"}, 5, 5),
    ],
    ids=str,
)
def test_a_value_becomes_what_its_rule_says(rule: Any, sent: object, wanted: object) -> None:  # noqa: ANN401 - any JSON
    found = only(value(**rule), {"v": sent, "ok": True})
    assert found == wanted
    assert isinstance(found, bool) == isinstance(wanted, bool)


@pytest.mark.parametrize(
    ("rule", "sent", "reason"),
    [
        ({}, [1], ObservationReason.MAPPING_TYPE),
        ({}, {"a": 1}, ObservationReason.MAPPING_TYPE),
        ({}, 2**64, ObservationReason.INTEGER_RANGE),
        ({}, "x" * 1_025, ObservationReason.TEXT_TOO_LONG),
        ({"type": "number"}, "1_000", ObservationReason.MAPPING_TYPE),
        ({"type": "number"}, "21,5", ObservationReason.MAPPING_TYPE),
        ({"type": "number"}, True, ObservationReason.MAPPING_TYPE),
        ({"type": "number"}, "nan", ObservationReason.NONFINITE),
        ({"decimal": ","}, "1.234,5", ObservationReason.MAPPING_TYPE),
        ({"decimal": ","}, "1,234,5", ObservationReason.MAPPING_TYPE),
        ({"type": "bool"}, "ON", ObservationReason.MAPPING_TYPE),
        ({"type": "bool"}, 2, ObservationReason.MAPPING_TYPE),
        ({"map": {"a": 1}}, "b", ObservationReason.MAPPING_TYPE),
        ({"scale": 2}, "b", ObservationReason.MAPPING_TYPE),
        ({"range": [0, 1]}, True, ObservationReason.MAPPING_TYPE),
        ({"range": [0, 100]}, 100.5, ObservationReason.OUT_OF_MAPPING_RANGE),
        ({"path": "length(v)"}, 5, ObservationReason.MAPPING_TYPE),
    ],
    ids=lambda each: str(each)[:40],
)
def test_a_value_that_is_none_is_rejected_alone(rule: Any, sent: object, reason: str) -> None:  # noqa: ANN401 - any JSON
    assert reasons(value(**rule), {"v": sent}) == [reason]


@pytest.mark.parametrize(
    ("rule", "sent"),
    [
        ({"missing": [-999, "--"]}, -999.0),
        ({"missing": [-999, "--"]}, "--"),
        ({"map": {"a": 1}, "other": "drop"}, "b"),
        ({"when": "v > `5`"}, 5),
    ],
    ids=str,
)
def test_what_stands_for_nothing_is_absent(rule: Any, sent: object) -> None:  # noqa: ANN401 - any JSON
    assert decode(value(**rule), {"v": sent}) == Decoded(device="v-a%3A1")


def test_a_message_in_which_nothing_is_found_waits() -> None:
    for sent in ({}, {"renamed": 1}, {"v": None}):
        with pytest.raises(MessageError) as caught:
            decode(value(), sent)
        assert caught.value.reason == MessageReason.NO_OBSERVATIONS
    assert decode(value(), b"").observations == []


def test_units_are_sent_or_stated_and_unknown_ones_are_kept() -> None:
    options = value(unit="Cel", unit_path="u")
    found = [decode(options, {"v": 1, **more}).observations[0] for more in
             ({}, {"u": "°F"}, {"u": "furlong"})]  # fmt: skip
    assert [(each.unit, each.metadata) for each in found] == [
        ("Cel", {}), ("[degF]", {}), (None, {"unit_raw": "furlong"}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "sent", "wanted"),
    [
        ("rfc3339", "2026-03-04T10:15:30Z", "2026-03-04T10:15:30Z"),
        ("rfc3339", "2026-03-04 11:15:30", "2026-03-04T10:15:30Z"),
        ("dd/MM/yyyy HH:mm:ss.SSS", "04/03/2026 11:15:30.250", "2026-03-04T10:15:30.25Z"),
        ("yyyyMMdd", "20260304", "2026-03-03T23:00:00Z"),
        ("epoch_s", 1772619330, "2026-03-04T10:15:30Z"),
        ("epoch_s", "1772619330", "2026-03-04T10:15:30Z"),
        ("epoch_s", 1.772619330e9, "2026-03-04T10:15:30Z"),
        ("epoch_ms", 1772619330250, "2026-03-04T10:15:30.25Z"),
        ("epoch_us", 1772619330250000, "2026-03-04T10:15:30.25Z"),
        ("epoch_ns", 1772619330250000999, "2026-03-04T10:15:30.25Z"),
        ("epoch_auto", 99_999_999_999, "5138-11-16T09:46:39Z"),
        ("epoch_auto", 100_000_000_000, "1973-03-03T09:46:40Z"),
        ("epoch_s", "yesterday", None),
        ("epoch_s", -1, None),
        ("epoch_s", True, None),
        ("epoch_s", 1772619330000, None),
        ("rfc3339", 5, None),
        ("dd/MM/yyyy", "31/02/2026", None),
        ("dd/MM/yyyy", "2026-03-04", None),
        ("dd/MM/yyyy", "0\u0664/03/2026", None),
    ],
)  # fmt: skip
def test_a_time_is_read_as_its_format_says(form: str, sent: object, wanted: str | None) -> None:
    options = {**value(), "time": {"path": "t", "format": form}}
    if wanted is None:
        with pytest.raises(MessageError) as caught:
            decode(options, {"v": 1, "t": sent})
        assert caught.value.reason == MessageReason.BAD_TIME
        return
    if wanted.startswith("5138"):
        assert (
            decode(options, {"v": 1, "t": sent}).observations[0].time_us == 99_999_999_999_000_000
        )
        return
    assert decode(options, {"v": 1, "t": sent}).observations[0].time_us == text_us(wanted)


def test_a_missing_time_is_that_of_receipt_unless_the_mapping_refuses_it() -> None:
    options = {**value(interval_s=60), "time": {"path": "t"}}
    (found,) = decode(options, {"v": 1}).observations
    assert (found.time_us, found.end_us) == (None, None)
    with pytest.raises(MessageError) as caught:
        decode({**options, "time": {"path": "t", "missing": "reject"}}, {"v": 1})
    assert caught.value.reason == MessageReason.BAD_TIME


@pytest.mark.parametrize(
    ("rule", "sent", "device"),
    [
        ({"path": "/a~1b"}, {"a/b": "x y"}, "x%20y"),
        ({"path": "n"}, {"n": 12}, "12"),
        ({"path": "n", "pattern": "[0-9]+-(.*)$", "prefix": "d-"}, {"n": "12-x"}, "d-x"),
        ({"path": "n", "pattern": "(a)"}, {"n": "xyz"}, MessageReason.BAD_DEVICE_ID),
        ({"path": "n"}, {"n": "a\u200bb"}, MessageReason.BAD_DEVICE_ID),
        ({"path": "n"}, {"n": True}, MessageReason.MISSING_DEVICE),
        ({"path": "n"}, {}, MessageReason.MISSING_DEVICE),
        ({"path": "length(n)"}, {"n": 5}, MessageReason.MISSING_DEVICE),
        ({"path": "n", "pattern": "(a+)+$"}, {"n": "a" * 1_000 + "b"}, MessageReason.BAD_DEVICE_ID),
    ],
    ids=lambda each: str(each)[:40],
)
def test_a_device_is_named_by_the_payload(rule: Any, sent: dict[str, Any], device: str) -> None:  # noqa: ANN401 - any JSON
    options = {**value(), "device": rule}
    if isinstance(device, MessageReason):
        with pytest.raises(MessageError) as caught:
            decode(options, {"v": 1, **sent})
        assert caught.value.reason == device
        return
    assert decode(options, {"v": 1, **sent}).device == device


def test_a_topic_of_our_own_names_the_device_whatever_the_payload_says() -> None:
    options = {**value(), "device": {"path": "n"}}
    topic = "madina/v1/p/box/raw/vendor"
    assert decode(options, {"v": 1, "n": "another"}, topic).device == "box"


def test_a_topic_that_the_mapping_is_not_for_is_refused() -> None:
    for options, topic, reason in (
        (value(), "vendor/a/b/up", MessageReason.MAPPING_NO_LAYOUT),
        (value(), "vendor//up", MessageReason.BAD_DEVICE_ID),
        ({**value(), "device": None}, TOPIC, MessageReason.MISSING_DEVICE),
    ):
        with pytest.raises(MessageError) as caught:
            decode(options, {"v": 1}, topic)
        assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"input": "xml"}, "input"),
        ({"values": []}, "`values` are missing"),
        ({"values": [{"quantity": "Not A Name", "path": "v"}]}, "$.values[0]"),
        ({"values": [{"quantity": "a", "path": "v", "unit": "furlong"}]}, "furlong"),
        ({"values": [{"quantity": "a", "path": "v", "range": [2, 1]}]}, "`range`"),
        ({"values": [{"quantity": "a", "path": "v", "scale": 0}]}, "scale"),
        ({"values": [{"quantity": "a", "path": "v["}]}, "no JMESPath"),
        ({"values": [{"quantity": "a", "path": "/a~2"}]}, "~0"),
        ({"values": [{"quantity": "a", "path": "to_string(@)"}]}, "to_string"),
        ({"values": [{"quantity": "a", "path": "(" * 400}]}, "no JMESPath"),
        ({"values": [{"quantity": "a", "path": "v" * 501}]}, "501 characters"),
        ({"values": [{"quantity": "a", "path": "[@,@][].[@,@][]"}]}, "at most one selection"),
        ({"values": [{"quantity": "a", "path": "v", "typ": "number"}]}, "typ"),
        ({"values": [{"quantity": "a", "path": "v"}] * 201}, "200"),
        ({"device": "{nobody}"}, "captures id"),
        ({"device": "{id!r}"}, "id"),
        ({"device": "{id"}, "device"),
        ({"device": {"path": "n", "pattern": "(a"}}, "pattern"),
        ({"device": {"path": "n", "pattern": "a"}}, "pattern"),
        ({"match": {"topic": "a/#b/c"}}, "topic"),
        ({"time": {"path": "t", "format": "yyyy"}}, "format"),
        ({"time": {"path": "t", "timezone": "Mars/Base"}}, "timezone"),
        ({"payload": {"path": "p"}}, "inner"),
    ],
    ids=lambda each: str(each)[:60],
)
def test_a_document_that_cannot_be_followed_is_refused_with_the_place(
    changed: dict[str, Any], words: str
) -> None:
    options = {**value(), **changed}
    fault = options_fault(find_codecs(), "mapping", options)
    assert fault is not None
    assert words in fault
    with pytest.raises(MessageError) as caught:
        decode(options, {"v": 1})
    assert (caught.value.reason, words in caught.value.words) == (MessageReason.NO_CODEC, True)


@pytest.mark.parametrize(
    ("member", "words"),
    [
        ({"bytes": [0, 9]}, "1 to 8"),
        ({"bytes": [0, 3], "type": "float"}, "2, 4 or 8"),
        ({"bytes": [-1, 2]}, "behind the end"),
        ({"bytes": [0, 1], "bits": [4, 5]}, "bits"),
        ({"bytes": [0, 1], "bits": [0, 1], "type": "bcd"}, "bits"),
    ],
)
def test_a_place_that_no_frame_has_is_refused(member: dict[str, Any], words: str) -> None:
    options = frame_of(values=[{"quantity": "level", **member}])
    assert words in (options_fault(find_codecs(), "mapping", options) or "")


def test_expressions_that_cost_too_much_end_the_message_and_not_the_shard() -> None:
    options = value(path="a[?@ > `0`] | length(@)")
    assert only(options, {"a": [1] * 100}) == 100
    before = time.perf_counter()
    with pytest.raises(MessageError) as caught:
        decode(options, {"a": [1] * 100_000})
    assert caught.value.reason == MessageReason.TOO_MANY
    assert "steps" in caught.value.words
    assert time.perf_counter() - before < 1


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"{", MessageReason.JSON_SYNTAX),
        (b'{"v":NaN}', MessageReason.JSON_NONFINITE),
        (b'{"v":1,"v":2}', MessageReason.JSON_DUPLICATE_KEY),
        (b'{"v":"\xff"}', MessageReason.UTF8),
    ],
)
def test_a_payload_that_is_no_json_is_refused(sent: bytes, reason: MessageReason) -> None:
    with pytest.raises(MessageError) as caught:
        decode(value(), sent)
    assert (caught.value.reason, caught.value.device) == (reason, "v-a%3A1")


def test_records_that_are_none_are_refused() -> None:
    for records, sent in (("v", {"v": 1}), ("length(v)", {"v": 1}), ("@", [{"v": 1}] * 1_001)):
        with pytest.raises(MessageError) as caught:
            decode({**value(), "records": records}, sent)
        assert caught.value.reason in {MessageReason.MISSING_FIELD, MessageReason.TOO_MANY}


def test_lines_rows_and_bare_values_are_read() -> None:
    lines = {**value(), "input": "ndjson"}
    assert [each.value for each in decode(lines, b'{"v":1}\n\n{"v":2}\n').observations] == [1, 2]
    assert only({**value(path="@"), "input": "text"}, b" 21.5\n") == 21.5
    rows = {**value(), "input": "csv", "columns": ["v", "w"]}
    assert [each.value for each in decode(rows, b'1,a\r\n"2",b\r\n').observations] == [1, 2]
    for bad in (b"1\n", b'1,"a\n'):
        with pytest.raises(MessageError) as caught:
            decode(rows, bad)
        assert (caught.value.reason, "line" in caught.value.words) == ("missing_field", True)


@pytest.mark.parametrize(
    ("text", "encoding", "wanted"),
    [
        ("0x0A 0b", "hex", 10),
        ("Cg", "base64", 10),
        ("Cg==", "base64", 10),
        ("0a0", "hex", MessageReason.MAPPING_LENGTH),
        ("zz", "hex", MessageReason.BASE64),
        ("*", "base64", MessageReason.BASE64),
        (7, "hex", MessageReason.BASE64),
    ],
)
def test_bytes_within_a_document_are_read(text: object, encoding: str, wanted: object) -> None:
    inner = {"values": [{"quantity": "level", "bytes": [0, 1]}]}
    options = {**BASE, "payload": {"path": "p", "encoding": encoding}, "inner": inner}
    if isinstance(wanted, MessageReason):
        with pytest.raises(MessageError) as caught:
            decode(options, {"p": text})
        assert caught.value.reason == wanted
        return
    assert only(options, {"p": text}) == wanted


@pytest.mark.parametrize(
    ("changed", "sent", "reason"),
    [
        ({"values": [{"quantity": "level", "bytes": [2, 1]}]}, b"ab", MessageReason.MAPPING_LENGTH),
        ({"length": {"max": 1}}, b"ab", MessageReason.MAPPING_LENGTH),
        ({"when": {"bytes": [0, 1], "equals": 1}}, b"\2", MessageReason.MAPPING_NO_LAYOUT),
        ({"when": {"bytes": [4, 1], "equals": 1}}, b"\2", MessageReason.MAPPING_NO_LAYOUT),
        ({"checksum": {"kind": "xor8", "over": [0, -1], "at": -1}}, b"ab", MessageReason.CHECKSUM),
        ({"checksum": {"kind": "xor8", "over": [0, 9], "at": -1}}, b"ab",
         MessageReason.MAPPING_LENGTH),
        ({"time": {"bytes": [0, 2], "type": "bcd", "format": "epoch_s"}}, b"\xaa\xbb",
         MessageReason.BAD_TIME),
    ],
)  # fmt: skip
def test_a_doubt_refuses_the_whole_frame(changed: Any, sent: bytes, reason: MessageReason) -> None:  # noqa: ANN401 - any JSON
    with pytest.raises(MessageError) as caught:
        decode(frame_of(**changed), sent)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("field", "sent", "reason"),
    [
        ({"bytes": [0, 1], "type": "bcd"}, b"\x1a", ObservationReason.MAPPING_TYPE),
        ({"bytes": [0, 1], "type": "ascii"}, b"\xb0", ObservationReason.MAPPING_TYPE),
        ({"bytes": [0, 4], "type": "float"}, b"\x7f\xc0\0\0", ObservationReason.NONFINITE),
    ],
)
def test_bytes_that_are_no_value_are_rejected_alone(field: Any, sent: bytes, reason: str) -> None:  # noqa: ANN401 - any JSON
    assert reasons(frame_of(values=[{"quantity": "level", **field}]), sent) == [reason]


def test_checksums_are_those_of_the_standards() -> None:
    check = b"123456789"
    assert crc16(check, 0x1021, reflected=False) == 0x29B1
    assert crc16(check, 0xA001, reflected=True) == 0x4B37
    assert (sum8(check), xor8(check)) == (0xDD, 0x31)


@pytest.mark.property
@given(
    st.integers(-(2**31), 2**31 - 1), st.floats(width=32, allow_nan=False, allow_infinity=False),
    st.integers(0, 7), st.sampled_from(["big", "little"]),
)  # fmt: skip
def test_what_is_packed_is_read_again(number: int, real: float, bits: int, order: str) -> None:
    sign = ">" if order == "big" else "<"
    frame = struct.pack(f"{sign}ifB", number, real, bits << 4)
    values: list[dict[str, Any]] = [
        {"quantity": "number", "bytes": [0, 4], "type": "int"},
        {"quantity": "real", "bytes": [-5, 4], "type": "float"},
        {"quantity": "bits", "bytes": [8, 1], "bits": [4, 3]},
    ]
    found = decode(frame_of(values=values, byte_order=order), frame).observations
    assert [each.value for each in found] == [number, real, bits]
