"""A notification of an NGSI-LD broker, with or without the envelope that MQTT adds."""

from typing import Final

from ingest.codecs.json_text import read_json
from ingest.codecs.ngsi_ld.notification import NgsiLdOptions, read_entities
from ingest.codecs.own_topic import device_of_topic
from ingest.codecs.seam import Arrived, Decoded

__all__ = ["CODEC", "NgsiLdCodec"]


class NgsiLdCodec:
    """`ingest.codecs.seam.Codec` for NGSI-LD and NGSI-v2."""

    options: Final = NgsiLdOptions
    reads_arrays: Final = True

    def decode(self, message: Arrived) -> Decoded:
        """Read a message. See `Codec.decode`."""
        if not message.payload.strip():
            return Decoded(device=device_of_topic(message.topic) or "")
        return read_entities(read_json(message.payload), message)


CODEC: Final = NgsiLdCodec()
