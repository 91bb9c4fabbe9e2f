"""ChirpStack, third generation: two JSON shapes and a variant of published logs."""

from ingest.codecs.chirpstack_v3.codec import CODEC

__all__ = ["CODEC"]
