"""Copies store and registry of this process into a folder, store first.

A registry that is newer than the store has devices without observations, which is nothing; an
older one would not know the devices of observations that it has.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from madina.backup.manifest import REGISTRY, STORE
from madina.data_folder import DataFolder
from madina.errors import SetupError
from madina.opening import Opened
from store.interface import GatewayCount

__all__ = ["Copied", "Copier", "read_copied"]

COPIED: Final = "copied.json"
# A copy is smaller than its file; the log and everybody else go on writing meanwhile.
ROOM_BYTES: Final = 256 << 20


class Copied(msgspec.Struct, frozen=True):
    """What a copy has, for whoever goes on with it.

    Attributes:
        registry: Whether it is in it.
        marks: Last applied log sequence by shard.
        counts: Applied messages of every gateway process and shard.
    """

    registry: bool
    marks: dict[int, int]
    counts: list[GatewayCount]


class Copier:
    """`services.parts.MakesCopies` over what is open here."""

    def __init__(self, found: Opened, folder: DataFolder) -> None:
        self._found = found
        self._data = folder

    def folder(self, name: str) -> Path:
        """Return where a copy of this name is made."""
        return self._data.copies / name

    def make(self, name: str, told: Callable[[float], None]) -> None:
        """Make a copy; what an earlier one has left goes first.

        Raises:
            SetupError: The disk has no room for it, or the store is a server's.
            StoreBusyError: The store cannot be copied now.
            RegistryAwayError: The registry cannot be copied now.
        """
        shutil.rmtree(self._data.copies, ignore_errors=True)
        self._check_room()
        folder = self.folder(name)
        folder.mkdir(mode=0o700, parents=True)
        position = self._found.file.copy(
            folder / STORE, lambda done, total: told(done / max(total, 1))
        )
        registry = self._found.registry.copy(folder / REGISTRY)
        copied = Copied(registry, position.marks, position.counts)
        (folder / COPIED).write_bytes(msgspec.json.encode(copied))

    def _check_room(self) -> None:
        size_bytes = self._found.file.path.stat().st_size
        free_bytes = shutil.disk_usage(self._data.path).free
        if free_bytes < size_bytes + ROOM_BYTES:
            raise SetupError(
                f"the disk of {self._data.path} has {free_bytes >> 20} MiB free, and a copy of the"
                f" store may need {(size_bytes + ROOM_BYTES) >> 20} MiB",
                "free some",
            )


def read_copied(folder: Path) -> Copied:
    """Return what a copy has."""
    return msgspec.json.decode((folder / COPIED).read_bytes(), type=Copied)
