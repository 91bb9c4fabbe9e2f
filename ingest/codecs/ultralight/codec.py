"""An UltraLight 2.0 message: `[time|]name|value|name|value#...`, and nothing can be escaped.

Source: telefonicaid/iotagent-ul, user manual; formats.md section 8.
"""

from typing import Final

from city.reasons import MessageReason
from ingest.codecs.envelope import text_of
from ingest.codecs.fiware import FiwareOptions, address, agent_time_us
from ingest.codecs.flatten import flatten, naming_of
from ingest.codecs.json_text import read_json
from ingest.codecs.measures import Measures, join
from ingest.codecs.seam import Arrived, Decoded, MessageError

__all__ = ["CODEC", "UltraLightCodec"]

PROTOCOL: Final = "ul"
GROUP: Final = "#"
FIELD: Final = "|"
ABSENT: Final = "null"
JSON_STARTS: Final = ("[", "{")


class UltraLightCodec:
    """`ingest.codecs.seam.Codec` for UltraLight 2.0."""

    options: Final = FiwareOptions

    def decode(self, message: Arrived) -> Decoded:
        """Read a message. See `Codec.decode`."""
        to, options = address(message, PROTOCOL)
        if not to.measured or not message.payload.strip():
            return Decoded(device=to.device)
        try:
            text = text_of(message.payload).rstrip("\r\n")
            if to.attribute is not None:
                return _group({to.attribute: text}, options, to.device, None)
            groups = text.split(GROUP)
            return join(
                [_read(group, at, options, to.device) for at, group in enumerate(groups, start=1)]
            )
        except MessageError as error:
            raise MessageError(error.reason, error.words, device=to.device) from None


def _read(group: str, at: int, options: FiwareOptions, device: str) -> Decoded:
    fields = group.split(FIELD)
    if len(fields) == 1:
        words = f"group {at} has no `|` between a name and a value: {group[:64]!r}"
        raise MessageError(MessageReason.UL_SYNTAX, words)
    time_us = None
    if len(fields) % 2:
        where = f"group {at} has an odd number of fields, so the first is its time, which"
        time_us = agent_time_us(fields.pop(0), where)
    if not all(fields):
        words = f"group {at} has an empty name or value: {group[:64]!r}"
        raise MessageError(MessageReason.UL_SYNTAX, words)
    return _group(dict(zip(fields[::2], fields[1::2], strict=True)), options, device, time_us)


def _group(
    sent: dict[str, str], options: FiwareOptions, device: str, time_us: int | None
) -> Decoded:
    measures = Measures()
    values = {name: _plain(value) for name, value in sent.items()}
    flatten(values, naming_of(options), measures, stringly=True)
    return measures.decoded(device, time_us=time_us, metadata={})


def _plain(text: str) -> object:
    """Return a value without its JSON, if it has one; a number stays text for the moment."""
    if text == ABSENT:
        return None
    if not text.startswith(JSON_STARTS):
        return text
    try:
        return read_json(text.encode())
    except MessageError:
        return text


CODEC: Final = UltraLightCodec()
