"""Recognises the format of a message by its topic and first bytes; only proposals rest on it.

Source: formats.md section 0.8, "Sniffing order": the first that fits. Cayenne LPP has no signature.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from ingest.codecs.envelope import unpack
from ingest.codecs.influx.lines import read_lines
from ingest.codecs.seam import Arrived, MessageError
from ingest.codecs.senml_cbor.codec import CODEC as SENML_CBOR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ingest.inspect.findings import Heard

__all__ = ["document_of", "is_control", "lines_of", "recognise"]

CONTENT_TYPES: Final = {
    "application/senml+json": "senml-json",
    "application/sensml+json": "senml-json",
    "application/senml+cbor": "senml-cbor",
    "application/sensml+cbor": "senml-cbor",
}
SPARKPLUG: Final = "spBv1.0/"
# CBOR arrays of up to 23 elements, and of unknown length.
CBOR_ARRAYS: Final = frozenset((*range(0x80, 0x98), 0x9F))
SENSORTHINGS: Final = re.compile(r"(?:^|/)v1\.[01]/")
TASMOTA: Final = re.compile(r"(?:^|/)tele/[^/]+/SENSOR")
IOTA_JSON: Final = re.compile(r"(?:^|/)json/[^/]+/[^/]+/attrs(?:/|$)")
ULTRALIGHT: Final = re.compile(r"(?:^|/)ul/[^/]+/[^/]+/attrs(?:/|$)")
SENML_VALUES: Final = frozenset(("v", "vb", "vs", "vd", "s"))
# Topics on which devices and servers tell how they are, not what they measure.
CONTROL: Final = re.compile(r"(?:^|/)(?:LWT|INFO\d?|STATE|availability|status|online|\$.*)$")
CONTROL_WORDS: Final = frozenset((b"online", b"offline", b"Online", b"Offline"))


def recognise(message: Heard) -> str | None:
    """Return the name of the codec whose signature a message bears; None where it bears none."""
    if named := CONTENT_TYPES.get(message.content_type.partition(";")[0].strip()):
        return named
    if message.topic.startswith(SPARKPLUG):
        return "sparkplug-b"
    try:
        return _of_payload(message, unpack(message.payload))
    except MessageError:
        return None


def _of_payload(message: Heard, payload: bytes) -> str | None:
    if payload[:1] and payload[0] in CBOR_ARRAYS:
        return "senml-cbor" if _is_senml_cbor(message, payload) else None
    document = document_of(payload)
    if isinstance(document, dict):
        return _of_object(message.topic, cast("dict[str, Any]", document))
    if isinstance(document, list):
        return _of_array(message.topic, cast("list[Any]", document))
    return None if lines_of(payload) else _of_text(message.topic, payload)


def is_control(message: Heard) -> bool:
    """Say whether a message seems to tell how its sender is, and nothing that is measured."""
    return message.payload in CONTROL_WORDS or (
        CONTROL.search(message.topic) is not None
        and document_of(message.payload) is None
        and not lines_of(message.payload)
    )


def document_of(payload: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return the JSON of a payload; None where it is none, or a bare value."""
    if payload.lstrip()[:1] not in {b"{", b"["}:
        return None
    try:
        return msgspec.json.decode(payload)
    except (ValueError, RecursionError):
        return None


def lines_of(payload: bytes) -> list[dict[str, Any]]:
    """Return the JSON objects of a payload with one a line; none where it is anything else."""
    lines = [each for each in payload.split(b"\n") if each.strip()]
    if not all(each.lstrip()[:1] == b"{" for each in lines):
        return []
    found = [*map(document_of, lines)]
    return found if all(isinstance(each, dict) for each in found) else []


def _is_senml_cbor(message: Heard, payload: bytes) -> bool:
    try:
        found = SENML_CBOR.decode(Arrived(message.topic, payload, message.received_us, "any"))
    except MessageError:
        return False
    return bool(found.observations)


def _is_notification(document: Mapping[str, Any]) -> bool:
    body = document.get("body")
    if isinstance(body, dict):
        return cast("dict[str, Any]", body).get("type") == "Notification"
    return document.get("type") == "Notification" and "data" in document


def _has_sentilo(document: Mapping[str, Any]) -> bool:
    sensors = document.get("sensors")
    return "observations" in document or (
        isinstance(sensors, list)
        and bool(cast("list[Any]", sensors))
        and all(
            isinstance(each, dict) and "observations" in each for each in cast("list[Any]", sensors)
        )
    )


def _is_chirpstack_v4(document: Mapping[str, Any]) -> bool:
    info = document.get("deviceInfo")
    return isinstance(info, dict) and "devEui" in info


# In this order: the first that fits.
OBJECTS: Final[tuple[tuple[str, Callable[[str, Mapping[str, Any]], bool]], ...]] = (
    ("tts-v3", lambda _, each: "end_device_ids" in each),
    ("chirpstack-v4", lambda _, each: _is_chirpstack_v4(each)),
    (
        "chirpstack-v3",
        lambda _, each: "devEUI" in each and bool({"applicationID", "rxInfo", "margin"} & {*each}),
    ),
    ("sensor-community", lambda _, each: "sensordatavalues" in each),
    ("sentilo", lambda _, each: _has_sentilo(each)),
    ("ngsi-ld", lambda _, each: _is_notification(each)),
    ("sensorthings", lambda at, each: "result" in each and bool(SENSORTHINGS.search(at))),
    ("native", lambda _, each: isinstance(each.get("obs"), list)),
    ("tasmota", lambda at, _: bool(TASMOTA.search(at))),
    ("iota-json", lambda at, _: bool(IOTA_JSON.search(at))),
    ("zigbee2mqtt", lambda _, each: "linkquality" in each),
)


def _of_object(topic: str, document: Mapping[str, Any]) -> str | None:
    return next((codec for codec, fits in OBJECTS if fits(topic, document)), None)


def _of_array(topic: str, document: list[Any]) -> str | None:
    objects = [cast("dict[str, Any]", each) for each in document if isinstance(each, dict)]
    if objects and len(objects) == len(document) and all(map(_is_senml, objects)):
        return "senml-json"
    return "iota-json" if IOTA_JSON.search(topic) else None


def _is_senml(record: Mapping[str, Any]) -> bool:
    return "bn" in record or ("n" in record and bool(SENML_VALUES & {*record}))


def _of_text(topic: str, payload: bytes) -> str | None:
    if IOTA_JSON.search(topic):
        return "iota-json"
    if ULTRALIGHT.search(topic):
        return "ultralight"
    try:
        return "influx" if next(iter(read_lines(payload.decode())), None) else None
    except (UnicodeDecodeError, MessageError):
        return None
