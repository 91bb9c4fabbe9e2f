"""A SensorThings Observation, as a device creates it or a service notifies of it.

Source: OGC 18-088 (SensorThings 1.1), Observation; formats.md section 15.
"""

from typing import Any, Final, cast

from city.reasons import MessageReason
from ingest.codecs.geojson import point_of
from ingest.codecs.intervals import Interval, interval_of
from ingest.codecs.measures import Measure, Measures
from ingest.codecs.members import members_of, read_object
from ingest.codecs.own_topic import device_of_topic
from ingest.codecs.profile import options_of
from ingest.codecs.seam import Arrived, Decoded, MessageError
from ingest.codecs.sensorthings.streams import SensorThingsOptions, meant_by
from ingest.codecs.streams import Meant
from ingest.codecs.stringly import cast_text

__all__ = ["CODEC", "SensorThingsCodec"]

TIMES: Final = ("phenomenonTime", "resultTime")
KEPT: Final = ("resultTime", "resultQuality", "validTime", "parameters")


class SensorThingsCodec:
    """`ingest.codecs.seam.Codec` for SensorThings."""

    options: Final = SensorThingsOptions

    def decode(self, message: Arrived) -> Decoded:
        """Read a message. See `Codec.decode`."""
        if not message.payload.strip():
            return Decoded(device=device_of_topic(message.topic) or "")
        options = options_of(message, SensorThingsOptions)
        sent = read_object(message.payload)
        meant = meant_by(message.topic, sent, options)
        device = (meant[0] if isinstance(meant, list) else meant).device or ""
        try:
            return _observation(sent, meant, device)
        except MessageError as error:
            raise MessageError(error.reason, error.words, device=device) from None


def _observation(sent: dict[str, Any], meant: Meant | list[Meant], device: str) -> Decoded:
    if "result" not in sent:
        raise MessageError(MessageReason.MISSING_FIELD, "`result` is missing")
    time = _time(sent)
    measures = Measures()
    for each, result in _results(sent["result"], meant):
        value, own = cast_text(result)
        known = Measure("", 0, own or each.ucum, None, time.end_us if time else None)
        measures.take("result", each.quantity, value, known)
    message_id = sent.get("@iot.id")
    return measures.decoded(
        device,
        time_us=time.start_us if time else None,
        metadata=_metadata(sent),
        message_id=None if message_id is None else str(message_id),
    )


def _results(result: object, meant: Meant | list[Meant]) -> list[tuple[Meant, Any]]:
    """Return each value and what it is; those of a MultiDatastream stand in its order."""
    if not isinstance(meant, list):
        return [(meant, result)]
    values = cast("list[Any]", result) if isinstance(result, list) else []
    if len(values) != len(meant):
        words = f"`result` has to be an array of {len(meant)}, as many as the stream has properties"
        raise MessageError(MessageReason.MISSING_FIELD, words)
    return list(zip(meant, values, strict=True))


def _time(sent: dict[str, Any]) -> Interval | None:
    for name in TIMES:
        if sent.get(name) not in (None, ""):
            return interval_of(sent[name], name)
    return None


def _metadata(sent: dict[str, Any]) -> dict[str, Any]:
    found = {name: sent[name] for name in KEPT if sent.get(name) is not None}
    position = point_of(members_of(sent.get("FeatureOfInterest")).get("feature"))
    return {**found, "position": position} if position else found


CODEC: Final = SensorThingsCodec()
