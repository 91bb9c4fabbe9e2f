"""Relational facts: providers, devices, places, routes, users, keys, and who changed what."""

from registry.registry import Registry

__all__ = ["Registry"]
