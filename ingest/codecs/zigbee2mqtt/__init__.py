"""Zigbee2MQTT: everything that a Zigbee network has, under names that people gave."""

from ingest.codecs.zigbee2mqtt.codec import CODEC

__all__ = ["CODEC"]
