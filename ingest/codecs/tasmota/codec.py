"""One message of a Tasmota device, with every rule of formats.md section 11."""

from typing import Any, Final
from urllib.parse import unquote

from city.identity import joined_id
from city.reasons import MessageReason
from ingest.codecs.measures import Measures, join
from ingest.codecs.members import members_of, number_of, read_object, text_of_member
from ingest.codecs.own_topic import known_device
from ingest.codecs.profile import Profile, options_of
from ingest.codecs.seam import Arrived, Decoded, MessageError
from ingest.codecs.tasmota.blocks import Blocks
from ingest.codecs.tasmota.clock import time_of_message

__all__ = ["CODEC", "TasmotaCodec", "TasmotaOptions"]

# `%prefix%/%topic%/`: the level with the device, the first is 1.
DEVICE_LEVEL: Final = 2
SENSORS: Final = frozenset({"SENSOR", "STATUS8", "STATUS10"})
STATE: Final = frozenset({"STATE", "STATUS11"})
RESULT: Final = "RESULT"
WRAPPED: Final = ("StatusSNS", "StatusSTS")
ZIGBEE: Final = "ZbReceived"


class TasmotaOptions(Profile, frozen=True):
    """Options of a route for Tasmota.

    Attributes:
        device_level: Topic level that names the device, the first is 1 (`FullTopic`).
        demand_observations: A message of sensors without one waits in quarantine.
    """

    device_level: int = DEVICE_LEVEL
    demand_observations: bool = False


class TasmotaCodec:
    """`ingest.codecs.seam.Codec` for Tasmota; the topic names the device."""

    options: Final = TasmotaOptions

    def decode(self, message: Arrived) -> Decoded:
        """Read a message. See `Codec.decode`."""
        options = options_of(message, TasmotaOptions)
        levels = message.topic.split("/")
        if not 0 < options.device_level <= len(levels):
            words = f"the topic {message.topic!r} has no level {options.device_level}"
            raise MessageError(MessageReason.MISSING_DEVICE, words)
        named = levels[options.device_level - 1]
        device = known_device(named, message.topic)
        kind = levels[-1]
        if kind not in SENSORS | STATE | {RESULT} or not message.payload.strip():
            return Decoded(device=device)
        try:
            decoded = _read(message, kind, device, options)
        except MessageError as error:
            raise MessageError(error.reason, error.words, device=device) from None
        empty = not decoded.observations and not decoded.rejected
        if options.demand_observations and kind in SENSORS and empty:
            words = "no member of the message is a measurement"
            raise MessageError(MessageReason.NO_OBSERVATIONS, words, device=device)
        return decoded


def _read(message: Arrived, kind: str, device: str, profile: Profile) -> Decoded:
    sent = read_object(message.payload)
    sent = next((members_of(sent[name]) for name in WRAPPED if name in sent), sent)
    time_us, notes = time_of_message(sent, message.timezone)
    measures = Measures()
    blocks = Blocks(sent, profile, measures)
    if kind in SENSORS:
        blocks.sensors()
    elif kind == RESULT:
        blocks.switches()
    else:
        blocks.state()
    metadata: dict[str, Any] = {**blocks.metadata, **({"notes": notes} if notes else {})}
    decoded = measures.decoded(device, time_us=time_us, metadata=metadata)
    behind = members_of(sent.get(ZIGBEE)) if kind in SENSORS else {}
    return join([decoded, *(_zigbee(device, *each, profile, time_us) for each in behind.items())])


def _zigbee(
    coordinator: str, name: str, sent: object, profile: Profile, time_us: int | None
) -> Decoded:
    """Read what a Zigbee device said through a Tasmota coordinator."""
    block = members_of(sent)
    short = text_of_member(block.get("Name")) or text_of_member(block.get("Device")) or name
    device = joined_id([unquote(coordinator), short])
    if device is None:
        words = f"`{ZIGBEE}` names a device {short[:64]!r}"
        raise MessageError(MessageReason.BAD_DEVICE_ID, words)
    measures = Measures()
    Blocks(block, profile, measures).zigbee()
    quality = number_of(block.get("LinkQuality"))
    metadata = {} if quality is None else {"link_quality": quality}
    return measures.decoded(device, time_us=time_us, metadata=metadata)


CODEC: Final = TasmotaCodec()
