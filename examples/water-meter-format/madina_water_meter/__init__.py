"""The district water meter: lines of seconds and litres."""

from madina_water_meter.codec import CODEC

__all__ = ["CODEC"]
