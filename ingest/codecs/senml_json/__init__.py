"""SenML as JSON (RFC 8428)."""

from ingest.codecs.senml_json.codec import CODEC

__all__ = ["CODEC"]
