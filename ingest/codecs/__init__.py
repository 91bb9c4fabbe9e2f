"""Codecs: bytes of one message to observations, one folder a format, no I/O."""
