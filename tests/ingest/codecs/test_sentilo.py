"""Sentilo: sensors, times that are day first, positions, and each reason to refuse."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from city.instants import InstantError, text_us
from city.reasons import MessageReason, ObservationReason
from ingest.codecs.seam import Arrived, Decoded, MessageError
from ingest.codecs.sentilo import CODEC
from ingest.codecs.sentilo.times import sentilo_us

TABLE = Path(__file__).parents[2] / "data" / "samples" / "common" / "time.json"
NONE: list[Any] = []
EMPTY: dict[str, Any] = {}
TOPIC = "sentilo/data/city/RE0012"
ITEM: dict[str, Any] = {"value": "1"}


def decode(sent: object, topic: str = TOPIC, **options: Any) -> Decoded:  # noqa: ANN401 - any JSON
    payload = sent if isinstance(sent, bytes) else msgspec.json.encode(sent)
    return CODEC.decode(Arrived(topic, payload, 0, "city", options=options))


@pytest.mark.parametrize(
    "case",
    [each for each in msgspec.json.decode(TABLE.read_bytes()) if each["rule"] == "sentilo"],
    ids=lambda case: case["in"],
)
def test_a_time_is_read_as_the_table_says(case: dict[str, Any]) -> None:
    if case["out"] is None:
        with pytest.raises(InstantError):
            sentilo_us(case["in"])
    else:
        assert sentilo_us(case["in"]) == text_us(case["out"])


@pytest.mark.parametrize(
    "text",
    [
        "17/07/2016T11:43:45XYZ", "17/07/2016T11:43:45cet", "17/07/2016 11:43:45",
        "7/7/2016T11:43:45", "17/07/2016T11:43", "17/13/2016T11:43:45", "17/07/2016T25:43:45",
        "\u0661\u0667/07/2016T11:43:45", "17/07/2016T11:43:45+99:00", "17/07/1969T11:43:45",
    ],
)  # fmt: skip
def test_what_is_no_time_refuses_the_message(text: str) -> None:
    with pytest.raises(MessageError) as caught:
        decode({"observations": [{**ITEM, "timestamp": text}]})
    assert (caught.value.reason, caught.value.device) == (MessageReason.BAD_TIME, "city:RE0012")


@pytest.mark.parametrize(
    ("sent", "topic", "reason"),
    [
        (b"{", TOPIC, MessageReason.JSON_SYNTAX),
        (NONE, TOPIC, MessageReason.MISSING_FIELD),
        (EMPTY, TOPIC, MessageReason.MISSING_FIELD),
        ({"observations": ITEM}, TOPIC, MessageReason.MISSING_FIELD),
        ({"observations": [1]}, TOPIC, MessageReason.MISSING_FIELD),
        ({"observations": [{"timestamp": "x"}]}, TOPIC, MessageReason.MISSING_FIELD),
        ({"observations": [{**ITEM, "timestamp": 5}]}, TOPIC, MessageReason.BAD_TIME),
        ({"sensors": NONE}, TOPIC, MessageReason.MISSING_FIELD),
        ({"sensors": [7]}, TOPIC, MessageReason.MISSING_FIELD),
        ({"observations": [ITEM]}, "sentilo/data/city", MessageReason.MISSING_DEVICE),
        ({"observations": [ITEM]}, "any/topic", MessageReason.MISSING_DEVICE),
        ({"observations": [ITEM]}, "sentilo/data/city/", MessageReason.BAD_DEVICE_ID),
        ({"observations": [ITEM]}, "sentilo/data//x", MessageReason.BAD_DEVICE_ID),
        ({"sensors": [{"sensor": 5, "observations": NONE}]}, TOPIC, MessageReason.BAD_DEVICE_ID),
        ({"observations": [ITEM] * 1_001}, TOPIC, MessageReason.TOO_MANY),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_message_has_one_reason(sent: object, topic: str, reason: MessageReason) -> None:
    with pytest.raises(MessageError) as caught:
        decode(sent, topic)
    assert caught.value.reason == reason
    assert caught.value.words


@pytest.mark.parametrize(
    ("topic", "sent", "device"),
    [
        (TOPIC, {"observations": [ITEM]}, "city:RE0012"),
        ("data/city/RE0012", {"observations": [ITEM]}, "city:RE0012"),
        ("madina/v1/city/hall/raw/sentilo", {"observations": [ITEM]}, "hall"),
        ("any", {"sensors": [{"sensor": "x", "observations": [ITEM]}]}, "city:x"),
        ("data/p", {"sensors": [{"sensor": "a:b", "observations": [ITEM]}]}, "p:a%3Ab"),
    ],
)
def test_provider_and_sensor_name_the_device(topic: str, sent: object, device: str) -> None:
    assert [each.device for each in decode(sent, topic).observations] == [device]


def test_the_route_tells_what_a_sensor_measures() -> None:
    for name in ("RE0012", "city:RE0012"):
        sensors = {name: {"quantity": "temperature", "unit": "Cel"}}
        (found,) = decode({"observations": [ITEM]}, sensors=sensors).observations
        assert (found.quantity, found.value, found.unit) == ("temperature", 1, "Cel")
    for wrong in ({"quantity": "No"}, {"quantity": "a", "unit": "furlong"}, {}):
        with pytest.raises(MessageError) as caught:
            decode({"observations": [ITEM]}, sensors={"RE0012": wrong})
        assert caught.value.reason == MessageReason.NO_CODEC


def test_values_are_cast_and_bad_ones_rejected_alone() -> None:
    sent = ["1.50", "21,5", 7, True, "true", None, "", "nan", [1], '{"a":1}']
    found = decode({"observations": [{"value": each} for each in sent]})
    assert [each.value for each in found.observations] == [1.5, "21,5", 7, True, True, '{"a":1}']
    assert [each.reason for each in found.rejected] == [
        ObservationReason.NONFINITE, ObservationReason.NESTED_ARRAY,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("41.5 2.25", {"lat": 41.5, "lon": 2.25}),
        ("141.5 2.25", None),
        ("2.25 241.5", None),
        ("41,5 2.25", None),
        ("41.5", None),
        ("nan nan", None),
        (7, None),
    ],
)
def test_a_position_is_latitude_then_longitude_or_none(
    text: object, place: dict[str, float] | None
) -> None:
    (found,) = decode({"observations": [{**ITEM, "location": text}]}).observations
    assert found.metadata.get("position") == place


def test_nothing_is_a_control_message() -> None:
    assert decode(b"") == Decoded()
    assert decode({"observations": []}).observations == []
