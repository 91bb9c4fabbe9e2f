"""Relational facts: devices, places, routes, users."""
