"""One message of The Things Stack v3, with every rule of formats.md section 4."""

from typing import Any, Final

from city.flags import Flag
from city.identity import joined_id
from city.reasons import MessageReason
from ingest.codecs.lorawan import Reception, Uplink, device_eui, payload_of, place_of, radio_of
from ingest.codecs.measures import Measures
from ingest.codecs.members import (
    integer_of,
    members_of,
    number_of,
    object_of,
    objects_of,
    read_object,
    text_of_member,
    time_of,
)
from ingest.codecs.profile import Profile, profile_of
from ingest.codecs.seam import Arrived, Decoded, MessageError
from ingest.codecs.tts_v3.normalized import read_normalized

__all__ = ["CODEC", "TheThingsStackCodec"]

# Members of messages that are no uplinks; `downlink_` goes on in several ways.
CONTROL: Final = ("join_accept", "downlink_", "location_solved", "service_data")
KEPT: Final = {
    "confirmed": "confirmed",
    "decoded_payload_warnings": "decoded_payload_warnings",
    "last_battery_percentage": "last_battery_percentage",
    "network_ids": "network_ids",
    "version_ids": "version_ids",
    "attributes": "attributes",
    "consumed_airtime": "consumed_airtime",
}


class TheThingsStackCodec:
    """`ingest.codecs.seam.Codec` for The Things Stack v3."""

    options: Final = Profile

    def decode(self, message: Arrived) -> Decoded:
        """Read a message. See `Codec.decode`."""
        named = _named_by(message.topic)
        if not message.payload.strip():
            return Decoded()
        sent = read_object(message.payload)
        ids = members_of(sent.get("end_device_ids"))
        device = _device(ids)
        try:
            _check_topic(ids, named)
            return _message(message, sent, ids, device)
        except MessageError as error:
            raise MessageError(error.reason, error.words, device=device) from None


def _named_by(topic: str) -> str | None:
    """Return the device id of `.../v3/{application}/devices/{id}/...`; None where it has none."""
    levels = topic.split("/")
    return next(
        (
            levels[at + 3]
            for at in range(len(levels) - 3)
            if levels[at] == "v3" and levels[at + 2] == "devices"
        ),
        None,
    )


def _device(ids: dict[str, Any]) -> str:
    if not ids:
        raise MessageError(MessageReason.MISSING_FIELD, "`end_device_ids` is missing or no object")
    if ids.get("dev_eui"):
        return device_eui(ids["dev_eui"], "end_device_ids.dev_eui")
    names = (_application(ids), text_of_member(ids.get("device_id")))
    parts = [each for each in names if each]
    if len(parts) < len(names):
        words = "`end_device_ids` has no `dev_eui`, and not both of application and device id"
        raise MessageError(MessageReason.MISSING_FIELD, words)
    device = joined_id(parts)
    if device is None:
        raise MessageError(MessageReason.BAD_DEVICE_ID, f"no device can be named by {parts!r}")
    return device


def _application(ids: dict[str, Any]) -> str | None:
    return text_of_member(members_of(ids.get("application_ids")).get("application_id"))


def _check_topic(ids: dict[str, Any], named: str | None) -> None:
    said = text_of_member(ids.get("device_id"))
    if named is not None and said is not None and named != said:
        words = f"the payload says {said[:64]!r}, the topic says {named!r}"
        raise MessageError(MessageReason.DEVICE_MISMATCH, words)


def _message(message: Arrived, sent: dict[str, Any], ids: dict[str, Any], device: str) -> Decoded:
    if not isinstance(sent.get("uplink_message"), dict):
        if any(name.startswith(CONTROL) for name in sent):
            return Decoded(device=device)
        raise MessageError(MessageReason.MISSING_FIELD, "`uplink_message` is missing or no object")
    profile = profile_of(message)
    uplink = _uplink(sent, ids, device, profile)
    if profile.tts_payload == "normalized":
        items = members_of(sent["uplink_message"]).get("normalized_payload")
        if items:
            measures = Measures()
            read_normalized(items, profile, measures)
            return measures.decoded(
                device, time_us=uplink.time_us, metadata=uplink.metadata,
                message_id=uplink.message_id, flag=uplink.flag,
            )  # fmt: skip
    return uplink.read(profile)


def _uplink(sent: dict[str, Any], ids: dict[str, Any], device: str, profile: Profile) -> Uplink:
    up = members_of(sent["uplink_message"])
    receptions = objects_of(up.get("rx_metadata"))
    simulated = sent.get("simulated") is True
    found = {
        "device_name": text_of_member(ids.get("device_id")),
        "application": _application(ids),
        "dev_addr": text_of_member(ids.get("dev_addr")),
        # The server leaves out what is 0.
        "f_cnt": integer_of(up.get("f_cnt", 0)),
        "f_port": integer_of(up.get("f_port")),
        **{ours: up.get(name) for name, ours in KEPT.items()},
        **_transmission(members_of(up.get("settings"))),
        **radio_of(map(_reception, receptions)),
        "position": _position(members_of(up.get("locations"))) or None,
        "simulated": simulated or None,
    }
    normalized = profile.tts_payload == "normalized"
    return Uplink(
        device=device,
        time_us=_time(sent, up, receptions, profile),
        metadata={name: value for name, value in found.items() if value is not None},
        decoded={} if normalized else object_of(up.get("decoded_payload"), "decoded_payload"),
        read_raw=payload_of(up.get("frm_payload"), "uplink_message.frm_payload"),
        port=integer_of(up.get("f_port")),
        message_id=_message_id(up, device),
        flag=Flag.SUSPECT if simulated else Flag.NOT_EVALUATED,
    )


def _time(
    sent: dict[str, Any], up: dict[str, Any], receptions: list[dict[str, Any]], profile: Profile
) -> int | None:
    if profile.time == "gateway":
        times = [time_of(each.get("time"), "rx_metadata[].time") for each in receptions]
        heard = [each for each in times if each is not None]
        if heard:
            return min(heard)
    time_us = time_of(up.get("received_at"), "uplink_message.received_at")
    return time_of(sent.get("received_at"), "received_at") if time_us is None else time_us


def _message_id(up: dict[str, Any], device: str) -> str | None:
    """Return what tells a frame from all others of its device; None for a simulated one."""
    session, count = text_of_member(up.get("session_key_id")), integer_of(up.get("f_cnt", 0))
    return None if session is None or count is None else f"{device}:{session}:{count}"


def _reception(sent: dict[str, Any]) -> Reception:
    ids = members_of(sent.get("gateway_ids"))
    return Reception(
        text_of_member(ids.get("gateway_id")) or text_of_member(ids.get("eui")),
        number_of(sent.get("rssi")),
        number_of(sent.get("snr")),
    )


def _transmission(settings: dict[str, Any]) -> dict[str, Any]:
    lora = members_of(members_of(settings.get("data_rate")).get("lora"))
    frequency = text_of_member(settings.get("frequency"))
    return {
        # 64-bit integers are text in JSON of Protocol Buffers.
        "frequency_hz": int(frequency) if frequency and _is_digits(frequency) else None,
        "bandwidth_hz": integer_of(lora.get("bandwidth")),
        "spreading_factor": integer_of(lora.get("spreading_factor")),
        "coding_rate": text_of_member(lora.get("coding_rate")),
    }


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(1 << 63))


def _position(locations: dict[str, Any]) -> dict[str, float]:
    """Return where the server believes the device: what its user set wins."""
    for each in (locations.get("user"), *locations.values()):
        place = place_of(members_of(each))
        if place:
            return place
    return {}


CODEC: Final = TheThingsStackCodec()
