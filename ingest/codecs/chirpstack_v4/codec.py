"""One event of a ChirpStack v4 server, with every rule of formats.md section 5."""

from typing import Any, Final

from city.identity import eui
from city.reasons import MessageReason
from ingest.codecs.chirpstack import location, named_by
from ingest.codecs.lorawan import (
    Reception,
    Uplink,
    check_topic_eui,
    device_eui,
    payload_of,
    radio_of,
    status,
)
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

__all__ = ["CODEC", "ChirpStackV4Codec"]

# The first member of an event in binary Protocol Buffers; in JSON it is a line feed.
PROTOBUF: Final = b"\x0a"
JSON_SPACE: Final = b" \t\r\n"
DEVICE_INFO: Final = {
    "tenantId": "tenant_id",
    "tenantName": "tenant",
    "applicationId": "application_id",
    "applicationName": "application",
    "deviceProfileId": "device_profile_id",
    "deviceProfileName": "device_profile",
    "deviceName": "device_name",
    "tags": "tags",
}
RADIO: Final = {"devAddr": "dev_addr", "adr": "adr", "dr": "dr", "confirmed": "confirmed"}


class ChirpStackV4Codec:
    """`ingest.codecs.seam.Codec` for ChirpStack v4."""

    options: Final = Profile

    def decode(self, message: Arrived) -> Decoded:
        """Read a message. See `Codec.decode`."""
        named = named_by(message.topic)
        if not message.payload.strip():
            return Decoded(device=eui(named.device or "") or "")
        _check_shape(message.payload)
        sent = read_object(message.payload)
        info = members_of(sent.get("deviceInfo"))
        device = device_eui(info.get("devEui"), "deviceInfo.devEui")
        try:
            check_topic_eui(device, named.device)
            return _event(message, sent, device, named.event or _guessed(sent))
        except MessageError as error:
            raise MessageError(error.reason, error.words, device=device) from None


def _check_shape(payload: bytes) -> None:
    if payload.startswith(PROTOBUF) and not payload.lstrip(JSON_SPACE).startswith(b"{"):
        words = "this looks like binary Protocol Buffers; set the server's marshaler to JSON"
        raise MessageError(MessageReason.NO_CODEC, words)


def _guessed(sent: dict[str, Any]) -> str:
    """Return the event of a message on a topic of somebody else's choice."""
    for event, members in (
        ("up", ("rxInfo", "txInfo", "data", "object", "fPort")),
        ("status", ("margin", "batteryLevel", "externalPowerSource", "batteryLevelUnavailable")),
        ("location", ("location",)),
    ):
        if any(member in sent for member in members):
            return event
    words = "neither the topic nor a member tells which event this is"
    raise MessageError(MessageReason.MISSING_FIELD, words)


def _event(message: Arrived, sent: dict[str, Any], device: str, event: str) -> Decoded:
    if event not in {"up", "status", "location"}:
        return Decoded(device=device)
    metadata = _device_metadata(sent)
    message_id = text_of_member(sent.get("deduplicationId"))
    if event == "up":
        return _uplink(sent, device, metadata, message_id).read(profile_of(message))
    if event == "status":
        measures = status(sent, omits_zero=True)
    else:
        measures = location(sent)
        metadata["source"] = "network"
    return measures.decoded(
        device, time_us=time_of(sent.get("time"), "time"), metadata=metadata, message_id=message_id
    )


def _uplink(
    sent: dict[str, Any], device: str, metadata: dict[str, Any], message_id: str | None
) -> Uplink:
    receptions = objects_of(sent.get("rxInfo"))
    port = integer_of(sent.get("fPort"))
    frame = {
        # The server leaves out what is 0.
        "f_cnt": integer_of(sent.get("fCnt", 0)),
        "f_port": port,
        **{ours: sent.get(name) for name, ours in RADIO.items()},
        **_transmission(members_of(sent.get("txInfo"))),
        **radio_of(map(_reception, receptions)),
    }
    return Uplink(
        device=device,
        time_us=_time(sent, receptions),
        metadata={
            **metadata,
            **{name: value for name, value in frame.items() if value is not None},
        },
        decoded=object_of(sent.get("object"), "object"),
        read_raw=payload_of(sent.get("data"), "data"),
        port=port,
        message_id=message_id,
    )


def _time(sent: dict[str, Any], receptions: list[dict[str, Any]]) -> int | None:
    time_us = time_of(sent.get("time"), "time")
    for name in ("nsTime", "gwTime"):
        if time_us is None:
            times = [time_of(each.get(name), f"rxInfo[].{name}") for each in receptions]
            time_us = min((each for each in times if each is not None), default=None)
    return time_us


def _reception(sent: dict[str, Any]) -> Reception:
    return Reception(
        text_of_member(sent.get("gatewayId")),
        number_of(sent.get("rssi")),
        number_of(sent.get("snr")),
    )


def _device_metadata(sent: dict[str, Any]) -> dict[str, Any]:
    info = members_of(sent.get("deviceInfo"))
    return {ours: info[name] for name, ours in DEVICE_INFO.items() if info.get(name)}


def _transmission(sent: dict[str, Any]) -> dict[str, Any]:
    lora = members_of(members_of(sent.get("modulation")).get("lora"))
    code_rate = text_of_member(lora.get("codeRate"))
    return {
        "frequency_hz": integer_of(sent.get("frequency")),
        "bandwidth_hz": integer_of(lora.get("bandwidth")),
        "spreading_factor": integer_of(lora.get("spreadingFactor")),
        "coding_rate": code_rate and code_rate.removeprefix("CR_").replace("_", "/"),
    }


CODEC: Final = ChirpStackV4Codec()
