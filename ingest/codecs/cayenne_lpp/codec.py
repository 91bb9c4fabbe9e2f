"""A Cayenne LPP frame that a device publishes itself."""

from typing import Final

from city.identity import device_id
from city.reasons import MessageReason
from ingest.codecs.cayenne_lpp.frame import read_frame
from ingest.codecs.measures import Measures
from ingest.codecs.profile import profile_of
from ingest.codecs.seam import Arrived, Decoded, MessageError

__all__ = ["CODEC", "CayenneLppCodec"]

# `madina/v1/{provider}/{device}/raw/cayenne-lpp`
DEVICE_LEVEL: Final = 3


class CayenneLppCodec:
    """`ingest.codecs.seam.Codec` for Cayenne LPP; the topic names the device."""

    def decode(self, message: Arrived) -> Decoded:
        """Read a message. See `Codec.decode`."""
        device = _device(message.topic)
        measures = Measures()
        try:
            read_frame(message.payload, profile_of(message), measures)
            return measures.decoded(device, time_us=None, metadata={})
        except MessageError as error:
            raise MessageError(error.reason, error.words, device=device) from None


def _device(topic: str) -> str:
    levels = topic.split("/")
    if not topic.startswith("madina/v1/") or len(levels) <= DEVICE_LEVEL:
        words = f"the topic {topic!r} names no device, and the payload has no place for it"
        raise MessageError(MessageReason.MISSING_DEVICE, words)
    name = device_id(levels[DEVICE_LEVEL])
    if name is None:
        raise MessageError(MessageReason.BAD_DEVICE_ID, f"no device can be named by {topic!r}")
    return name


CODEC: Final = CayenneLppCodec()
