"""Sentilo: observations of a provider's sensors."""

from ingest.codecs.sentilo.codec import CODEC

__all__ = ["CODEC"]
