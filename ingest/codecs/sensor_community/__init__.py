"""Sensor.Community (airrohr): citizens' particle and climate sensors."""

from ingest.codecs.sensor_community.codec import CODEC

__all__ = ["CODEC"]
