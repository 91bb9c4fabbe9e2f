"""The Things Stack v3: devices, objects, payloads, times, and each reason to refuse."""

from typing import Any

import msgspec
import pytest

from city.flags import Flag
from city.instants import text_us
from city.reasons import MessageReason, ObservationReason
from ingest.codecs.seam import Arrived, Decoded, MessageError
from ingest.codecs.tts_v3 import CODEC

EUI = "70b3d57ed0041a2b"
TOPIC = "v3/waste@city/devices/bin-1/up"
SERVER, ITEM = "2026-03-04T10:15:30.412873921Z", "2026-03-04T10:00:00Z"
IDS: dict[str, Any] = {
    "device_id": "bin-1",
    "application_ids": {"application_id": "waste"},
    "dev_eui": EUI.upper(),
}
UP: dict[str, Any] = {
    "session_key_id": "AZ5x",
    "f_port": 2,
    "f_cnt": 7,
    "received_at": SERVER,
    "decoded_payload": {"temperature": 21.5},
}


def decode(sent: object, topic: str = TOPIC, **options: Any) -> Decoded:  # noqa: ANN401 - any JSON
    payload = sent if isinstance(sent, bytes) else msgspec.json.encode(sent)
    return CODEC.decode(Arrived(topic, payload, 0, "city", options=options))


def uplink(top: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    up = {name: value for name, value in {**UP, **changed}.items() if value is not None}
    return {"end_device_ids": IDS, "uplink_message": up, **(top or {})}


def values(decoded: Decoded) -> dict[str, Any]:
    return {each.quantity: each.value for each in decoded.observations}


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"{", MessageReason.JSON_SYNTAX),
        (b"7", MessageReason.MISSING_FIELD),
        ({}, MessageReason.MISSING_FIELD),
        ({"end_device_ids": IDS}, MessageReason.MISSING_FIELD),
        (uplink({"end_device_ids": {"device_id": "bin-1"}}), MessageReason.MISSING_FIELD),
        (uplink({"end_device_ids": {"dev_eui": "70B3"}}), MessageReason.BAD_DEVICE_ID),
        (
            uplink({"end_device_ids": {**IDS, "dev_eui": "", "device_id": "a\u200bb"}}),
            MessageReason.BAD_DEVICE_ID,
        ),
        (uplink({"end_device_ids": {**IDS, "device_id": "x"}}), MessageReason.DEVICE_MISMATCH),
        (uplink(received_at="noon"), MessageReason.BAD_TIME),
        (uplink(decoded_payload=[1]), MessageReason.MISSING_FIELD),
        (uplink(decoded_payload=None, frm_payload="AWc="), MessageReason.NO_PAYLOAD_CODEC),
        (uplink(decoded_payload=None), MessageReason.NO_PAYLOAD_CODEC),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_bad_message_has_one_reason(sent: object, reason: MessageReason) -> None:
    with pytest.raises(MessageError) as caught:
        decode(sent)
    assert caught.value.reason == reason
    assert caught.value.words


def test_a_payload_is_refused_with_the_reason_of_its_codec() -> None:
    for payload, reason in (
        ("AWc=", MessageReason.LPP_TRUNCATED),
        ("AfAB", MessageReason.LPP_UNKNOWN_TYPE),
        ("*", MessageReason.BASE64),
    ):
        with pytest.raises(MessageError) as caught:
            decode(uplink(decoded_payload={}, frm_payload=payload), payload_codec="cayenne-lpp")
        assert (caught.value.reason, caught.value.device) == (reason, EUI)


def test_a_device_without_an_eui_is_named_by_application_and_device() -> None:
    ids = {**IDS, "dev_eui": "", "device_id": "bin:1"}
    assert decode(uplink({"end_device_ids": ids}), "any/topic").device == "waste:bin%3A1"


@pytest.mark.parametrize("member", ["join_accept", "downlink_queued", "location_solved"])
def test_what_is_no_uplink_is_a_control_message(member: str) -> None:
    assert decode({"end_device_ids": IDS, member: {}}) == Decoded(device=EUI)
    assert decode(b"") == Decoded()


def test_times_fall_back_from_the_network_to_the_application_to_nothing() -> None:
    gateways = [{"time": "2026-03-04T10:15:29Z"}, {"time": "2026-03-04T10:15:28Z"}, {}]
    top = {"received_at": ITEM}
    found = [
        decode(uplink(top, rx_metadata=gateways)),
        decode(uplink(top, received_at=None)),
        decode(uplink(received_at=None)),
        decode(uplink(rx_metadata=gateways), time="gateway"),
        decode(uplink(rx_metadata=[{}]), time="gateway"),
    ]
    assert [each.observations[0].time_us for each in found] == [
        text_us(SERVER), text_us(ITEM), None, text_us("2026-03-04T10:15:28Z"), text_us(SERVER),
    ]  # fmt: skip


def test_a_clock_of_a_gateway_that_nobody_asked_for_does_no_harm() -> None:
    assert values(decode(uplink(rx_metadata=[{"time": "noon"}]))) == {"temperature": 21.5}


def test_the_servers_own_cayenne_decoder_gives_the_same_names_as_ours() -> None:
    sent = {
        "relative_humidity_8": 49.5,
        "gps_12": {"latitude": 52.3655, "longitude": 4.8885, "altitude": 21.54},
        "accelerometer_9": {"x": -0.424},
        "door": True,
    }
    found = decode(uplink(decoded_payload=sent), payload_codec="cayenne-lpp")
    assert [(each.quantity, each.unit) for each in found.observations] == [
        ("humidity_8", "%"), ("latitude_12", "deg"), ("longitude_12", "deg"),
        ("altitude_12", "m"), ("acceleration_x_9", "[g]"), ("door", None),
    ]  # fmt: skip
    assert found.observations[0].metadata["position"]["lat"] == 52.3655


def test_an_id_is_that_of_the_session_and_its_counter() -> None:
    assert decode(uplink()).message_id == f"{EUI}:AZ5x:7"
    assert decode(uplink(f_cnt=None)).message_id == f"{EUI}:AZ5x:0"
    assert decode(uplink(session_key_id=None)).message_id is None


def test_the_first_frame_of_a_session_has_no_counter_in_it() -> None:
    assert decode(uplink(f_cnt=None)).observations[0].metadata["f_cnt"] == 0


def test_a_place_that_a_device_measured_wins_over_one_that_was_set() -> None:
    locations = {"other": {"latitude": 1, "longitude": 1}, "user": {"latitude": 2, "longitude": 3}}
    found = decode(uplink(locations=locations)).observations[0]
    assert found.metadata["position"] == {"lat": 2, "lon": 3}
    sent = {"latitude": 41.5, "longitude": 2.25}
    found = decode(uplink(locations=locations, decoded_payload=sent)).observations[0]
    assert found.metadata["position"] == {"lat": 41.5, "lon": 2.25}


def test_a_gateway_without_a_name_is_not_counted() -> None:
    heard = [{"rssi": -3}, {"gateway_ids": {"eui": "AC1F"}, "rssi": -4, "snr": -1}]
    metadata = decode(uplink(rx_metadata=heard)).observations[0].metadata
    assert (metadata["gateways"], metadata["rssi_dbm"]) == (1, -3)
    assert "gateway" not in metadata


def test_settings_of_a_transmission_are_kept() -> None:
    lora = {"bandwidth": 125_000, "spreading_factor": 9, "coding_rate": "4/5"}
    settings = {"data_rate": {"lora": lora}, "frequency": "868300000"}
    metadata = decode(uplink(settings=settings)).observations[0].metadata
    assert (metadata["frequency_hz"], metadata["spreading_factor"]) == (868_300_000, 9)
    odd = decode(uplink(settings={"frequency": "868.3 MHz"})).observations[0].metadata
    assert "frequency_hz" not in odd


def test_a_simulated_uplink_is_suspect() -> None:
    found = decode(uplink({"simulated": True})).observations[0]
    assert (found.flag, found.metadata["simulated"]) == (Flag.SUSPECT, True)


def test_a_normalized_payload_keeps_units_of_its_schema_and_names_of_the_route() -> None:
    items = [
        {"time": ITEM, "air": {"temperature": 5, "lightIntensity": 9}, "action": {"count": 1}},
        {"battery": 3.1, "soil": {"ec": 2}},
        7,
    ]
    found = decode(
        uplink(normalized_payload=items),
        tts_payload="normalized",
        names={"air_temperature": "outside"},
        units={"soil_ec": "mV"},
    )
    assert [(each.quantity, each.unit, each.time_us) for each in found.observations] == [
        ("outside", "Cel", text_us(ITEM)), ("illuminance", "lx", text_us(ITEM)),
        ("action_count", None, text_us(ITEM)), ("battery_voltage", "V", text_us(SERVER)),
        ("soil_ec", "mV", text_us(SERVER)),
    ]  # fmt: skip
    assert [each.reason for each in found.rejected] == [ObservationReason.NESTED_ARRAY]


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ({"air": {}}, MessageReason.MISSING_FIELD),
        ([{"time": "noon"}], MessageReason.BAD_TIME),
        (None, MessageReason.NO_PAYLOAD_CODEC),
    ],
)
def test_a_normalized_payload_that_is_none_is_refused(items: object, reason: MessageReason) -> None:
    with pytest.raises(MessageError) as caught:
        decode(uplink(normalized_payload=items), tts_payload="normalized")
    assert caught.value.reason == reason
