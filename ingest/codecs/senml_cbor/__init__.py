"""SenML as CBOR (RFC 8428 section 6)."""

from ingest.codecs.senml_cbor.codec import CODEC

__all__ = ["CODEC"]
