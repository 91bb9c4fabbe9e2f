"""What every part of a contract is."""

import msgspec

__all__ = ["Part"]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of a contract: a field it does not know is an error, and a default is not written."""
