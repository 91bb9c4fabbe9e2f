"""Tasmota: topics, clocks, units that another member tells, and reasons to refuse."""

from typing import Any

import msgspec
import pytest

from city.instants import text_us
from city.reasons import MessageReason, Note, ObservationReason
from ingest.codecs.seam import Arrived, Decoded, MessageError
from ingest.codecs.tasmota import CODEC

TOPIC = "tele/plug-7/SENSOR"


def decode(sent: object, topic: str = TOPIC, **options: Any) -> Decoded:  # noqa: ANN401 - any JSON
    payload = sent if isinstance(sent, bytes) else msgspec.json.encode(sent)
    message = Arrived(topic, payload, 0, "city", timezone="Europe/Madrid", options=options)
    return CODEC.decode(message)


def rows(decoded: Decoded) -> list[tuple[str, Any, str | None]]:
    return [(each.quantity, each.value, each.unit) for each in decoded.observations]


@pytest.mark.parametrize(
    ("sent", "topic", "options", "reason"),
    [
        (b"{", TOPIC, {}, MessageReason.JSON_SYNTAX),
        (b"{} {}", TOPIC, {}, MessageReason.JSON_SYNTAX),
        (b'{"a":1e999}', TOPIC, {}, MessageReason.JSON_NONFINITE),
        (b'{"a":"\\ud800"}', TOPIC, {}, MessageReason.UTF8),
        (b"7", TOPIC, {}, MessageReason.MISSING_FIELD),
        ({"Time": "yesterday"}, TOPIC, {}, MessageReason.BAD_TIME),
        ({"Time": [1]}, TOPIC, {}, MessageReason.BAD_TIME),
        ({"Time": -1}, TOPIC, {}, MessageReason.BAD_TIME),
        ({}, "tele//SENSOR", {}, MessageReason.BAD_DEVICE_ID),
        ({}, TOPIC, {"device_level": 4}, MessageReason.MISSING_DEVICE),
        ({}, TOPIC, {"device_level": "2"}, MessageReason.NO_CODEC),
        ({"Time": "2026-03-04T10:15:30"}, TOPIC, {"demand_observations": True},
         MessageReason.NO_OBSERVATIONS),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_a_bad_message_has_one_reason(
    sent: object, topic: str, options: dict[str, Any], reason: MessageReason
) -> None:
    with pytest.raises(MessageError) as caught:
        decode(sent, topic, **options)
    assert caught.value.reason == reason
    assert caught.value.words


@pytest.mark.parametrize(
    ("sent", "time", "notes"),
    [
        ({"Time": "2026-07-01T12:00:00"}, "2026-07-01T10:00:00Z", []),
        ({"Time": "2026-07-01T12:00:00+01:00"}, "2026-07-01T11:00:00Z", []),
        ({"Time": "2018.02.04 23:17:01"}, "2018-02-04T22:17:01Z", []),
        ({"Time": "2026-07-01T12:00:00", "Epoch": 1772619330}, "2026-03-04T10:15:30Z", []),
        ({"Time": "1970-01-01T00:00:14"}, "1970-01-01T00:00:14Z", []),
        ({"Time": 1772619330}, "2026-03-04T10:15:30Z", []),
        ({"Time": 1772619330123}, "2026-03-04T10:15:30.123Z", []),
        ({"Time": "2026-10-25T02:30:00"}, "2026-10-25T00:30:00Z", [Note.TIME_AMBIGUOUS]),
        ({"Time": "2026-03-29T02:30:00"}, "2026-03-29T01:30:00Z", [Note.TIME_AMBIGUOUS]),
    ],
    ids=str,
)
def test_a_time_is_local_unless_it_says_otherwise(
    sent: dict[str, Any], time: str, notes: list[Note]
) -> None:
    (found,) = decode({**sent, "A": {"Humidity": 1}}).observations
    assert (found.time_us, found.metadata.get("notes", [])) == (text_us(time), notes)


def test_other_members_tell_units() -> None:
    sent = {
        "A": {"Temperature": 70.5, "SeaPressure": 29.9, "Speed": 3, "DewPoint": None},
        "TempUnit": "F", "PressureUnit": "inHg", "SpeedUnit": "km/h",
    }  # fmt: skip
    assert rows(decode(sent)) == [
        ("temperature_a", 70.5, "[degF]"), ("sea_pressure_a", 29.9, "[in_i'Hg]"),
        ("speed_a", 3, "km/h"),
    ]  # fmt: skip


@pytest.mark.parametrize(("vcc", "unit"), [(3.423, "V"), (3423, "mV"), (100, "V"), (100.1, "mV")])
def test_a_supply_is_in_volts_or_millivolts(vcc: float, unit: str) -> None:
    found = decode({"Vcc": vcc, "Wifi": {"SSId": "home", "BSSId": "AA"}}, "tele/x/STATE")
    assert rows(found) == [("supply_voltage", vcc, unit)]
    assert "home" not in str(found)


def test_of_results_only_switches_are_read_and_the_rest_is_control() -> None:
    result = {"POWER2": "ON", "Dimmer": 30, "POWER": "TOGGLED"}
    assert rows(decode(result, "stat/x/RESULT")) == [
        ("power_2", True, None), ("power_state", "TOGGLED", None),
    ]  # fmt: skip
    for topic in ("tele/x/LWT", "tele/x/INFO1", "stat/x/POWER"):
        assert decode(b"Offline", topic) == Decoded(device="x")
    assert decode(b"") == Decoded(device="plug-7")


def test_what_the_table_has_not_keeps_its_name_and_odd_members_are_counted() -> None:
    found = decode({"z": {"Pi": 1, "Po": {"a": 2}, "Bad": [[1]]}, "Loose": 3, "Switch1": "ON"})
    assert rows(found) == [("pi_z", 1, None), ("po_a_z", 2, None), ("switch_1", True, None)]
    assert (found.ignored, [each.reason for each in found.rejected]) == (
        1, [ObservationReason.NESTED_ARRAY],
    )  # fmt: skip


def test_devices_behind_a_coordinator_are_devices() -> None:
    sent = {"ZbReceived": {"0x4F2E": {"Name": "front door", "Contact": 0, "LinkQuality": 70}}}
    (found,) = decode(sent).observations
    assert (found.device, found.quantity, found.metadata) == (
        "plug-7:front%20door", "contact", {"link_quality": 70},
    )  # fmt: skip
