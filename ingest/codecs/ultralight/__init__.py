"""FIWARE UltraLight 2.0."""

from ingest.codecs.ultralight.codec import CODEC

__all__ = ["CODEC"]
