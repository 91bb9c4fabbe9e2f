"""FIWARE's agents, UltraLight 2.0 and JSON: topics, keys, times, values, each reason to refuse."""

import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.instants import text_us
from city.reasons import MessageReason, ObservationReason
from city.topics import masked_topic
from ingest.codecs import iota_json, ultralight
from ingest.codecs.seam import Arrived, Decoded, MessageError

UL, JSON = "/ul/KEY/dev/attrs", "/json/KEY/dev/attrs"
KEYS: dict[str, Any] = {"api_keys": [hashlib.sha256(b"KEY").hexdigest()]}
TIME, TIME_US = "2026-03-04T10:15:30Z", text_us("2026-03-04T10:15:30Z")


def ul(text: str | bytes, topic: str = UL, *, vouched: bool = False, **options: Any) -> Decoded:  # noqa: ANN401 - any JSON
    payload = text if isinstance(text, bytes) else text.encode()
    message = Arrived(topic, payload, 0, "city", options=options, vouched=vouched)
    return ultralight.CODEC.decode(message)


def agent(sent: object, topic: str = JSON, **options: Any) -> Decoded:  # noqa: ANN401 - any JSON
    payload = sent if isinstance(sent, bytes) else msgspec.json.encode(sent)
    return iota_json.CODEC.decode(Arrived(topic, payload, 0, "city", options=options))


def values(decoded: Decoded) -> dict[str, Any]:
    return {each.quantity: each.value for each in decoded.observations}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("t", MessageReason.UL_SYNTAX),
        ("t|", MessageReason.UL_SYNTAX),
        ("|1", MessageReason.UL_SYNTAX),
        ("t|1#", MessageReason.UL_SYNTAX),
        ("#t|1", MessageReason.UL_SYNTAX),
        (f"{TIME}|t|", MessageReason.UL_SYNTAX),
        ("2026-03-04T10:15:30|t|1", MessageReason.BAD_TIME),
        ("20260230T101530Z|t|1", MessageReason.BAD_TIME),
        ("t|1|h", MessageReason.BAD_TIME),
        (b"t|\xff", MessageReason.UTF8),
        (b"t|1\0", MessageReason.NUL_BYTE),
        ("#".join(["t|1"] * 1_001), MessageReason.TOO_MANY),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_ultralight_has_one_reason(text: str | bytes, reason: MessageReason) -> None:
    with pytest.raises(MessageError) as caught:
        ul(text)
    assert (caught.value.reason, caught.value.device) == (reason, "dev")


@pytest.mark.parametrize(
    ("topic", "attribute"),
    [
        ("/ul/KEY/dev/attrs", None),
        ("ul/KEY/dev/attrs", None),
        ("/ul/KEY/dev/attrs/t", "t"),
        ("madina/v1/city/dev/raw/ultralight", None),
    ],
)
def test_a_topic_names_device_and_attribute(topic: str, attribute: str | None) -> None:
    decoded = ul("21.5\n" if attribute else "t|21.5\r\n", topic)
    assert [(each.device, each.quantity) for each in decoded.observations] == [("dev", "t")]
    assert values(decoded) == {"t": 21.5}


@pytest.mark.parametrize("what", ["cmdexe", "configuration/commands", "cmd"])
def test_commands_are_control_messages(what: str) -> None:
    assert ul("dev@ping|ok", f"/ul/KEY/dev/{what}") == Decoded(device="dev")
    assert agent({"ping": "ok"}, f"/json/KEY/dev/{what}") == Decoded(device="dev")
    assert ul("") == Decoded(device="dev")


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("/ul/KEY//attrs", MessageReason.BAD_DEVICE_ID),
        ("/ul/KEY/a\u200bb/attrs", MessageReason.BAD_DEVICE_ID),
        ("/ul/KEY/dev/else", MessageReason.MISSING_FIELD),
        ("/ul/KEY/dev/attrs/", MessageReason.MISSING_FIELD),
        ("/ul/KEY/dev", MessageReason.MISSING_DEVICE),
        ("some/topic", MessageReason.MISSING_DEVICE),
    ],
)
def test_a_topic_that_says_too_little_is_refused(topic: str, reason: MessageReason) -> None:
    with pytest.raises(MessageError) as caught:
        ul("t|1", topic)
    assert caught.value.reason == reason
    assert "KEY" not in caught.value.words


def test_a_key_that_the_route_does_not_know_is_refused_without_being_told() -> None:
    assert values(ul("t|1", **KEYS)) == {"t": 1}
    for topic in ("/ul/OTHER/dev/attrs", "/ul/***/dev/attrs"):
        with pytest.raises(MessageError) as caught:
            ul("t|1", topic, **KEYS)
        assert (caught.value.reason, caught.value.device) == (MessageReason.UNKNOWN_API_KEY, "dev")
        assert "OTHER" not in str(caught.value)
    # A replay has no key any more; who asked for it vouches.
    assert values(ul("t|1", "/ul/***/dev/attrs", vouched=True, **KEYS)) == {"t": 1}
    with pytest.raises(MessageError, match="api_keys"):
        ul("t|1", api_keys=["KEY"])


def test_a_key_is_masked_wherever_a_topic_is_kept() -> None:
    assert masked_topic("/ul/KEY/dev/attrs/t") == "/ul/***/dev/attrs/t"
    assert masked_topic("json/KEY/dev/cmdexe") == "json/***/dev/cmdexe"
    assert masked_topic("/ul/KEY/dev") == "/ul/***/dev"
    for other in ("madina/v1/city/dev/raw/ultralight", "json/a/b", "air/ul/KEY/dev/attrs", ""):
        assert masked_topic(other) == other


def test_values_are_numbers_only_where_they_are_written_so() -> None:
    sent = "a|+5|b|.5|c|5.|d|1_000|e|0x1F|f|21,5|g| 7 |h|12%|i|null|j|unavailable|k|ON|l|-0|m|1e2"
    assert values(ul(sent)) == {
        "a": 5, "b": ".5", "c": "5.", "d": "1_000", "e": "0x1F", "f": "21,5", "g": 7, "h": 12,
        "j": "unavailable", "k": "ON", "l": 0, "m": 100.0,
    }  # fmt: skip
    found = ul("big|18446744073709551615|wide|18446744073709551616|n|inf|t|" + "x" * 1_025)
    assert values(found) == {"big": 2**64 - 1}
    assert [each.reason for each in found.rejected] == [
        ObservationReason.INTEGER_RANGE, ObservationReason.NONFINITE,
        ObservationReason.TEXT_TOO_LONG,
    ]  # fmt: skip


def test_json_inside_of_ultralight_is_flattened_and_what_is_none_stays_text() -> None:
    found = ul('a|[1,"2"]|b|{"x":{"y":1}}|c|[1|d|[[1]]|e|' + "[" * 40)
    assert values(found) == {"a_1": 1, "a_2": 2, "b_x_y": 1, "c": "[1", "e": "[" * 40}
    assert [each.reason for each in found.rejected] == [ObservationReason.NESTED_ARRAY]


def test_names_and_units_of_the_route_are_used() -> None:
    options: dict[str, Any] = {"names": {"t": "temperature"}, "units": {"temperature": "Cel"}}
    (found,) = ul("t|21.5", **options).observations
    assert (found.quantity, found.unit) == ("temperature", "Cel")
    (found,) = agent({"t": "21.5"}, **options).observations
    assert (found.quantity, found.unit) == ("temperature", "Cel")
    assert [each.reason for each in ul("---|1").rejected] == [ObservationReason.BAD_QUANTITY]


plain = st.from_regex(r"[a-z]{1,8}", fullmatch=True).filter(lambda text: text != "null")
groups = st.lists(
    st.dictionaries(
        plain,
        st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.booleans(),
        min_size=1,
        max_size=5,
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.property
@given(groups, st.booleans())
def test_what_is_written_as_ultralight_is_read_back(
    sent: list[dict[str, Any]], timed: bool
) -> None:
    text = "#".join(
        (f"{TIME}|" if timed else "")
        + "|".join(f"{name}|{msgspec.json.encode(value).decode()}" for name, value in each.items())
        for each in sent
    )
    found = ul(text, names={name: name for each in sent for name in each}).observations
    assert [(each.quantity, each.value) for each in found] == [
        item for each in sent for item in each.items()
    ]
    assert {each.time_us for each in found} == {TIME_US if timed else None}


@pytest.mark.parametrize(
    ("sent", "topic", "reason"),
    [
        (b"{", JSON, MessageReason.JSON_SYNTAX),
        (b"NaN", f"{JSON}/t", MessageReason.JSON_NONFINITE),
        (b'{"a":1,"a":2}', f"{JSON}/t", MessageReason.JSON_DUPLICATE_KEY),
        (b"\xff", JSON, MessageReason.UTF8),
        (7, JSON, MessageReason.MISSING_FIELD),
        ([1], JSON, MessageReason.MISSING_FIELD),
        ({"t": 1, "TimeInstant": "2026-03-04T10:15:30"}, JSON, MessageReason.BAD_TIME),
        ({"t": 1, "TimeInstant": 5}, JSON, MessageReason.BAD_TIME),
        ([{"timestamp": TIME}], f"{JSON}/t", MessageReason.MISSING_FIELD),
        ([{"timestamp": "noon", "value": 1}], f"{JSON}/t", MessageReason.BAD_TIME),
        ([{"t": 1}] * 1_001, JSON, MessageReason.TOO_MANY),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_json_has_one_reason(sent: object, topic: str, reason: MessageReason) -> None:
    with pytest.raises(MessageError) as caught:
        agent(sent, topic)
    assert (caught.value.reason, caught.value.device) == (reason, "dev")


@pytest.mark.parametrize("payload", [b"21,5", b"\xff\x00", b"a\0b", b"'x'"])
def test_bytes_that_are_no_json_are_kept_and_no_value(payload: bytes) -> None:
    found = agent(payload, f"{JSON}/photo")
    assert [(each.quantity, each.reason) for each in found.rejected] == [
        ("photo", ObservationReason.BINARY_VALUE)
    ]
    assert payload.hex() in found.rejected[0].words
    assert (found.observations, found.device) == ([], "dev")


def test_one_attribute_is_a_value_or_its_series() -> None:
    assert values(agent("3%", f"{JSON}/h")) == {"h": 3}
    assert values(agent({"a": 1}, f"{JSON}/h")) == {"h_a": 1}
    assert values(agent([1, 2], f"{JSON}/h")) == {"h_1": 1, "h_2": 2}
    series = [{"timestamp": "20260304T101530Z", "value": "1"}, {"value": None}, {"value": 2}]
    found = agent(series, f"{JSON}/h").observations
    assert [(each.value, each.time_us) for each in found] == [(1, TIME_US), (2, None)]


def test_entities_are_read_as_such() -> None:
    entity = {"id": "urn:ngsi-ld:Device:a", "type": "Device", "t": {"type": "Number", "value": 5}}
    (found,) = agent([entity]).observations
    assert (found.device, found.quantity, found.value) == ("urn:ngsi-ld:Device:a", "t", 5)
    # Two measurements with unlucky names are none.
    assert values(agent({"id": "x", "type": "y"})) == {"id": "x", "type": "y"}
