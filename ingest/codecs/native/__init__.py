"""madina's own JSON: the format that devices and gateways of a city are asked to send."""

from ingest.codecs.native.bulk import Bulk, decode_bulk
from ingest.codecs.native.codec import CODEC

__all__ = ["CODEC", "Bulk", "decode_bulk"]
