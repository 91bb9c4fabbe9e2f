"""Tasmota firmware: plugs, meters and boards with whatever sensors somebody soldered on."""

from ingest.codecs.tasmota.codec import CODEC

__all__ = ["CODEC"]
