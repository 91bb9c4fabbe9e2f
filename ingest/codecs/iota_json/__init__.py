"""FIWARE IoT Agent JSON."""

from ingest.codecs.iota_json.codec import CODEC

__all__ = ["CODEC"]
