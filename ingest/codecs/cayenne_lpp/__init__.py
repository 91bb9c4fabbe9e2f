"""Cayenne LPP: small frames of typed channels, alone or inside of a LoRaWAN network's messages."""

from ingest.codecs.cayenne_lpp.codec import CODEC
from ingest.codecs.cayenne_lpp.frame import read_frame
from ingest.codecs.cayenne_lpp.names import server_names

__all__ = ["CODEC", "read_frame", "server_names"]
