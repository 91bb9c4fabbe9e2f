"""Line protocol: escapes, types, times, devices, and each reason to refuse."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from influxdb_client.client.write.point import Point
from influxdb_client.domain.write_precision import WritePrecision

from city.reasons import MessageReason, ObservationReason
from ingest.codecs.influx import CODEC
from ingest.codecs.seam import Arrived, Decoded, MessageError

NS = 1_772_619_330_000_000_000
OWN = "madina/v1/city/hall/raw/influx"


def decode(text: str | bytes, topic: str = "telegraf/h/air", **options: Any) -> Decoded:  # noqa: ANN401 - any JSON
    payload = text if isinstance(text, bytes) else text.encode()
    return CODEC.decode(Arrived(topic, payload, 0, "city", options=options))


def values(decoded: Decoded) -> dict[str, Any]:
    return {each.quantity: each.value for each in decoded.observations}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("air", MessageReason.LP_SYNTAX),
        ("air,device=a", MessageReason.LP_SYNTAX),
        ("air,device=a ", MessageReason.LP_SYNTAX),
        ("air,device=a x", MessageReason.LP_SYNTAX),
        ("air,device=a x=", MessageReason.LP_SYNTAX),
        ("air,device=a =1", MessageReason.LP_SYNTAX),
        ("air,device= x=1", MessageReason.LP_SYNTAX),
        ("air,device x=1", MessageReason.LP_SYNTAX),
        (",device=a x=1", MessageReason.LP_SYNTAX),
        ("air,device=a,device=b x=1", MessageReason.LP_SYNTAX),
        ("air,device=a x=1,", MessageReason.LP_SYNTAX),
        ("air,device=a x=1 12.5", MessageReason.LP_SYNTAX),
        ("air,device=a x=1 12 13", MessageReason.LP_SYNTAX),
        ('air,device=a x="open', MessageReason.LP_SYNTAX),
        ('air,device=a x="a"b', MessageReason.LP_SYNTAX),
        ("air,device=a x=NaN", MessageReason.LP_SYNTAX),
        ("air,device=a x=inf", MessageReason.LP_SYNTAX),
        ("air,device=a x=null", MessageReason.LP_SYNTAX),
        ("air,device=a x=1_000", MessageReason.LP_SYNTAX),
        ("air,device=a x=0x1F", MessageReason.LP_SYNTAX),
        ("air,device=a x=\u0661", MessageReason.LP_SYNTAX),
        ("air,device=a x=-1u", MessageReason.LP_SYNTAX),
        ("air,device=a x=1.5i", MessageReason.LP_SYNTAX),
        ("air,device=a x=" + "1" * 65, MessageReason.LP_SYNTAX),
        ("air,device=a x=yes", MessageReason.LP_SYNTAX),
        (b"air,device=a x=\xff", MessageReason.UTF8),
        (b"air,device=a x=1\0", MessageReason.NUL_BYTE),
        ("air x=1", MessageReason.MISSING_DEVICE),
        ("air,device=a\u200bb x=1", MessageReason.BAD_DEVICE_ID),
        (f"air,device=a x=1 {NS // 10**9}", MessageReason.BAD_TIME),
        ("air,device=a x=1 -1", MessageReason.BAD_TIME),
        ("air,device=a x=1\n" * 5_001, MessageReason.TOO_MANY),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_lines_have_one_reason(text: str | bytes, reason: MessageReason) -> None:
    with pytest.raises(MessageError) as caught:
        decode(text)
    assert caught.value.reason == reason
    assert caught.value.words


def test_a_refusal_names_the_line() -> None:
    text = '# first\nair,device=a x="two\nlines"\n\nair,device=a x=1\nair,device=a x\n'
    with pytest.raises(MessageError, match=r"line 6: .*no field"):
        decode(text)
    with pytest.raises(MessageError, match=r"line 1: 1772619330000 ns .* looks like ms"):
        decode(f"air,device=a x=1 {NS // 10**6}")


def test_types_are_those_that_were_written() -> None:
    text = "air,device=a f=20,g=5.,h=.5,e=1E-2,n=-0.0,i=-20i,u=18446744073709551615u,t=T,w=FALSE"
    found = values(decode(text + ',s="",q="a\\\\\\"b\\c"'))
    assert found == {
        "f": 20.0, "g": 5.0, "h": 0.5, "e": 0.01, "n": -0.0, "i": -20, "u": 2**64 - 1, "t": True,
        "w": False, "q": 'a\\"b\\c',
    }  # fmt: skip
    assert [type(found[name]) for name in "fiut"] == [float, int, int, bool]


def test_an_integer_or_float_that_nobody_can_keep_is_rejected_alone() -> None:
    text = "air,device=a i=9223372036854775808i,u=18446744073709551616u,f=1e999,x=1"
    decoded = decode(text)
    assert values(decoded) == {"x": 1.0}
    assert [each.reason for each in decoded.rejected] == [
        ObservationReason.INTEGER_RANGE, ObservationReason.INTEGER_RANGE,
        ObservationReason.NONFINITE,
    ]  # fmt: skip


@pytest.mark.parametrize("precision", ["s", "ms", "us", "ns"])
def test_times_have_the_precision_of_the_route_and_are_cut(precision: str) -> None:
    parts = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[precision]
    (found,) = decode(f"air,device=a x=1 {NS // parts}", precision=precision).observations
    assert found.time_us == NS // 1_000
    (found,) = decode(f"air,device=a x=1 {NS + 1_999}").observations
    assert found.time_us == NS // 1_000 + 1


def test_times_end_where_another_precision_is_likelier() -> None:
    for sent in (31_536_000, 4_102_444_799):
        assert decode(f"air,device=a x=1 {sent}", precision="s").observations
    for sent in (31_535_999, 4_102_444_800):
        with pytest.raises(MessageError, match="1971"):
            decode(f"air,device=a x=1 {sent}", precision="s")


@pytest.mark.parametrize(
    ("tags", "topic", "options", "device"),
    [
        ("host=h,node=n,device=d", "t", {}, "d"),
        ("host=h,node=n", "t", {}, "n"),
        ("host=h", "t", {}, "h"),
        ("host=h,id=7", "t", {"device_tag": "id"}, "7"),
        ("host=h", "a/b", {"device_tag": "id", "device_level": 2}, "b"),
        ("x=1", OWN, {}, "hall"),
        ("device=d", OWN, {}, "d"),
    ],
)
def test_a_tag_names_the_device_or_else_the_topic(
    tags: str, topic: str, options: dict[str, Any], device: str
) -> None:
    assert decode(f"air,{tags} x=1", topic, **options).device == device


def test_other_tags_are_kept_and_one_may_tell_the_unit() -> None:
    text = 'air,device=a,unit=ug/m3,site=x no2=1,note="n"\nair,device=b,unit=furlong o3=2'
    first, note, second = decode(text, unit_tag="unit").observations
    assert (first.unit, first.metadata) == ("ug/m3", {"tags": {"site": "x"}})
    assert (note.unit, note.metadata) == (None, {"tags": {"site": "x"}})
    assert (second.device, second.unit, second.metadata) == ("b", None, {"unit_raw": "furlong"})
    named = decode("air,device=a t=1", names={"t": "temperature"}, units={"temperature": "Cel"})
    assert [(each.quantity, each.unit) for each in named.observations] == [("temperature", "Cel")]


def test_fields_may_have_the_names_of_sensor_community() -> None:
    text = "feinstaub,node=esp8266-1 SDS_P1=12.40,SDS_P2=-1,BME280_pressure=95000,signal=-70"
    found = decode(text, names="sensor-community").observations
    assert [(each.quantity, each.value, each.unit) for each in found] == [
        ("pm10_sds", 12.4, "ug/m3"), ("pressure_bme280", 95000.0, "Pa"), ("signal", -70.0, None),
    ]  # fmt: skip
    for wrong in ("else", {"a": "No Name"}):
        with pytest.raises(MessageError, match="names"):
            decode(text, names=wrong)


def test_a_field_called_value_has_the_name_of_its_measurement_if_it_is_alone() -> None:
    assert values(decode("Water\\ Level,device=a value=1")) == {"water_level": 1.0}
    assert values(decode("air,device=a value=1,x=2")) == {"value": 1.0, "x": 2.0}


def test_nothing_but_comments_is_a_control_message() -> None:
    assert decode("", OWN) == decode("# a\r\n\n #b", OWN) == Decoded(device="hall")
    assert values(decode("\n  air,device=a x=1 \r\n\r\n")) == {"x": 1.0}


@pytest.mark.parametrize("part", ["a", "a,", ",a=", "\\", "\\,", '"', "a=", ' a="\\'])
@pytest.mark.parametrize("head", ["", "air,device=a ", "air,device=a x="])
def test_no_payload_takes_long(head: str, part: str) -> None:
    text = head + part * (250_000 // len(part))
    began = time.process_time()
    with pytest.raises(MessageError):
        decode(text)
    assert time.process_time() - began < 1


names = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), include_characters=" ,="),
    min_size=1,
    max_size=10,
).filter(lambda text: not text.startswith("#"))
fields = st.dictionaries(
    st.from_regex(r"[a-z]{1,8}", fullmatch=True).filter(lambda name: name != "value"),
    st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1),
    min_size=1,
    max_size=5,
)


@pytest.mark.property
@given(
    names,
    st.dictionaries(names, names, max_size=3),
    fields,
    st.integers(31_536_000_000_000_000, 4_102_444_799_999_999_999),
)
def test_a_point_that_a_library_wrote_is_read_back(
    measurement: str, tags: dict[str, str], sent: dict[str, Any], ns: int
) -> None:
    # The library leaves a backslash at an end as it is, where it escapes what follows.
    tags = {name.replace("\\", ""): value.replace("\\", "") for name, value in tags.items()}
    tags = {name: value for name, value in tags.items() if name and value}
    tags = {**tags, "device": "box"}
    # Its types are not known to a type checker.
    point: Any = Point(measurement.replace("\\", "") or "m")
    point = point.time(ns, WritePrecision.NS)
    for name, value in tags.items():
        point = point.tag(name, value)
    for name, value in sent.items():
        point = point.field(name, value)
    decoded = decode(point.to_line_protocol(), names={name: name for name in sent})
    found = {each.quantity: each.value for each in decoded.observations}
    assert found == sent
    assert {type(found[name]) for name in sent} == {type(value) for value in sent.values()}
    assert {each.time_us for each in decoded.observations} == {ns // 1_000}
    kept = {name: value for name, value in tags.items() if name != "device"}
    assert all(each.metadata.get("tags", {}) == kept for each in decoded.observations)
