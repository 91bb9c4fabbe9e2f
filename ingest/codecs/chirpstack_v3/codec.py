"""One event of a ChirpStack v3 server, with every rule of formats.md section 6."""

import hashlib
from collections.abc import Callable
from typing import Any, Final

from city.clock import US_PER_MINUTE
from city.identity import eui
from city.instants import InstantError, from_millis
from city.reasons import MessageReason
from ingest.codecs.binary_text import hex_bytes
from ingest.codecs.chirpstack import event_of, location, named_by
from ingest.codecs.chirpstack_v3.ids import hexadecimal
from ingest.codecs.json_text import read_json
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

__all__ = ["CODEC", "ChirpStackV3Codec"]

EUI_BYTES, ADDRESS_BYTES = 8, 4
HERTZ_PER_KILOHERTZ: Final = 1_000
DIGEST_BYTES: Final = 8
# Members that the publisher of a log added begin with it.
ADDED: Final = "_"
DEVICE: Final = {
    "applicationID": "application_id",
    "applicationName": "application",
    "deviceProfileID": "device_profile_id",
    "deviceProfileName": "device_profile",
    "deviceName": "device_name",
    "tags": "tags",
}
FRAME: Final = {"adr": "adr", "dr": "dr", "confirmedUplink": "confirmed"}


class ChirpStackV3Codec:
    """`ingest.codecs.seam.Codec` for ChirpStack v3; the JSON shape is told by each member."""

    options: Final = Profile

    def decode(self, message: Arrived) -> Decoded:
        """Read a message. See `Codec.decode`."""
        named = named_by(message.topic)
        if not message.payload.strip():
            return Decoded(device=eui(named.device or "") or "")
        sent = read_object(message.payload)
        device = device_eui(hexadecimal(sent.get("devEUI"), EUI_BYTES), "devEUI")
        try:
            check_topic_eui(device, named.device)
            return _event(message, sent, device, _event_name(sent, named.event))
        except MessageError as error:
            raise MessageError(error.reason, error.words, device=device) from None


def _event_name(sent: dict[str, Any], named: str | None) -> str:
    """Return the event: what a line of a log says of itself wins over the topic."""
    said = event_of(text_of_member(sent.get("_topic")) or "")
    guessed = "up" if "fCnt" in sent else "status" if "margin" in sent else None
    event = said or named or guessed
    if event is None:
        words = "neither the topic nor `fCnt` or `margin` tells which event this is"
        raise MessageError(MessageReason.MISSING_FIELD, words)
    return event


def _event(message: Arrived, sent: dict[str, Any], device: str, event: str) -> Decoded:
    metadata = {ours: sent[name] for name, ours in DEVICE.items() if sent.get(name)}
    if event == "up":
        return _uplink(message, sent, device, metadata).read(profile_of(message))
    if event == "status":
        measures = status(sent, omits_zero=False)
    elif event == "location":
        measures = location(sent)
        metadata["source"] = "network"
    else:
        return Decoded(device=device)
    return measures.decoded(device, time_us=_published(sent), metadata=metadata)


def _uplink(
    message: Arrived, sent: dict[str, Any], device: str, metadata: dict[str, Any]
) -> Uplink:
    receptions = [_reception(each) for each in objects_of(sent.get("rxInfo"))]
    heard = [each.time_us for each in receptions if each.time_us is not None]
    port = integer_of(sent.get("fPort"))
    frame = {
        "dev_addr": hexadecimal(sent.get("devAddr"), ADDRESS_BYTES),
        "f_cnt": integer_of(sent.get("fCnt")),
        "f_port": port,
        **{ours: sent.get(name) for name, ours in FRAME.items()},
        **_transmission(members_of(sent.get("txInfo"))),
        **radio_of(receptions),
    }
    time_us = min(heard) if heard else _published(sent)
    ids = _message_ids(sent, device, message.received_us if time_us is None else time_us)
    return Uplink(
        device=device,
        time_us=time_us,
        metadata={
            **metadata,
            **{name: value for name, value in frame.items() if value is not None},
        },
        decoded=_decoded_object(sent),
        read_raw=_payload(sent, profile_of(message)),
        port=port,
        message_id=ids[0] if ids else None,
        near_ids=ids[1:],
        skip=ADDED if any(name.startswith(ADDED) for name in sent) else None,
    )


def _decoded_object(sent: dict[str, Any]) -> dict[str, Any]:
    found = object_of(sent.get("object"), "object")
    text = sent.get("objectJSON")
    if found or text is None or text == "":
        return found
    try:
        if isinstance(text, str):
            return object_of(read_json(text.encode()), "objectJSON")
        words = "no text"
    except MessageError as error:
        words = str(error)
    raise MessageError(MessageReason.JSON_SYNTAX, f"objectJSON: {words}")


def _payload(sent: dict[str, Any], profile: Profile) -> Callable[[], bytes] | None:
    data = sent.get("data")
    written = profile.data or ("hex" if "_topic" in sent else "base64")
    if written == "hex" and isinstance(data, str) and data:
        return lambda: hex_bytes(data, "data")
    return payload_of(data, "data")


def _published(sent: dict[str, Any]) -> int | None:
    """Return when the server, or the publisher of a log, had it; None where nobody says."""
    time_us = time_of(sent.get("publishedAt"), "publishedAt")
    if time_us is not None:
        return time_us
    millis = sent.get("_timestamp")
    if not isinstance(millis, int) or isinstance(millis, bool):
        return time_of(sent.get("_date"), "_date")
    try:
        return from_millis(millis)
    except InstantError as error:
        raise MessageError(MessageReason.BAD_TIME, f"`_timestamp`: {error}") from None


def _message_ids(sent: dict[str, Any], device: str, at_us: int) -> tuple[str, ...]:
    """Return what two publications of one frame share, whatever gateways each lists.

    A device that was reset counts frames anew, so ids hold for a minute: the message's own comes
    first, then those of the minutes beside it.
    """
    count = integer_of(sent.get("fCnt"))
    if count is None:
        return ()
    address = hexadecimal(sent.get("devAddr"), ADDRESS_BYTES) or ""
    data = str(sent.get("data") or "").encode()
    digest = hashlib.blake2b(data, digest_size=DIGEST_BYTES).hexdigest()
    minute = at_us // US_PER_MINUTE
    minutes = (minute, minute - 1, minute + 1)
    return tuple(f"{device}:{address}:{count}:{digest}:{each}" for each in minutes)


def _reception(sent: dict[str, Any]) -> Reception:
    return Reception(
        hexadecimal(sent.get("gatewayID"), EUI_BYTES),
        number_of(sent.get("rssi")),
        number_of(sent.get("loRaSNR")),
        time_of(sent.get("time"), "rxInfo[].time"),
    )


def _transmission(sent: dict[str, Any]) -> dict[str, Any]:
    lora = members_of(sent.get("loRaModulationInfo"))
    bandwidth = integer_of(lora.get("bandwidth"))
    return {
        "frequency_hz": integer_of(sent.get("frequency")),
        "bandwidth_hz": bandwidth and bandwidth * HERTZ_PER_KILOHERTZ,
        "spreading_factor": integer_of(lora.get("spreadingFactor")),
        "coding_rate": text_of_member(lora.get("codeRate")),
    }


CODEC: Final = ChirpStackV3Codec()
