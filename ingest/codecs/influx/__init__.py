"""InfluxDB line protocol."""

from ingest.codecs.influx.codec import CODEC

__all__ = ["CODEC"]
