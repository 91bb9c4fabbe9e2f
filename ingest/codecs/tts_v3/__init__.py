"""The Things Stack v3: uplinks as JSON."""

from ingest.codecs.tts_v3.codec import CODEC

__all__ = ["CODEC"]
