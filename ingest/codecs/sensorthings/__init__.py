"""OGC SensorThings: observations."""

from ingest.codecs.sensorthings.codec import CODEC

__all__ = ["CODEC"]
