"""What a backup says about itself, and the names of what is in it."""

from typing import Final

import msgspec

__all__ = [
    "FORMAT",
    "FRAMES",
    "INSTALLATION",
    "MANIFEST",
    "REGISTRY",
    "STORE",
    "Content",
    "Manifest",
    "Parts",
]

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
STORE: Final = "madina.duckdb"
REGISTRY: Final = "registry.sqlite"
FRAMES: Final = "log.frames"
# What bridges' client identifiers are made of; only where there has been a bridge.
INSTALLATION: Final = "installation"


class Content(msgspec.Struct, frozen=True):
    """One file of a backup."""

    name: str
    size_bytes: int
    sha256: str


class Parts(msgspec.Struct, frozen=True):
    """What was copied, and what the ledger said of it.

    Attributes:
        store, registry: Whether they are in it; a server's are not.
        applied: Messages that the store's copy has.
        frames, messages: What the log held beyond that, and is in the backup as well.
    """

    store: bool
    registry: bool
    applied: int = 0
    frames: int = 0
    messages: int = 0


class Manifest(msgspec.Struct, frozen=True):
    """The manifest.

    Attributes:
        format: Of the backup.
        madina: Version of the program that made it.
        made_at: ISO 8601, UTC.
        city, timezone: As the settings were.
    """

    format: int
    madina: str
    made_at: str
    city: str
    timezone: str
    parts: Parts
    contents: tuple[Content, ...]
