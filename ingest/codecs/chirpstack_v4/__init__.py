"""ChirpStack, fourth generation: events as JSON."""

from ingest.codecs.chirpstack_v4.codec import CODEC

__all__ = ["CODEC"]
