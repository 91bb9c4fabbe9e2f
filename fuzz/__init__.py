"""Hostile bytes for everything that parses bytes; `make fuzz` runs a bounded part of it."""
