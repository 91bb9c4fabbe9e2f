"""SensorThings: datastreams in topic and body, intervals, results, and each reason to refuse."""

from typing import Any

import msgspec
import pytest

from city.instants import text_us
from city.reasons import MessageReason, ObservationReason
from ingest.codecs.seam import Arrived, Decoded, MessageError
from ingest.codecs.sensorthings import CODEC

TIME, LATER = "2026-03-04T10:15:30Z", "2026-03-04T11:15:30Z"
NO2 = {"device": "aq", "quantity": "no2", "unit": "ug/m3"}
WIND = {"device": "mast", "quantity": "wind_speed", "unit": "m/s"}
STREAMS: dict[str, Any] = {"42": NO2, "a'1": NO2, "7": [WIND, {**WIND, "quantity": "gust"}]}
TOPIC = "v1.1/Datastreams(42)/Observations"
MULTI = "v1.1/MultiDatastreams(7)/Observations"


def decode(sent: object, topic: str = TOPIC, streams: Any = STREAMS) -> Decoded:  # noqa: ANN401 - any JSON
    payload = sent if isinstance(sent, bytes) else msgspec.json.encode(sent)
    return CODEC.decode(Arrived(topic, payload, 0, "city", options={"datastreams": streams}))


@pytest.mark.parametrize(
    ("topic", "sent"),
    [
        ("v1.0/Datastreams(42)/Observations", {}),
        ("a/b/v1.1/Datastreams(42)/Observations?$select=result", {}),
        ("v1.1/Datastreams('a''1')/Observations", {}),
        ("v1.1/Datastreams('42')/Observations", {}),
        ("v1.1/Observations", {"Datastream": {"@iot.id": 42}}),
        ("v1.1/FeaturesOfInterest(3)/Observations", {"Datastream": {"@iot.id": "a'1"}}),
    ],
)
def test_topic_or_body_names_the_datastream(topic: str, sent: dict[str, Any]) -> None:
    (found,) = decode({"result": 1, **sent}, topic).observations
    assert (found.device, found.quantity, found.unit) == ("aq", "no2", "ug/m3")


@pytest.mark.parametrize(
    ("sent", "topic", "reason"),
    [
        (b"{", TOPIC, MessageReason.JSON_SYNTAX),
        (b'{"result":NaN}', TOPIC, MessageReason.JSON_NONFINITE),
        ([], TOPIC, MessageReason.MISSING_FIELD),
        ({}, TOPIC, MessageReason.MISSING_FIELD),
        ({"result": 1}, "v1.1/Observations", MessageReason.MISSING_FIELD),
        ({"result": 1, "Datastream": {"@iot.id": True}}, "x", MessageReason.MISSING_FIELD),
        ({"result": 1, "Datastream": {"@iot.id": 9}}, "x", MessageReason.UNKNOWN_DATASTREAM),
        ({"result": 1}, "v1.1/Datastreams(9)/Observations", MessageReason.UNKNOWN_DATASTREAM),
        ({"result": 1, "phenomenonTime": "noon"}, TOPIC, MessageReason.BAD_TIME),
        ({"result": 1, "phenomenonTime": 5}, TOPIC, MessageReason.BAD_TIME),
        ({"result": 1, "phenomenonTime": f"{LATER}/{TIME}"}, TOPIC, MessageReason.BAD_TIME),
        ({"result": 1, "phenomenonTime": f"{TIME}/"}, TOPIC, MessageReason.BAD_TIME),
        ({"result": 1, "resultTime": TIME[:-1]}, TOPIC, MessageReason.BAD_TIME),
        ({"result": 1}, MULTI, MessageReason.MISSING_FIELD),
        ({"result": [1, 2, 3]}, MULTI, MessageReason.MISSING_FIELD),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_bad_message_has_one_reason(sent: object, topic: str, reason: MessageReason) -> None:
    with pytest.raises(MessageError) as caught:
        decode(sent, topic)
    assert caught.value.reason == reason
    assert caught.value.words


def test_times_fall_back_from_phenomenon_to_result_to_nothing() -> None:
    found = [
        decode({"result": 1, "phenomenonTime": f"{TIME}/{LATER}", "resultTime": LATER}),
        decode({"result": 1, "phenomenonTime": None, "resultTime": LATER}),
        decode({"result": 1}),
    ]
    assert [(each.observations[0].time_us, each.observations[0].end_us) for each in found] == [
        (text_us(TIME), text_us(LATER)), (text_us(LATER), None), (None, None),
    ]  # fmt: skip


def test_a_result_is_cast_and_a_bad_one_rejected_alone() -> None:
    for sent, value in (("38.2", 38.2), (True, True), ("ok", "ok"), ("21,5", "21,5")):
        assert [each.value for each in decode({"result": sent}).observations] == [value]
    assert decode({"result": None}) == Decoded(device="aq")
    for sent, reason in (
        ([1], ObservationReason.NESTED_ARRAY),
        ({"a": 1}, ObservationReason.NESTED_ARRAY),
        ("inf", ObservationReason.NONFINITE),
        ("9" * 30, ObservationReason.INTEGER_RANGE),
    ):
        assert [each.reason for each in decode({"result": sent}).rejected] == [reason]


def test_results_of_a_multi_datastream_stand_in_its_order() -> None:
    found = decode({"result": ["1.5", None]}, MULTI)
    assert [(each.quantity, each.value, each.unit) for each in found.observations] == [
        ("wind_speed", 1.5, "m/s")
    ]


def test_what_else_is_known_is_kept_and_longitude_comes_first() -> None:
    feature = {"feature": {"type": "Point", "coordinates": [2.25, 41.5, 12]}}
    sent = {"result": 1, "@iot.id": 77, "resultQuality": "good", "FeatureOfInterest": feature}
    found = decode(sent)
    assert found.message_id == "77"
    assert found.observations[0].metadata == {
        "resultQuality": "good", "position": {"lat": 41.5, "lon": 2.25, "alt": 12},
    }  # fmt: skip
    feature["feature"]["coordinates"] = [41.5, 102.25]
    assert decode(sent).observations[0].metadata == {"resultQuality": "good"}


@pytest.mark.parametrize(
    "stream",
    [
        {"quantity": "no2"},
        {**NO2, "quantity": "NO2"},
        {**NO2, "unit": "furlong"},
        {**NO2, "device": "a b"},
        [],
        [NO2, WIND],
    ],
)
def test_options_that_cannot_be_followed_are_named(stream: object) -> None:
    with pytest.raises(MessageError) as caught:
        decode({"result": 1}, streams={"42": stream})
    assert caught.value.reason == MessageReason.NO_CODEC


def test_nothing_is_a_control_message() -> None:
    assert decode(b"\n", "madina/v1/city/gate/raw/sensorthings") == Decoded(device="gate")
