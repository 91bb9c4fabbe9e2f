"""Declarative mappings: a route says how the vendor nobody knows is read."""

from ingest.codecs.mapping.codec import CODEC

__all__ = ["CODEC"]
