"""Backups: a consistent copy of store, registry and of what the log holds beyond them."""
