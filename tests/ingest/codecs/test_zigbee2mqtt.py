"""Zigbee2MQTT: friendly names, units that depend on the power supply, and reasons to refuse."""

from typing import Any

import msgspec
import pytest

from city.instants import text_us
from city.reasons import MessageReason, ObservationReason
from ingest.codecs.seam import Arrived, Decoded, MessageError
from ingest.codecs.zigbee2mqtt import CODEC

TOPIC = "zigbee2mqtt/lamp"


def decode(sent: object, topic: str = TOPIC, **options: Any) -> Decoded:  # noqa: ANN401 - any JSON
    payload = sent if isinstance(sent, bytes) else msgspec.json.encode(sent)
    return CODEC.decode(Arrived(topic, payload, 0, "city", options=options))


def rows(decoded: Decoded) -> list[tuple[str, Any, str | None]]:
    return [(each.quantity, each.value, each.unit) for each in decoded.observations]


@pytest.mark.parametrize(
    ("sent", "topic", "reason"),
    [
        (b"{", TOPIC, MessageReason.JSON_SYNTAX),
        (b"21.5", TOPIC, MessageReason.MISSING_FIELD),
        (b'{"a":-Infinity}', TOPIC, MessageReason.JSON_NONFINITE),
        ({"last_seen": "2026-03-04T10:15:30"}, TOPIC, MessageReason.BAD_TIME),
        ({"last_seen": -5}, TOPIC, MessageReason.BAD_TIME),
        ({"last_seen": True}, TOPIC, MessageReason.BAD_TIME),
        ({}, "zigbee2mqtt/", MessageReason.BAD_DEVICE_ID),
        ({}, "zigbee2mqtt/a\u200bb", MessageReason.BAD_DEVICE_ID),
        ({}, "other/lamp", MessageReason.MISSING_DEVICE),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_message_has_one_reason(sent: object, topic: str, reason: MessageReason) -> None:
    with pytest.raises(MessageError) as caught:
        decode(sent, topic)
    assert caught.value.reason == reason
    assert caught.value.words


def test_a_friendly_name_may_have_levels_and_stays_unmistakable() -> None:
    found = {decode({}, f"zigbee2mqtt/{name}").device for name in ("a/b", "a%2Fb", "a b", "a:b")}
    assert found == {"a%2Fb", "a%252Fb", "a%20b", "a:b"}


@pytest.mark.parametrize(
    "topic",
    ["zigbee2mqtt/bridge/state", "zigbee2mqtt/bridge/devices", "zigbee2mqtt/lamp/set",
     "zigbee2mqtt/lamp/get", "zigbee2mqtt/lamp/set/state", "zigbee2mqtt/lamp/availability"],
)  # fmt: skip
def test_talk_about_devices_is_control(topic: str) -> None:
    found = decode(b"online", topic)
    assert (found.observations, found.rejected) == ([], [])


def test_voltage_is_in_millivolts_where_there_is_a_battery() -> None:
    assert rows(decode({"battery": 97, "voltage": 2975}))[1] == ("voltage", 2975, "mV")
    assert rows(decode({"voltage": 229})) == [("voltage", 229, "V")]


def test_endpoints_have_the_unit_of_their_property_and_nothing_else_has() -> None:
    found = decode({"power_l1": 3, "power_factor": 0.9, "temperature_2": 21})
    assert rows(found) == [
        ("power_l1", 3, "W"), ("power_factor", 0.9, None), ("temperature_2", 21, "Cel"),
    ]  # fmt: skip


def test_bare_values_are_read_or_left_to_the_objects_as_the_route_says() -> None:
    topic = "zigbee2mqtt/hall/lamp/power"
    assert rows(decode(b"12.5", topic, output="attribute")) == [("power", 12.5, "W")]
    assert rows(decode(b"ON", topic, output="attribute")) == [("power", "ON", None)]
    (rejected,) = decode(b"nan", topic, output="attribute").rejected
    assert rejected.reason == ObservationReason.NONFINITE
    assert decode(b"12.5", topic, output="attribute_and_json").observations == []
    assert rows(decode({"power": 1}, output="attribute_and_json")) == [("power", 1, "W")]


def test_last_seen_is_the_time_and_members_about_the_message_are_metadata() -> None:
    sent = {"contact": True, "last_seen": 1772619330000, "linkquality": 3, "elapsed": None}
    (found,) = decode(sent).observations
    assert (found.time_us, found.metadata) == (
        text_us("2026-03-04T10:15:30Z"), {"link_quality": 3},
    )  # fmt: skip
    assert decode({"contact": True, "last_seen": None}).observations[0].time_us is None
