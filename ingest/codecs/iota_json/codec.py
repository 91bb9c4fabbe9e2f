"""A message for FIWARE's IoT Agent JSON: objects of names and values, or one attribute.

Source: telefonicaid/iotagent-json, user manual; formats.md section 9.
"""

from typing import Any, Final, cast

from city.reasons import MessageReason, ObservationReason
from ingest.codecs.fiware import Addressed, FiwareOptions, address, agent_time_us
from ingest.codecs.flatten import flatten, naming_of
from ingest.codecs.json_text import read_json
from ingest.codecs.measures import Measures, join
from ingest.codecs.ngsi_ld import are_entities, read_entities
from ingest.codecs.seam import Arrived, Decoded, MessageError

__all__ = ["CODEC", "IotaJsonCodec"]

PROTOCOL: Final = "json"
TIME: Final = "TimeInstant"
SERIES: Final = frozenset({"timestamp", "value"})
# One attribute may be any bytes; those that are no JSON are kept, but no value.
BINARY: Final = frozenset({MessageReason.JSON_SYNTAX, MessageReason.UTF8, MessageReason.NUL_BYTE})
SHOWN_BYTES: Final = 64


class IotaJsonCodec:
    """`ingest.codecs.seam.Codec` for IoT Agent JSON."""

    options: Final = FiwareOptions
    reads_arrays: Final = True

    def decode(self, message: Arrived) -> Decoded:
        """Read a message. See `Codec.decode`."""
        to, options = address(message, PROTOCOL)
        if not to.measured or not message.payload.strip():
            return Decoded(device=to.device)
        try:
            if to.attribute is not None:
                return _attribute(message, to, to.attribute, options)
            sent = read_json(message.payload)
            if are_entities(sent):
                return read_entities(sent, message)
            groups = cast("list[Any]", sent if isinstance(sent, list) else [sent])
            return join([_group(each, at, to, options) for at, each in enumerate(groups)])
        except MessageError as error:
            raise MessageError(
                error.reason, error.words, device=error.device or to.device
            ) from None


def _group(sent: object, at: int, to: Addressed, options: FiwareOptions) -> Decoded:
    if not isinstance(sent, dict):
        words = f"group {at + 1} is no object of names and values"
        raise MessageError(MessageReason.MISSING_FIELD, words)
    values = cast("dict[str, Any]", sent)
    time = values.get(TIME)
    time_us = agent_time_us(time, f"`{TIME}`") if time else None
    return _flat(
        {name: each for name, each in values.items() if name != TIME}, time_us, to, options
    )


def _attribute(message: Arrived, to: Addressed, name: str, options: FiwareOptions) -> Decoded:
    """Read the value of one attribute, or its series."""
    try:
        sent = read_json(message.payload)
    except MessageError as error:
        if error.reason not in BINARY:
            raise
        measures = Measures()
        words = f"no JSON but bytes, raw_hex {message.payload[:SHOWN_BYTES].hex()}"
        measures.reject(name, ObservationReason.BINARY_VALUE, words)
        return measures.decoded(to.device, time_us=None, metadata={})
    items = cast("list[Any]", sent if isinstance(sent, list) else [sent])
    if not items or not all(_is_item(each) for each in items):
        return _flat({name: sent}, None, to, options)
    return join([_item(each, name, to, options) for each in items])


def _is_item(sent: object) -> bool:
    return isinstance(sent, dict) and not SERIES.isdisjoint(cast("dict[str, Any]", sent))


def _item(sent: dict[str, Any], name: str, to: Addressed, options: FiwareOptions) -> Decoded:
    if "value" not in sent:
        words = f"an item of the series `{name[:64]}` has no `value`"
        raise MessageError(MessageReason.MISSING_FIELD, words)
    time = sent.get("timestamp")
    time_us = agent_time_us(time, "`timestamp`") if time else None
    return _flat({name: sent["value"]}, time_us, to, options)


def _flat(
    values: dict[str, Any], time_us: int | None, to: Addressed, options: FiwareOptions
) -> Decoded:
    measures = Measures()
    flatten(values, naming_of(options), measures, stringly=True)
    return measures.decoded(to.device, time_us=time_us, metadata={})


CODEC: Final = IotaJsonCodec()
