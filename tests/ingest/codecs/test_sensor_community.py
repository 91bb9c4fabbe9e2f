"""Sensor.Community: names that say the opposite, failed readings, times, and reasons to refuse."""

from typing import Any

import msgspec
import pytest

from city.instants import text_us
from city.reasons import MessageReason, ObservationReason
from ingest.codecs.seam import Arrived, Decoded, MessageError
from ingest.codecs.sensor_community import CODEC

TOPIC = "madina/v1/citizen/esp32-0a1b2c/raw/sensor-community"
RECEIVED_US = text_us("2026-03-04T10:15:31Z")


def decode(sent: object, topic: str = TOPIC, **options: Any) -> Decoded:  # noqa: ANN401 - any JSON
    payload = sent if isinstance(sent, bytes) else msgspec.json.encode(sent)
    return CODEC.decode(Arrived(topic, payload, RECEIVED_US, "citizen", options=options))


def post(*values: tuple[str, object], **members: object) -> dict[str, Any]:
    items = [{"value_type": name, "value": value} for name, value in values]
    return {"esp8266id": "4711", "sensordatavalues": items, **members}


def rows(decoded: Decoded) -> list[tuple[str, Any, str | None]]:
    return [(each.quantity, each.value, each.unit) for each in decoded.observations]


@pytest.mark.parametrize(
    ("sent", "topic", "reason"),
    [
        (b"{", TOPIC, MessageReason.JSON_SYNTAX),
        (b"[1]", TOPIC, MessageReason.MISSING_FIELD),
        (b'{"a":NaN}', TOPIC, MessageReason.JSON_NONFINITE),
        (b'{"a":1,"a":2}', TOPIC, MessageReason.JSON_DUPLICATE_KEY),
        (b"[" * 99, TOPIC, MessageReason.JSON_DEPTH),
        (b'"\xb0C"', TOPIC, MessageReason.UTF8),
        (b'{"a":\0}', TOPIC, MessageReason.NUL_BYTE),
        ({"esp8266id": "1"}, TOPIC, MessageReason.MISSING_FIELD),
        ({"sensordatavalues": []}, "air/posts", MessageReason.MISSING_FIELD),
        ({"sensordatavalues": [{"value": "1"}]}, TOPIC, MessageReason.MISSING_FIELD),
        (post(("GPS_timestamp", "noon")), TOPIC, MessageReason.BAD_TIME),
        (post(), "madina/v1/citizen//raw/sensor-community", MessageReason.BAD_DEVICE_ID),
        (post(esp8266id="\u200b"), "air/posts", MessageReason.BAD_DEVICE_ID),
        (post(*[(f"x{at}", "1") for at in range(1_001)]), TOPIC, MessageReason.TOO_MANY),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_message_has_one_reason(sent: object, topic: str, reason: MessageReason) -> None:
    with pytest.raises(MessageError) as caught:
        decode(sent, topic)
    assert caught.value.reason == reason
    assert caught.value.words


@pytest.mark.parametrize(
    ("value_type", "row"),
    [
        ("SDS_P1", ("pm10_sds", 5.5, "ug/m3")),
        ("SDS_P2", ("pm2_5_sds", 5.5, "ug/m3")),
        ("HPM_P2", ("pm2_5_hpm", 5.5, "ug/m3")),
        ("IPS_P01", ("pm0_1_ips", 5.5, "ug/m3")),
        ("SPS30_N10", ("nc10_sps30", 5.5, "/cm3")),
        ("P1", ("p1_ppd", 5.5, None)),
        ("ratioP2", ("ratiop2_ppd", 5.5, None)),
        ("BME280_pressure", ("pressure_bme280", 5.5, "Pa")),
        ("temperature", ("temperature", 5.5, "Cel")),
        ("DNMS_noise_LA_max", ("la_max_dnms", 5.5, "dB")),
        ("SCD30_co2_ppm", ("co2_scd30", 5.5, "[ppm]")),
        ("CCS811_tvoc", ("ccs811_tvoc", 5.5, None)),
    ],
)
def test_a_value_type_is_what_it_measures(value_type: str, row: tuple[str, float, str]) -> None:
    assert rows(decode(post((value_type, "5.50")))) == [row]


def test_failed_readings_are_absent_and_only_of_what_can_fail_so() -> None:
    sent = post(("SDS_P1", "-1.00"), ("BME280_temperature", "-1.00"), ("SDS_P2", ""))
    assert rows(decode(sent)) == [("temperature_bme280", -1.0, "Cel")]


def test_a_value_that_is_no_number_is_rejected_or_stays_text() -> None:
    found = decode(post(("SDS_P1", "nan"), ("SDS_P2", "1,5"), ("---", "1")))
    assert rows(found) == [("pm2_5_sds", "1,5", None)]
    reasons = [each.reason for each in found.rejected]
    assert reasons == [ObservationReason.NONFINITE, ObservationReason.BAD_QUANTITY]


def test_a_time_is_that_of_gps_else_the_age_else_none() -> None:
    fixed = post(("x", "1"), ("GPS_timestamp", "2026-03-04T10:15:20.000"), age="60")
    assert decode(fixed).observations[0].time_us == text_us("2026-03-04T10:15:20Z")
    lost = post(("x", "1"), ("GPS_timestamp", "1970-01-01T00:00:00.000"), age="60")
    assert decode(lost).observations[0].time_us == RECEIVED_US - 60_000_000
    assert decode(post(("x", "1"))).observations[0].time_us is None


def test_the_topic_names_the_device_and_else_the_chip() -> None:
    assert decode(post()).device == "esp32-0a1b2c"
    assert decode(post(), "air/posts").device == "esp8266-4711"
    assert decode(b"").device == "esp32-0a1b2c"


def test_names_and_units_of_the_route_are_used() -> None:
    found = decode(post(("P1", "3")), names={"P1": "dust"}, units={"dust": "%"})
    assert rows(found) == [("dust", 3, "%")]
