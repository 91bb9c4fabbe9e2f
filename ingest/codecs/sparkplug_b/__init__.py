"""Sparkplug B 3.0: PLCs and gateways that tell once what they have, and then send numbers only."""

from ingest.codecs.sparkplug_b.codec import CODEC

__all__ = ["CODEC"]
