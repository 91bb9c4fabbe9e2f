"""A Cayenne LPP frame that a device publishes itself."""

from typing import Final

from ingest.codecs.cayenne_lpp.frame import read_frame
from ingest.codecs.measures import Measures
from ingest.codecs.own_topic import required_device
from ingest.codecs.profile import Profile, profile_of
from ingest.codecs.seam import Arrived, Decoded, MessageError

__all__ = ["CODEC", "CayenneLppCodec"]


class CayenneLppCodec:
    """`ingest.codecs.seam.Codec` for Cayenne LPP; the topic names the device."""

    options: Final = Profile

    def decode(self, message: Arrived) -> Decoded:
        """Read a message. See `Codec.decode`."""
        device = required_device(message.topic)
        measures = Measures()
        try:
            read_frame(message.payload, profile_of(message), measures)
            return measures.decoded(device, time_us=None, metadata={})
        except MessageError as error:
            raise MessageError(error.reason, error.words, device=device) from None


CODEC: Final = CayenneLppCodec()
