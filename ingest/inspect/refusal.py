"""That no mapping can be proposed, and why."""

__all__ = ["NoMappingError"]


class NoMappingError(ValueError):
    """Samples for which no mapping can be written; the words say why, and what a person can do."""
