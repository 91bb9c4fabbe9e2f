"""What messages of all LoRaWAN network servers have in common: devices, gateways, payloads.

Source: formats.md sections 4 to 6.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from city.flags import Flag
from city.identity import eui
from city.reasons import MessageReason
from ingest.codecs.binary_text import base64_bytes
from ingest.codecs.cayenne_lpp import read_frame, server_names
from ingest.codecs.flatten import flatten, naming_of
from ingest.codecs.mapping.clock import Time
from ingest.codecs.mapping.layout import read_layout
from ingest.codecs.measures import Measures
from ingest.codecs.members import number_of
from ingest.codecs.profile import Profile
from ingest.codecs.seam import Decoded, MessageError

__all__ = [
    "Reception",
    "Uplink",
    "check_topic_eui",
    "device_eui",
    "payload_of",
    "place_of",
    "radio_of",
    "status",
]

CAYENNE_LPP: Final = "cayenne-lpp"


class Reception(msgspec.Struct, frozen=True):
    """How one gateway heard a frame.

    Attributes:
        gateway: Its id; None where the server does not tell.
        rssi: dBm.
        snr: dB; None counts as 0, which servers leave out.
        time_us: When, if the gateway knows.
    """

    gateway: str | None
    rssi: float | None = None
    snr: float | None = None
    time_us: int | None = None


class Uplink(msgspec.Struct, frozen=True):
    """One frame of a device, as its network server tells it.

    Attributes:
        decoded: What the server's own decoder made of the payload.
        read_raw: Gives the payload; raises `MessageError`. None where there is none.
        port: LoRaWAN port; None where the server does not tell.
        skip: Members of `decoded` that begin with this are not the device's.
    """

    device: str
    time_us: int | None
    metadata: dict[str, Any]
    decoded: dict[str, Any]
    read_raw: Callable[[], bytes] | None
    port: int | None
    message_id: str | None = None
    near_ids: tuple[str, ...] = ()
    flag: Flag = Flag.NOT_EVALUATED
    skip: str | None = None

    def read(self, profile: Profile) -> Decoded:
        """Return what the frame measures: the server's decoder wins over the payload.

        Raises:
            MessageError: `no_payload_codec`, or a reason of the payload or its codec.
        """
        measures, metadata = Measures(), self.metadata
        if self.decoded:
            server_reads_lpp = profile.codec_for(self.port) == CAYENNE_LPP
            naming = server_names(profile) if server_reads_lpp else naming_of(profile)
            flatten(self.decoded, naming, measures, skip=self.skip)
        elif self.port != 0 and not (self.port is None and self.read_raw is None):
            metadata = {**self._read_payload(profile, measures), **metadata}
        return measures.decoded(
            self.device,
            time_us=self.time_us,
            metadata=metadata,
            message_id=self.message_id,
            near_ids=self.near_ids,
            flag=self.flag,
        )

    def _read_payload(self, profile: Profile, measures: Measures) -> dict[str, Any]:
        """Add what the payload says; return metadata that it has."""
        name = profile.codec_for(self.port)
        if name is None:
            words = f"no payload codec is set for port {self.port}, and the server has not decoded"
            raise MessageError(MessageReason.NO_PAYLOAD_CODEC, words)
        payload = self.read_raw() if self.read_raw else b""
        if name == CAYENNE_LPP:
            read_frame(payload, profile, measures)
            return {}
        layout = profile.layouts.get(name)
        if layout is None:
            words = f"the payload codec is set to {name[:64]!r}, which nobody has"
            raise MessageError(MessageReason.NO_PAYLOAD_CODEC, words)
        _, metadata = read_layout(layout, payload, measures, Time(self.time_us))
        return metadata


def device_eui(sent: object, where: str) -> str:
    """Return the EUI of a device.

    Args:
        sent: As the server wrote it: hexadecimal digits, or base64 of the eight bytes.
        where: Member that holds it, for people.

    Raises:
        MessageError: `missing_field` or `bad_device_id`.
    """
    if sent is None or sent == "":
        raise MessageError(MessageReason.MISSING_FIELD, f"`{where}` is missing")
    found = eui(sent) if isinstance(sent, str) else None
    if found is None:
        words = f"`{where}` is {str(sent)[:64]!r}, no EUI of 16 hexadecimal digits"
        raise MessageError(MessageReason.BAD_DEVICE_ID, words)
    return found


def check_topic_eui(device: str, level: str | None) -> None:
    """Compare a device with the level of the topic that names one.

    Raises:
        MessageError: `device_mismatch`.
    """
    if level is not None and eui(level) != device:
        words = f"the payload says {device!r}, the topic says {level!r}"
        raise MessageError(MessageReason.DEVICE_MISMATCH, words)


def radio_of(receptions: Iterable[Reception]) -> dict[str, Any]:
    """Return the metadata of a frame's receptions: the best gateway, and how many there were."""
    heard = list(receptions)
    if not heard:
        return {}
    best = max(heard, key=_quality)
    found: dict[str, Any] = {
        "gateway": best.gateway,
        "rssi_dbm": best.rssi,
        "snr_db": best.snr or 0,
        "gateways": len({each.gateway for each in heard if each.gateway}),
    }
    return {name: value for name, value in found.items() if value is not None}


def place_of(location: Mapping[str, Any]) -> dict[str, float]:
    """Return a place that the server has for a device: `lat`, `lon`, `alt` if known; or none."""
    place = {
        short: number_of(location.get(name))
        for short, name in (("lat", "latitude"), ("lon", "longitude"), ("alt", "altitude"))
    }
    known = {short: value for short, value in place.items() if value is not None}
    return known if {"lat", "lon"} <= known.keys() and any(known.values()) else {}


def status(sent: Mapping[str, Any], *, omits_zero: bool) -> Measures:
    """Return what a device reported of itself: battery and link margin (ChirpStack, both).

    Args:
        sent: The event.
        omits_zero: The server leaves out a margin of 0.
    """
    measures = Measures()
    if not (sent.get("batteryLevelUnavailable") is True or sent.get("externalPowerSource") is True):
        measures.add("batteryLevel", "battery_level", sent.get("batteryLevel"), "%")
    margin = sent.get("margin", 0 if omits_zero else None)
    measures.add("margin", "link_margin", margin, "dB")
    return measures


def payload_of(sent: object, where: str) -> Callable[[], bytes] | None:
    """Return what reads a payload in base64; None where none was sent.

    Args:
        sent: The member.
        where: Its name, for people.
    """
    if sent is None or sent == "":
        return None

    def read() -> bytes:
        if not isinstance(sent, str):
            raise MessageError(MessageReason.BASE64, f"`{where}` is no text")
        return base64_bytes(sent, where)

    return read


def _quality(heard: Reception) -> tuple[float, float]:
    # Servers leave out a ratio of 0; a strength that is left out is not known.
    return heard.snr or 0.0, float("-inf") if heard.rssi is None else heard.rssi
