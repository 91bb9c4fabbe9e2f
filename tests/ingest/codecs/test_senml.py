"""SenML in JSON and CBOR: names, times, versions, sums, and each reason to refuse."""

import contextlib
import math
from decimal import Decimal
from typing import Any

import cbor2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.instants import text_us, to_text
from city.reasons import MessageReason, ObservationReason
from ingest.codecs import senml_cbor, senml_json
from ingest.codecs.seam import Arrived, Decoded, MessageError
from ingest.codecs.senml_units import senml_unit

NOW_US = text_us("2026-03-04T10:15:31Z")
EMPTY: list[Any] = []
TOPIC, OWN = "city/hall", "madina/v1/env/hub-4/raw/senml"
BASE = {"bn": "urn:dev:ow:1:", "n": "t", "v": 1}
LABELS = {
    "bs": -6, "bv": -5, "bu": -4, "bt": -3, "bn": -2, "bver": -1, "n": 0, "u": 1, "v": 2, "vs": 3,
    "vb": 4, "s": 5, "t": 6, "ut": 7, "vd": 8,
}  # fmt: skip


def decode(sent: object, topic: str = TOPIC, **options: Any) -> Decoded:  # noqa: ANN401 - any JSON
    payload = sent if isinstance(sent, bytes) else msgspec.json.encode(sent)
    return senml_json.CODEC.decode(Arrived(topic, payload, NOW_US, "env", options=options))


def decode_cbor(payload: bytes) -> Decoded:
    return senml_cbor.CODEC.decode(Arrived(TOPIC, payload, NOW_US, "env"))


def reason(sent: object, topic: str = TOPIC) -> MessageReason:
    with pytest.raises(MessageError) as caught:
        decode(sent, topic)
    assert caught.value.words
    return caught.value.reason


def one(**record: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any JSON
    (found,) = decode([record]).observations
    return found.device, found.quantity, found.value, found.unit


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        (b"{", MessageReason.JSON_SYNTAX),
        (b'[{"n":"a","v":NaN}]', MessageReason.JSON_NONFINITE),
        (b'[{"n":"a","v":1,"v":2}]', MessageReason.JSON_DUPLICATE_KEY),
        (b"[" * 100_000, MessageReason.JSON_DEPTH),
        (EMPTY, MessageReason.NO_OBSERVATIONS),
        ("t", MessageReason.SENML_TYPE),
        ([1], MessageReason.SENML_TYPE),
        ([{"n": "a"}], MessageReason.SENML_VALUE_COUNT),
        ([{"t": 1}], MessageReason.SENML_VALUE_COUNT),
        ([{**BASE, "vb": True}], MessageReason.SENML_VALUE_COUNT),
        ([{**BASE, "v": "1"}], MessageReason.SENML_TYPE),
        ([{**BASE, "v": True}], MessageReason.SENML_TYPE),
        ([{"n": "a", "vs": 1}], MessageReason.SENML_TYPE),
        ([{"n": "a", "vb": 1}], MessageReason.SENML_TYPE),
        ([{"n": "a", "vd": 1}], MessageReason.SENML_TYPE),
        ([{"n": "a", "vd": "*"}], MessageReason.BASE64),
        ([{**BASE, "n": 1}], MessageReason.SENML_TYPE),
        ([{**BASE, "t": "now"}], MessageReason.SENML_TYPE),
        ([{**BASE, "bt": EMPTY}], MessageReason.SENML_TYPE),
        ([{**BASE, "bver": 0}], MessageReason.SENML_VERSION),
        ([{**BASE, "bver": 10.0}], MessageReason.SENML_VERSION),
        ([{**BASE, "bver": 2**53 - 1}], MessageReason.SENML_VERSION),
        ([{**BASE, "bver": 5}, {"bver": 10}], MessageReason.SENML_VERSION),
        ([{"v": 1}], MessageReason.SENML_NAME),
        ([{"n": "-a", "v": 1}], MessageReason.SENML_NAME),
        ([{"n": "a b", "v": 1}], MessageReason.SENML_NAME),
        ([{"n": "é", "v": 1}], MessageReason.SENML_NAME),
        ([{"n": "a" * 129, "v": 1}], MessageReason.BAD_DEVICE_ID),
        ([{**BASE, "t": 1e300}], MessageReason.BAD_TIME),
        ([{**BASE, "t": -1e11}], MessageReason.BAD_TIME),
        ([{**BASE, "t": 10**40}], MessageReason.BAD_TIME),
        ([{**BASE, "later_": 1}], MessageReason.SENML_MUST_UNDERSTAND),
        ([{"n": "a", "v": 1}] * 1_001, MessageReason.TOO_MANY),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_bad_pack_has_one_reason(sent: object, wanted: MessageReason) -> None:
    assert reason(sent) == wanted


def test_a_refusal_names_the_record_and_the_device() -> None:
    with pytest.raises(MessageError) as caught:
        decode([BASE, {"n": "t", "v": "x"}])
    assert caught.value.device == "urn:dev:ow:1"
    assert caught.value.words.startswith("record 2:")
    assert reason([{"n": "t", "v": "x"}], "madina/v1/env//raw/senml") == "bad_device_id"


@pytest.mark.parametrize(
    ("record", "device", "quantity"),
    [
        ({"bn": "urn:dev:ow:1:", "n": "relativeHumidity"}, "urn:dev:ow:1", "humidity"),
        ({"bn": "box/", "n": "a"}, "box", "a"),
        ({"bn": "box", "n": "a"}, "box", "a"),
        ({"n": "urn:dev:ow:1"}, "urn:dev:ow:1", "value"),
        ({"n": "urn:dev:ow:1:"}, "urn:dev:ow:1", "value"),
        ({"n": "urn:dev:ow:1:temp"}, "urn:dev:ow:1", "temperature"),
        ({"bn": "urn:dev:ow:1_temp"}, "urn:dev:ow:1", "temperature"),
        ({"n": "urn:dev:mac:1/air"}, "urn:dev:mac:1", "air"),
        ({"n": "hall/room 2".replace(" ", "-") + "/co2"}, "hall%2Froom-2", "co2"),
        ({"n": "hall/"}, "hall", "value"),
        ({"n": "hall"}, "hall", "value"),
        ({"n": "hall", "u": "lx"}, "hall", "illuminance"),
        ({"n": "hall", "u": "lat"}, "hall", "latitude"),
    ],
    ids=str,
)
def test_a_name_is_a_device_and_a_quantity(
    record: dict[str, Any], device: str, quantity: str
) -> None:
    assert one(**record, v=1)[:2] == (device, quantity)


def test_a_topic_of_ours_names_the_device() -> None:
    assert decode([{"n": "temp", "v": 1}], OWN).observations[0].device == "hub-4"
    assert decode(b"", OWN) == Decoded(device="hub-4")
    assert decode(b" ") == Decoded()


def times(*records: dict[str, Any]) -> list[str | None]:
    found = decode(list(records)).observations
    return [None if each.time_us is None else to_text(each.time_us) for each in found]


def test_a_sum_of_times_is_relative_below_2_to_the_28() -> None:
    a = {"n": "a", "v": 1}
    assert times(a, {**a, "t": 0}, {**a, "bt": 5, "t": -5}) == [None, None, None]
    assert times({**a, "t": 268_435_455}) == ["2034-09-05T07:39:46.000000Z"]
    assert times({**a, "t": 268_435_456}) == ["1978-07-04T21:24:16.000000Z"]
    assert times({**a, "bt": 268_435_455, "t": 1}) == ["1978-07-04T21:24:16.000000Z"]
    assert times({**a, "bt": 1.276020076001e9, "t": -5}) == ["2010-06-08T18:01:11.001000Z"]
    assert times({**a, "t": -0.5}) == ["2026-03-04T10:15:30.500000Z"]


def test_values_add_up_as_people_write_them_and_integers_stay_exact() -> None:
    assert one(bn="b:", n="a", bv=20, v=1.1)[2] == 21.1
    assert one(bn="b:", n="a", bv=0.1, v=0.2)[2] == 0.3
    assert one(bn="b:", n="a", bv=1, v=2**53)[2] == 2**53 + 1
    assert math.copysign(1, one(n="a", v=-0.0)[2]) == -1
    assert decode([{"n": "a", "v": 2**64}]).rejected[0].reason == ObservationReason.INTEGER_RANGE
    assert decode([{"n": "a", "v": None}, {"n": "a", "vs": ""}]).observations == []


def test_a_sum_over_time_is_an_observation_beside_the_value() -> None:
    found = decode([{"bn": "m:", "bs": 100, "n": "power", "u": "W", "v": 5, "s": 20}]).observations
    assert [(each.quantity, each.value, each.unit) for each in found] == [
        ("power", 5, "W"), ("power_sum", 120, "W.s"),
    ]  # fmt: skip
    assert decode([{"bn": "m:", "bs": 1}]).observations == []
    long = decode([{"bn": "m:", "n": "q" * 62, "s": 1}])
    assert [each.reason for each in long.rejected] == [ObservationReason.BAD_QUANTITY]


def test_versions_and_unknown_labels() -> None:
    for version in (1, 5, 10, 26):
        assert decode([{**BASE, "bver": version}, {"n": "t", "v": 2}]).observations
    assert decode([{**BASE, "x": 1}, {**BASE, "y": EMPTY}]).ignored == 2


def test_a_device_that_moves_has_a_place_at_each_time() -> None:
    track = [
        {"bn": "bus:", "bt": 1_772_619_330, "u": "lat", "v": 41.5},
        {"u": "lon", "v": 2.5},
        {"u": "lat", "t": 60, "v": 41.6},
        {"u": "lon", "t": 60, "v": 2.6},
        {"u": "lat", "t": 120, "v": 95},
    ]
    found = decode(track)
    places = [each.metadata["position"]["lat"] for each in found.observations]
    assert places == [41.5, 41.5, 41.6, 41.6]
    assert [each.reason for each in found.rejected] == [ObservationReason.OUT_OF_RANGE]


def test_names_and_units_of_the_route_are_used() -> None:
    options: dict[str, Any] = {"names": {"t": "water_temperature"}, "units": {"level": "m"}}
    records = [{"bn": "b:", "n": "t", "u": "Cel", "v": 1}, {"n": "level", "v": 2, "ut": 900}]
    found = decode(records, **options).observations
    assert [(each.quantity, each.unit) for each in found] == [
        ("water_temperature", "Cel"), ("level", "m"),
    ]  # fmt: skip
    assert [each.metadata for each in found] == [{}, {"ut": 900}]


def test_units_keep_their_case() -> None:
    assert [senml_unit(each) for each in ("C", "Cel", "m", "M", "mW", "%EL")] == [
        "C", "Cel", "m", None, None, "%",
    ]  # fmt: skip


names = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}", fullmatch=True)
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.one_of(
    st.tuples(st.just("v"), numbers),
    st.tuples(st.just("vs"), st.text(min_size=1, max_size=20)),
    st.tuples(st.just("vb"), st.booleans()),
)
packs = st.lists(
    st.tuples(names, values, st.integers(2**28, 4_000_000_000)), min_size=1, max_size=20
)


@pytest.mark.property
@given(packs)
def test_a_pack_that_a_library_wrote_is_read_back(pack: list[tuple[str, Any, int]]) -> None:
    records = [{"bn": "box:", "n": name, label: value, "t": t} for name, (label, value), t in pack]
    payload = cbor2.dumps([{LABELS[key]: each for key, each in one.items()} for one in records])
    decoded = decode_cbor(payload)
    assert [(each.value, each.time_us) for each in decoded.observations] == [
        (value, t * 1_000_000) for _, (_, value), t in pack
    ]
    assert [type(each.value) for each in decoded.observations] == [
        type(value) for _, (_, value), _ in pack
    ]
    assert decode(records).observations == decoded.observations


def labelled(**record: Any) -> bytes:  # noqa: ANN401 - any CBOR
    return cbor2.dumps([{LABELS[key]: value for key, value in record.items()}])


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [
        (b"\x80", MessageReason.NO_OBSERVATIONS),
        (b"\x01", MessageReason.SENML_TYPE),
        (b"\xa1\x02\x01", MessageReason.SENML_TYPE),
        (b"\x81\x01", MessageReason.SENML_TYPE),
        (labelled(n="a", v=1) + b"\x00", MessageReason.CBOR_SYNTAX),
        (b"\x81\xa3\x00\x61a\x02\x01\x02\x02", MessageReason.CBOR_SYNTAX),
        (b"\x81\xa2\x00\x61\xff\x02\x01", MessageReason.CBOR_SYNTAX),
        (b"\x81\xa2\x00\x61a\x02\xc1\x01", MessageReason.CBOR_SYNTAX),
        (b"\x81\xa2\x00\x61a\x02\xc2\x41\x01", MessageReason.CBOR_SYNTAX),
        (b"\x81\xa1\x81\x01\x02", MessageReason.CBOR_SYNTAX),
        (b"\x81\xa1\x0a\x81\x81\x81\x01", MessageReason.CBOR_SYNTAX),
        (b"\x81" * 100_000, MessageReason.CBOR_SYNTAX),
        (b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", MessageReason.CBOR_SYNTAX),
        (b"\x9a\x7f\xff\xff\xff", MessageReason.CBOR_SYNTAX),
        (b"\x7b\xff\xff\xff\xff\xff\xff\xff\xff", MessageReason.CBOR_SYNTAX),
        (b"\x81\xa1\x02\xf8\x20", MessageReason.CBOR_SYNTAX),
        (b"\xff", MessageReason.CBOR_SYNTAX),
        (b"\x1c", MessageReason.CBOR_SYNTAX),
        (b"\x81\xa1\x02\xc4\x82\x18\x1f\x01", MessageReason.SENML_TYPE),
        (b"\x81\xa1\x02\xc4\x83\x01\x01\x01", MessageReason.CBOR_SYNTAX),
        (b"\x81\xa1\x02\xc4\x82\x01\xc2\x58\x41" + b"\x01" * 65, MessageReason.CBOR_SYNTAX),
        (cbor2.dumps([{"n": "a", "v": 1}]), MessageReason.SENML_LABEL),
        (cbor2.dumps([{0: "a", 2: 1, "x_": 1}]), MessageReason.SENML_MUST_UNDERSTAND),
        (labelled(n="a", vd="text"), MessageReason.SENML_TYPE),
        (labelled(n="a", v=1, t=math.nan), MessageReason.BAD_TIME),
    ],
    ids=lambda value: value.hex()[:40] if isinstance(value, bytes) else str(value),
)
def test_bad_cbor_has_one_reason(payload: bytes, wanted: MessageReason) -> None:
    with pytest.raises(MessageError) as caught:
        decode_cbor(payload)
    assert caught.value.reason == wanted


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        (Decimal("123.5"), 123.5),
        (Decimal("-1.25"), -1.25),
        (Decimal("2e3"), 2_000),
        (Decimal(18446744073709551617) / 10, 1844674407370955161.7),
        (2**53 + 1, 2**53 + 1),
        (-(2**63), -(2**63)),
    ],
)
def test_a_number_of_any_form_is_read(sent: Any, wanted: float) -> None:  # noqa: ANN401 - any CBOR
    (found,) = decode_cbor(labelled(n="a", v=sent)).observations
    assert found.value == wanted


def test_what_is_no_number_in_cbor_is_rejected_alone() -> None:
    for value in (math.nan, math.inf, -math.inf):
        decoded = decode_cbor(cbor2.dumps([{0: "a", 2: value}, {0: "b", 2: 1}]))
        assert [each.reason for each in decoded.rejected] == [ObservationReason.NONFINITE]
        assert len(decoded.observations) == 1


def test_strings_in_parts_and_endless_maps_are_read() -> None:
    payload = b"\x9f\xbf\x00\x7f\x61a\x61b\xff\x08\x5f\x41\x01\x41\x02\xff\xff"
    payload += b"\xbf\x00\x61c\x02\xf9\x3c\x00\xff\xff"
    (found,) = decode_cbor(payload).observations
    assert (found.device, found.value) == ("c", 1.0)
    assert decode_cbor(b"") == Decoded()


@pytest.mark.property
@given(st.binary(max_size=200))
def test_any_bytes_of_cbor_are_a_pack_or_refused(payload: bytes) -> None:
    for whole in (payload, b"\x81" + payload, b"\x81\xa2\x00\x61a\x02" + payload):
        with contextlib.suppress(MessageError):
            decode_cbor(whole)
