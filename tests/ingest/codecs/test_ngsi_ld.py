"""NGSI-LD and NGSI-v2: forms of attributes, times, units, devices, and each reason to refuse."""

from typing import Any

import msgspec
import pytest

from city.instants import text_us
from city.reasons import MessageReason, ObservationReason
from ingest.codecs.ngsi_ld import CODEC
from ingest.codecs.seam import Arrived, CodedObservation, Decoded, MessageError

ID = "urn:ngsi-ld:Device:a"
TIME, LATER = "2026-03-04T10:15:30Z", "2026-03-04T11:15:30Z"
TIME_US, LATER_US = text_us(TIME), text_us(LATER)


def decode(sent: object, timezone: str = "UTC", **options: Any) -> Decoded:  # noqa: ANN401 - any JSON
    payload = sent if isinstance(sent, bytes) else msgspec.json.encode(sent)
    message = Arrived("ngsi/notify", payload, 0, "city", timezone=timezone, options=options)
    return CODEC.decode(message)


def entity(**attributes: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {"id": ID, "type": "Device", **attributes}


def one(sent: object, timezone: str = "UTC", **options: Any) -> CodedObservation:  # noqa: ANN401 - any JSON
    (found,) = decode(sent, timezone, **options).observations
    return found


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"{", MessageReason.JSON_SYNTAX),
        (b'{"id":"a","id":"b"}', MessageReason.JSON_DUPLICATE_KEY),
        (b"7", MessageReason.MISSING_FIELD),
        ({}, MessageReason.MISSING_FIELD),
        ([], MessageReason.NO_OBSERVATIONS),
        ([7], MessageReason.MISSING_FIELD),
        ({"id": "", "t": 1}, MessageReason.MISSING_FIELD),
        ({"type": "Device", "t": 1}, MessageReason.MISSING_FIELD),
        ({"id": "n", "type": "Notification"}, MessageReason.MISSING_FIELD),
        ({"id": "n", "type": "Notification", "data": []}, MessageReason.NO_OBSERVATIONS),
        ({"type": "Notification", "data": [], "notifiedAt": "x"}, MessageReason.BAD_TIME),
        (entity(), MessageReason.NO_OBSERVATIONS),
        (entity(address={"value": {"x": 1}}), MessageReason.NO_OBSERVATIONS),
        (entity(t=1, dateObserved="noon"), MessageReason.BAD_TIME),
        (entity(t=1, dateObserved=f"{LATER}/{TIME}"), MessageReason.BAD_TIME),
        (entity(t={"value": 1, "observedAt": TIME[:-1]}), MessageReason.BAD_TIME),
        ({"id": "a" * 129, "t": 1}, MessageReason.BAD_DEVICE_ID),
        ({"id": "a\u202eb", "t": 1}, MessageReason.BAD_DEVICE_ID),
        ([entity(t=1)] * 1_001, MessageReason.TOO_MANY),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_bad_message_has_one_reason(sent: object, reason: MessageReason) -> None:
    with pytest.raises(MessageError) as caught:
        decode(sent)
    assert caught.value.reason == reason
    assert caught.value.words


def test_an_envelope_a_notification_an_array_and_an_entity_say_the_same() -> None:
    sent = entity(t=1)
    notification = {"id": "n", "type": "Notification", "data": [sent]}
    whole = [sent, [sent], notification, {"metadata": {}, "body": notification}]
    assert len({msgspec.json.encode(decode(each)) for each in whole}) == 1


@pytest.mark.parametrize(
    "sent",
    [
        {"type": "Property", "value": 5, "unitCode": "CEL", "observedAt": TIME},
        {"value": 5, "unitCode": "CEL", "observedAt": TIME},
        {
            "type": "Number",
            "value": 5,
            "metadata": {
                "unitCode": {"type": "Text", "value": "CEL"},
                "timestamp": {"type": "DateTime", "value": TIME},
            },
        },
        {"value": 5, "metadata": {"unitCode": {"value": "CEL"}, "TimeInstant": {"value": TIME}}},
        {"value": 5, "unitCode": "CEL", "observedAt": {"@type": "DateTime", "@value": TIME}},
    ],
)
def test_every_form_of_an_attribute_says_the_same(sent: dict[str, Any]) -> None:
    found = one(entity(temperature=sent))
    assert (found.quantity, found.value, found.unit) == ("temperature", 5, "Cel")
    assert (found.time_us, found.metadata) == (TIME_US, {})


def test_a_time_is_the_attributes_then_the_entitys_then_the_brokers() -> None:
    other = {"value": 2, "observedAt": TIME}
    full: dict[str, Any] = {"t": 1, "o": other, "dateObserved": LATER, "modifiedAt": TIME}
    assert [each.time_us for each in decode(entity(**full)).observations] == [LATER_US, TIME_US]
    del full["dateObserved"]
    assert decode(entity(**full)).observations[0].time_us == TIME_US
    del full["modifiedAt"]
    assert decode(entity(**full)).observations[0].time_us is None
    told = {"type": "Notification", "data": [entity(**full)], "notifiedAt": LATER}
    assert decode(told).observations[0].time_us == LATER_US
    assert one(entity(t=1, TimeInstant={"type": "DateTime", "value": TIME})).time_us == TIME_US


def test_a_time_without_a_zone_is_the_routes_and_may_be_ambiguous() -> None:
    found = one(entity(t=1, dateObserved="2026-07-01T12:00:00"), "Europe/Madrid")
    assert (found.time_us, found.metadata) == (text_us("2026-07-01T10:00:00Z"), {})
    found = one(entity(t=1, dateObserved="2026-10-25T02:30:00"), "Europe/Madrid")
    assert found.time_us == text_us("2026-10-25T00:30:00Z")
    assert found.metadata == {"notes": ["time_ambiguous"]}
    found = one(entity(t=1, dateObserved=f"{TIME}/{LATER}"))
    assert (found.time_us, found.end_us) == (TIME_US, LATER_US)


def test_what_is_no_measurement_is_left_out_or_kept_beside() -> None:
    place = {"type": "Point", "coordinates": [2.25, 41.5]}
    found = one(
        entity(
            t={"value": 1, "accuracy": {"type": "Property", "value": 0.5}, "deep": {"value": {}}},
            name="hall", stationName={"value": "x"}, dateObservedFrom=TIME, owner=["a"],
            refDevice="urn:b", controlledAsset={"type": "Relationship", "object": "urn:c"},
            title={"type": "LanguageProperty", "languageMap": {"en": "x"}},
            location={"type": "GeoProperty", "value": place},
            area={"type": "GeoProperty", "value": {"type": "Polygon", "coordinates": []}},
        )
    )  # fmt: skip
    assert (found.quantity, found.value) == ("t", 1)
    assert found.metadata == {
        "accuracy": 0.5, "ref_device": "urn:b", "controlled_asset": "urn:c",
        "title": {"en": "x"}, "position": {"lat": 41.5, "lon": 2.25},
        "area": {"type": "Polygon", "coordinates": []},
    }  # fmt: skip


def test_a_name_that_only_begins_like_a_fact_is_a_measurement() -> None:
    found = decode(entity(reference=1, dated=2)).observations
    assert [each.quantity for each in found] == ["reference", "dated"]


def test_values_of_every_kind() -> None:
    found = decode(
        entity(a="21.5", b=True, c=None, d={"type": "Property"}, e={"value": None}, f=2**53 + 1,
               g={"value": {"x": 1, "y": [2, 3]}}, h=[4, 5], i=[[1]], k=2**64)
    )  # fmt: skip
    assert {each.quantity: each.value for each in found.observations} == {
        "a": "21.5", "b": True, "f": 2**53 + 1, "g_x": 1, "g_y_1": 2, "g_y_2": 3,
        "h_1": 4, "h_2": 5,
    }  # fmt: skip
    assert [each.reason for each in found.rejected] == [
        ObservationReason.NESTED_ARRAY, ObservationReason.INTEGER_RANGE,
    ]  # fmt: skip
    assert decode(entity(c=None)).observations == []


def test_attributes_of_one_name_are_told_apart_by_their_dataset() -> None:
    long = {"value": 3, "datasetId": "urn:" + "x" * 64}
    found = decode(entity(temp=[{"value": 1}, {"value": 2, "datasetId": "urn:a:probe-2"}, long]))
    assert [each.quantity for each in found.observations] == ["temperature", "temperature_probe_2"]
    assert [each.reason for each in found.rejected] == [ObservationReason.BAD_QUANTITY]


def test_units_are_codes_and_the_models_only_where_there_is_none() -> None:
    air = {"id": ID, "type": "https://smartdatamodels.org/dataModel.X/AirQualityObserved"}
    units = {
        each.quantity: each.unit
        for each in decode(
            {**air, "temperature": 5, "relativeHumidity": 0.5, "windSpeed": 3, "windDirection": 90,
             "precipitation": {"value": 1, "unitCode": "CMT"},
             "CO": {"value": 500, "unitCode": "GP"}}
        ).observations
    }  # fmt: skip
    assert units == {
        "temperature": "Cel", "humidity": "1", "wind_speed": "m/s", "wind_direction": "deg",
        "precipitation": "cm", "co": "mg/m3",
    }  # fmt: skip
    assert one(entity(temperature=5)).unit is None
    assert one(entity(temperature=5), units={"temperature": "K"}).unit == "K"
    unknown = one(entity(t={"value": 5, "unitCode": "XYZ"}))
    assert (unknown.unit, unknown.metadata) == (None, {"unit_raw": "XYZ"})


def test_the_route_says_what_names_the_device() -> None:
    dated = {"id": "urn:ngsi-ld:Air:s-1:2016-03-15T11:00:00", "t": 1, "refDevice": "urn:d"}
    pattern = r"(.*?):\d{4}-\d\d-\d\dT.*"
    assert one(dated, id_pattern=pattern).device == "urn:ngsi-ld:Air:s-1"
    assert one({**dated, "id": "x"}, id_pattern=pattern).device == "x"
    assert one(dated, device="refDevice").device == "urn:d"
    with pytest.raises(MessageError) as caught:
        decode(entity(t=1), device="refDevice")
    assert caught.value.reason == MessageReason.MISSING_DEVICE
    for wrong in ("(", "no group"):
        with pytest.raises(MessageError) as caught:
            decode(entity(t=1), id_pattern=wrong)
        assert caught.value.reason == MessageReason.NO_CODEC


def test_several_entities_are_several_devices() -> None:
    found = decode([{"id": "a", "t": 1}, {"id": "b", "t": 2}])
    assert [each.device for each in found.observations] == ["a", "b"]
    with pytest.raises(MessageError) as caught:
        decode([{"id": "a", "t": 1}, {"id": "b", "t": 2, "dateObserved": "x"}])
    assert (caught.value.device, caught.value.words[:9]) == ("b", "entity 2:")


def test_nothing_is_a_control_message() -> None:
    assert decode(b" ") == Decoded()
