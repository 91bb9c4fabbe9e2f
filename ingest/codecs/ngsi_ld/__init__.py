"""NGSI-LD notifications and entities, and those of NGSI-v2."""

from ingest.codecs.ngsi_ld.codec import CODEC
from ingest.codecs.ngsi_ld.notification import are_entities, read_entities

__all__ = ["CODEC", "are_entities", "read_entities"]
