"""ChirpStack v3: two JSON shapes, lines of logs, ids, times, and each reason to refuse."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.instants import text_us
from city.reasons import MessageReason
from ingest.codecs.chirpstack_v3 import CODEC
from ingest.codecs.chirpstack_v3.ids import hexadecimal
from ingest.codecs.seam import Arrived, Decoded, MessageError

EUI = "24e124136b000002"
EUI_BASE64 = "JOEkE2sAAAI="
TOPIC = f"application/7/device/{EUI}/event/up"
UPLINK: dict[str, Any] = {
    "applicationID": "7",
    "deviceName": "g",
    "devEUI": EUI,
    "fCnt": 10,
    "fPort": 5,
    "data": "AWcA1w==",
    "object": {"temperature": 21.5},
}


def decode(sent: object, topic: str = TOPIC, **options: Any) -> Decoded:  # noqa: ANN401 - any JSON
    payload = sent if isinstance(sent, bytes) else msgspec.json.encode(sent)
    return CODEC.decode(Arrived(topic, payload, 0, "city", options=options))


def raw(payload: object, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    rest = {name: value for name, value in UPLINK.items() if name != "object"}
    return {**rest, "data": payload, **members}


def values(decoded: Decoded) -> dict[str, Any]:
    return {each.quantity: each.value for each in decoded.observations}


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"{", MessageReason.JSON_SYNTAX),
        (b"7", MessageReason.MISSING_FIELD),
        ({}, MessageReason.MISSING_FIELD),
        ({**UPLINK, "devEUI": "JOEkE2sAAA=="}, MessageReason.BAD_DEVICE_ID),
        ({**UPLINK, "devEUI": "24e124136b000003"}, MessageReason.DEVICE_MISMATCH),
        ({**UPLINK, "object": "x"}, MessageReason.MISSING_FIELD),
        ({**UPLINK, "rxInfo": [{"time": "noon"}]}, MessageReason.BAD_TIME),
        ({**UPLINK, "publishedAt": "noon"}, MessageReason.BAD_TIME),
        ({**UPLINK, "_timestamp": -1}, MessageReason.BAD_TIME),
        (raw("AWcA1w=="), MessageReason.NO_PAYLOAD_CODEC),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_bad_message_has_one_reason(sent: object, reason: MessageReason) -> None:
    with pytest.raises(MessageError) as caught:
        decode(sent)
    assert caught.value.reason == reason
    assert caught.value.words


@pytest.mark.parametrize("text", ["{", "[1]", '{"a":NaN}', '{"a":1,"a":2}', "[" * 99, 7])
def test_an_object_in_a_text_is_held_to_the_same_strictness(text: object) -> None:
    with pytest.raises(MessageError) as caught:
        decode(raw("AWcA1w==", objectJSON=text), payload_codec="cayenne-lpp")
    assert caught.value.reason == MessageReason.JSON_SYNTAX
    assert "objectJSON" in caught.value.words


def test_an_empty_object_in_a_text_leaves_the_payload() -> None:
    for text in ("", "{}", None):
        found = decode(raw("AWcA1w==", objectJSON=text), payload_codec="cayenne-lpp")
        assert values(found) == {"temperature_1": 21.5}


@pytest.mark.parametrize("sent", [EUI, EUI.upper(), EUI_BASE64, "24-E1-24-13-6B-00-00-02"])
def test_a_device_is_one_however_it_is_written(sent: str) -> None:
    assert decode({**UPLINK, "devEUI": sent}).device == EUI


@given(st.binary(min_size=8, max_size=8))
def test_an_id_is_the_same_in_hexadecimal_and_base64(eui: bytes) -> None:
    text = msgspec.json.decode(msgspec.json.encode(eui))
    assert hexadecimal(text, 8) == hexadecimal(eui.hex().upper(), 8) == eui.hex()


def test_an_id_that_is_neither_stays_as_it_is() -> None:
    assert hexadecimal("5f2b0c9d7e1a4b3c8d6e0f1a2b3c4d5e", 8) == "5f2b0c9d7e1a4b3c8d6e0f1a2b3c4d5e"
    assert hexadecimal("AaurzQ==", 4) == hexadecimal("01ABABCD", 4) == "01ababcd"
    assert hexadecimal(7, 4) is None


@pytest.mark.parametrize(
    ("topic", "said", "count"),
    [
        ("application/7/device/24e124136b000002/rx", None, 1),
        ("application/7/device/24e124136b000002/event/status", "application/rx", 1),
        ("campus/application/rx", None, 1),
        ("any/log", None, 1),
        ("any/log", "application/join", 0),
        ("application/7/device/24e124136b000002/event/join", None, 0),
        ("application/7/device/24e124136b000002/error", None, 0),
    ],
)
def test_a_line_of_a_log_tells_its_event_and_else_the_topic(
    topic: str, said: str | None, count: int
) -> None:
    assert len(decode({**UPLINK, "_topic": said}, topic).observations) == count


def test_an_event_that_nobody_tells_is_refused() -> None:
    with pytest.raises(MessageError) as caught:
        decode({"devEUI": EUI}, "any/log")
    assert caught.value.reason == MessageReason.MISSING_FIELD


def test_nothing_at_all_is_a_control_message() -> None:
    assert decode(b"") == Decoded(device=EUI)


def test_how_a_payload_is_written_is_never_guessed_from_its_characters() -> None:
    frame, lpp = "016700d7", {"payload_codec": "cayenne-lpp"}
    assert values(decode(raw(frame, _topic="application/rx"), **lpp)) == {"temperature_1": 21.5}
    assert values(decode(raw(frame), data="hex", **lpp)) == {"temperature_1": 21.5}
    for sent, options, reason in (
        (raw(frame), {}, MessageReason.LPP_UNKNOWN_TYPE),
        (raw("0167 00d", _topic="application/rx"), {}, MessageReason.BASE64),
        (raw("AWcA1w==", _topic="application/rx"), {}, MessageReason.BASE64),
        (raw(7, _topic="application/rx"), {}, MessageReason.BASE64),
        (raw("AWcA1w=", _topic="application/rx"), {"data": "base64"}, None),
    ):
        if reason is None:
            assert values(decode(sent, **options, **lpp)) == {"temperature_1": 21.5}
            continue
        with pytest.raises(MessageError) as caught:
            decode(sent, **options, **lpp)
        assert caught.value.reason == reason


def test_what_a_publisher_added_is_left_out_at_any_depth() -> None:
    sent = {"temperature": 1, "_esp": 2, "air": {"_q": 3, "no2": 4}}
    line = decode({**UPLINK, "object": sent, "_date": "2026-03-04T10:15:30.095Z"})
    assert values(line) == {"temperature": 1, "air_no2": 4}
    assert values(decode({**UPLINK, "object": sent})) == {
        "temperature": 1, "esp": 2, "air_q": 3, "air_no2": 4,
    }  # fmt: skip


def test_times_fall_back_from_gateways_to_publication_to_nothing() -> None:
    early, late = "2026-03-04T10:15:29Z", "2026-03-04T10:15:31Z"
    sent = {
        "rxInfo": [{"time": late}, {"time": None}, {"time": early}],
        "publishedAt": late,
        "_timestamp": 1_772_619_330_095,
        "_date": early,
    }
    times: list[int | None] = []
    for missing in (*sent, ""):
        times.append(decode({**UPLINK, **sent}).observations[0].time_us)
        sent.pop(missing, None)
    assert times == [text_us(early), text_us(late), 1_772_619_330_095_000, text_us(early), None]


def test_a_status_gives_the_battery_only_where_there_is_one() -> None:
    topic = TOPIC.replace("/up", "/status")
    sent: dict[str, Any] = {"devEUI": EUI, "batteryLevel": 88.5, "margin": -17}
    found = decode(sent, topic)
    assert [(each.quantity, each.value, each.unit) for each in found.observations] == [
        ("battery_level", 88.5, "%"), ("link_margin", -17, "dB"),
    ]  # fmt: skip
    for flag in ("batteryLevelUnavailable", "externalPowerSource"):
        assert values(decode({**sent, flag: True}, topic)) == {"link_margin": -17}
    assert decode({"devEUI": EUI}, topic).observations == []


def test_a_solved_location_is_measured_by_the_network() -> None:
    place = {"latitude": 41.5, "longitude": 2.25, "altitude": 0}
    found = decode({"devEUI": EUI, "location": place}, TOPIC.replace("/up", "/location"))
    assert values(found) == place
    assert found.observations[0].metadata["source"] == "network"


def test_two_publications_of_a_frame_share_an_id_and_two_frames_do_not() -> None:
    def name(**changed: Any) -> str | None:  # noqa: ANN401 - any JSON
        return decode({**UPLINK, **changed}).message_id

    assert name() == name(rxInfo=[{"gatewayID": "ABbAAfFToUw=", "rssi": -3}])
    assert name(devAddr="AaurzQ==") == name(devAddr="01ababcd")
    others = [name(), name(fCnt=11), name(data="AWcA2A=="), name(devAddr="01ababcd")]
    assert len(set(others)) == len(others)
    assert name(fCnt=None) is None


def test_an_id_holds_for_a_minute_since_a_reset_device_counts_anew() -> None:
    def ids(seconds: int) -> list[str]:
        found = decode({**UPLINK, "_timestamp": (1_693_884_200 + seconds) * 1_000})
        return [found.message_id or "", *found.near_ids]

    for seconds in range(0, 60, 7):
        assert ids(seconds)[0] in {*ids(seconds + 60)} & {*ids(seconds - 60)}
        assert ids(seconds)[0] not in ids(seconds + 120) + ids(seconds - 120)


def test_the_best_gateway_is_the_one_that_heard_it_clearest() -> None:
    heard = [
        {"gatewayID": "ABbAAfFToUw=", "rssi": -40, "loRaSNR": 0},
        {"gatewayID": "hash-of-another", "rssi": -30},
        {"gatewayID": "worse", "rssi": -10, "loRaSNR": -2},
    ]
    modulation = {"bandwidth": 125, "spreadingFactor": 11, "codeRate": "4/5"}
    sent = {**UPLINK, "rxInfo": heard, "txInfo": {"loRaModulationInfo": modulation}}
    assert decode(sent).observations[0].metadata == {
        "application_id": "7", "device_name": "g", "f_cnt": 10, "f_port": 5,
        "gateway": "hash-of-another", "rssi_dbm": -30, "snr_db": 0, "gateways": 3,
        "bandwidth_hz": 125_000, "spreading_factor": 11, "coding_rate": "4/5",
    }  # fmt: skip
