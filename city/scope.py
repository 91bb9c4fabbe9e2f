"""Who may see what: every query of the store and the registry takes a scope."""

import msgspec

__all__ = ["EVERYTHING", "Scope"]


class Scope(msgspec.Struct, frozen=True):
    """The providers whose data a caller may see.

    Attributes:
        providers: Names; None means all of them.
    """

    providers: frozenset[str] | None = None

    def admits(self, provider: str) -> bool:
        """Say whether data of a provider may be seen."""
        return self.providers is None or provider in self.providers


EVERYTHING = Scope()
