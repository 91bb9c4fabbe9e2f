"""Watches the disk of an embedded log: devices wait before it is full, not after."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from city.backlog import Backlog

__all__ = ["DiskReserve", "look_at_disk"]

# Reading starts again when so much more than the reserve is free, so that it does not flutter.
RESUME_PART = 1.1


class DiskReserve(msgspec.Struct, frozen=True):
    """How much of which disk the log leaves alone.

    Attributes:
        folder: Where the log lies.
        reserve_bytes: Free space that is not the log's.
    """

    folder: str
    reserve_bytes: int


def look_at_disk(disk: DiskReserve, backlog: Backlog) -> None:
    """Let connections wait while the disk has no more than its reserve free."""
    words = _words(disk, short=bool(backlog.disk_words))
    if bool(words) != bool(backlog.disk_words):
        backlog.disk(words)


def _words(disk: DiskReserve, *, short: bool) -> str:
    """Return what is wrong with the disk; empty when nothing is."""
    try:
        found = os.statvfs(disk.folder)
    except OSError as error:
        return f"the log's disk cannot be looked at: {error}"
    free_bytes = found.f_bavail * found.f_frsize
    if free_bytes > disk.reserve_bytes * (RESUME_PART if short else 1):
        return ""
    reserve_mib = disk.reserve_bytes >> 20
    return f"{free_bytes >> 20:,} MiB of disk are free, the reserve is {reserve_mib:,} MiB"
