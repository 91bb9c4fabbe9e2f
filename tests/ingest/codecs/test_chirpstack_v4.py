"""ChirpStack v4: events, times, gateways, payloads, and each reason to refuse."""

import base64
from typing import Any

import msgspec
import pytest

from city.instants import text_us
from city.reasons import MessageReason, ObservationReason
from ingest.codecs.chirpstack_v4 import CODEC
from ingest.codecs.seam import Arrived, Decoded, MessageError

EUI = "24e124136b000001"
TOPIC = f"application/17c82e96/device/{EUI}/event/up"
TIME = "2026-03-04T10:15:30.412873921+00:00"
INFO = {"devEui": EUI, "deviceName": "air 12", "applicationName": "Air", "tags": {"district": "3"}}
UPLINK: dict[str, Any] = {
    "deduplicationId": "0b6c9a4e",
    "deviceInfo": INFO,
    "time": TIME,
    "fPort": 2,
    "object": {"temperature": 21.5},
}


def decode(sent: object, topic: str = TOPIC, **options: Any) -> Decoded:  # noqa: ANN401 - any JSON
    payload = sent if isinstance(sent, bytes) else msgspec.json.encode(sent)
    return CODEC.decode(Arrived(topic, payload, 0, "city", options=options))


def raw(payload: str, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    rest = {name: value for name, value in UPLINK.items() if name != "object"}
    return {**rest, "data": payload, **members}


def values(decoded: Decoded) -> dict[str, Any]:
    return {each.quantity: each.value for each in decoded.observations}


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"{", MessageReason.JSON_SYNTAX),
        (b"[1]", MessageReason.MISSING_FIELD),
        (b'{"a":"\xff"}', MessageReason.UTF8),
        (b'{"a":\0}', MessageReason.NUL_BYTE),
        (b"[" * 99, MessageReason.JSON_DEPTH),
        (b'{"deviceInfo":{"devEui":NaN}}', MessageReason.JSON_NONFINITE),
        (b'{"deviceInfo":{},"deviceInfo":{}}', MessageReason.JSON_DUPLICATE_KEY),
        (b"\x0a\x24" + b"0b6c9a4e-7a1f-4b0d-9b39-6a2d1b3f7c11", MessageReason.NO_CODEC),
        ({}, MessageReason.MISSING_FIELD),
        ({"deviceInfo": {"devEui": "24e1"}}, MessageReason.BAD_DEVICE_ID),
        ({"deviceInfo": {"devEui": "24e124136b000002"}}, MessageReason.DEVICE_MISMATCH),
        ({**UPLINK, "time": "yesterday"}, MessageReason.BAD_TIME),
        ({**UPLINK, "time": 5}, MessageReason.BAD_TIME),
        ({**UPLINK, "object": [1]}, MessageReason.MISSING_FIELD),
        ({**UPLINK, "object": {f"a{at}": at for at in range(1_001)}}, MessageReason.TOO_MANY),
        (raw("AWcA1w=="), MessageReason.NO_PAYLOAD_CODEC),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_bad_message_has_one_reason(sent: object, reason: MessageReason) -> None:
    with pytest.raises(MessageError) as caught:
        decode(sent)
    assert caught.value.reason == reason
    assert caught.value.words


@pytest.mark.parametrize(
    ("payload", "codec", "reason"),
    [
        ("AWcA1w==", "nobody", MessageReason.NO_PAYLOAD_CODEC),
        ("AWcA1w==", {"3": "cayenne-lpp"}, MessageReason.NO_PAYLOAD_CODEC),
        ("AWcA1*==", "cayenne-lpp", MessageReason.BASE64),
        ("AWcA1", "cayenne-lpp", MessageReason.BASE64),
        (7, "cayenne-lpp", MessageReason.BASE64),
        ("AWcA", "cayenne-lpp", MessageReason.LPP_TRUNCATED),
        ("AfAB", "cayenne-lpp", MessageReason.LPP_UNKNOWN_TYPE),
        ("AWcA1w==", 7, MessageReason.NO_CODEC),
    ],
)
def test_a_bad_payload_has_one_reason(payload: Any, codec: Any, reason: MessageReason) -> None:  # noqa: ANN401 - any JSON
    with pytest.raises(MessageError) as caught:
        decode(raw(payload), payload_codec=codec)
    assert (caught.value.reason, caught.value.device) == (reason, EUI)


@pytest.mark.parametrize("payload", ["AWcA1w==", "AWcA1w", "AWcA\n1w==", "AWcA1w="])
def test_base64_is_read_however_it_is_padded(payload: str) -> None:
    found = decode(raw(payload), payload_codec={"2": "cayenne-lpp"})
    assert values(found) == {"temperature_1": 21.5}


def test_both_alphabets_of_base64_are_read() -> None:
    frame = bytes([0xFB, 0x67, 0xFF, 0xFE])
    for text in (base64.b64encode(frame), base64.urlsafe_b64encode(frame)):
        found = decode(raw(text.decode()), payload_codec="cayenne-lpp")
        assert values(found) == {"temperature_251": -0.2}


def test_a_payload_is_read_by_the_layout_that_the_route_names() -> None:
    layout: dict[str, Any] = {
        "length": {"min": 3},
        "values": [
            {"quantity": "fill_level", "bytes": [0, 1], "unit": "%", "missing": [255]},
            {"quantity": "distance", "bytes": [1, 2], "unit": "mm", "interval_s": 60},
        ],
        "metadata": {"hardware": {"bytes": [-1, 1], "bits": [4, 4]}},
    }
    options: dict[str, Any] = {"payload_codec": {"2": "bins"}, "layouts": {"bins": layout}}
    found = decode(raw("IgMsIA=="), **options)
    assert values(found) == {"fill_level": 34, "distance": 812}
    level, distance = found.observations
    assert (level.time_us, distance.end_us) == (text_us(TIME), text_us(TIME))
    assert level.metadata["hardware"] == 2
    nothing: dict[str, Any] = {}
    for payload, layouts, reason in (
        ("IgM=", options["layouts"], MessageReason.MAPPING_LENGTH),
        ("", options["layouts"], MessageReason.MAPPING_LENGTH),
        ("IgMs", nothing, MessageReason.NO_PAYLOAD_CODEC),
        ("IgMs", {"bins": nothing}, MessageReason.NO_CODEC),
    ):
        with pytest.raises(MessageError) as caught:
            decode(raw(payload), payload_codec="bins", layouts=layouts)
        assert caught.value.reason == reason


def test_the_servers_decoder_wins_over_the_payload() -> None:
    found = decode({**UPLINK, "data": "*"}, payload_codec="cayenne-lpp")
    assert values(found) == {"temperature": 21.5}
    assert found.message_id == "0b6c9a4e"


def test_a_frame_without_a_payload_is_a_control_message() -> None:
    silent = raw("")
    del silent["fPort"]
    for sent in (silent, raw("AWcA1w==", fPort=0)):
        found = decode(sent)
        assert (found.observations, found.device) == ([], EUI)


@pytest.mark.parametrize("event", ["join", "ack", "txack", "log", "integration"])
def test_events_without_measurements_are_control_messages(event: str) -> None:
    found = decode({"deviceInfo": INFO, "level": "ERROR"}, TOPIC.replace("/up", f"/{event}"))
    assert found == Decoded(device=EUI)


def test_nothing_at_all_is_a_control_message_of_the_topics_device() -> None:
    assert decode(b"") == Decoded(device=EUI)
    assert decode(b" ", "any/topic") == Decoded()


def test_a_location_is_measured_by_the_network() -> None:
    place = {"latitude": 41.5, "altitude": 12.5}
    found = decode(
        {"deviceInfo": INFO, "time": TIME, "location": place}, TOPIC.replace("/up", "/location")
    )
    assert values(found) == {"latitude": 41.5, "longitude": 0, "altitude": 12.5}
    assert {each.unit for each in found.observations} == {"deg", "m"}
    assert found.observations[0].metadata["source"] == "network"
    assert found.observations[0].metadata["position"] == {"lat": 41.5, "lon": 0, "alt": 12.5}
    with pytest.raises(MessageError) as caught:
        decode({"deviceInfo": INFO}, TOPIC.replace("/up", "/location"))
    assert caught.value.reason == MessageReason.MISSING_FIELD


def test_an_event_is_told_by_its_members_on_another_topic() -> None:
    assert values(decode(UPLINK, "a/b/log")) == {"temperature": 21.5}
    assert values(decode({"deviceInfo": INFO, "margin": 3}, "a/b")) == {"link_margin": 3}
    with pytest.raises(MessageError) as caught:
        decode({"deviceInfo": INFO}, "a/b")
    assert caught.value.reason == MessageReason.MISSING_FIELD


def test_times_fall_back_from_the_server_to_the_gateways_to_nothing() -> None:
    early, late = "2026-03-04T10:15:29Z", "2026-03-04T10:15:31Z"
    gateways = [{"nsTime": late, "gwTime": early}, {"gwTime": late}]
    times = [
        decode({**UPLINK, **changed}).observations[0].time_us
        for changed in (
            {},
            {"time": None, "rxInfo": gateways},
            {"time": None, "rxInfo": [{"gwTime": late}, {"gwTime": early}]},
            {"time": None},
        )
    ]
    assert times == [text_us(TIME), text_us(late), text_us(early), None]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([[1]], ObservationReason.NESTED_ARRAY),
        ([{"a": 1}], ObservationReason.NESTED_ARRAY),
        ("x" * 1_025, ObservationReason.TEXT_TOO_LONG),
        (2**64, ObservationReason.INTEGER_RANGE),
    ],
    ids=str,
)
def test_a_bad_value_is_rejected_alone(value: object, reason: ObservationReason) -> None:
    found = decode({**UPLINK, "object": {"bad": value, "good": 1}})
    assert values(found) == {"good": 1}
    assert [(each.quantity, each.reason) for each in found.rejected] == [("bad", reason)]


def test_a_name_that_is_none_is_rejected_alone() -> None:
    found = decode({**UPLINK, "object": {"---": 1, "y" * 65: 1, "good": 1}})
    assert values(found) == {"good": 1}
    assert {each.reason for each in found.rejected} == {ObservationReason.BAD_QUANTITY}


def test_elements_beyond_the_sixty_fourth_are_counted_only() -> None:
    found = decode({**UPLINK, "object": {"a": [0, None, *range(2, 70)]}})
    assert len(found.observations) == 63
    assert found.ignored == 6


def test_a_measured_place_is_kept_beside_every_value() -> None:
    sent = {"gps": 1, "latitude": 41.5, "longitude": 2.25}
    found = decode({**UPLINK, "object": sent})
    assert found.observations[0].metadata["position"] == {"lat": 41.5, "lon": 2.25}
    nowhere = decode({**UPLINK, "object": {"latitude": 0, "longitude": 0.0, "altitude": 0}})
    assert nowhere.observations == []


def test_a_metadata_member_of_another_kind_is_left_out() -> None:
    odd = {"rxInfo": [3, {"snr": "x", "rssi": True, "gatewayId": 4}], "fCnt": 1.5, "txInfo": 3}
    metadata = decode({**UPLINK, **odd}).observations[0].metadata
    assert metadata == {
        "device_name": "air 12", "application": "Air", "tags": {"district": "3"}, "f_port": 2,
        "snr_db": 0, "gateways": 0,
    }  # fmt: skip
