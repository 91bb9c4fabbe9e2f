"""Watches the disk of an embedded log: devices wait before it is full, not after."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from gateway.backlog import Backlog

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
    found = os.statvfs(disk.folder)
    free_bytes = found.f_bavail * found.f_frsize
    wanted_bytes = disk.reserve_bytes * (RESUME_PART if backlog.disk_words else 1)
    words = ""
    if free_bytes <= wanted_bytes:
        reserve_mib = disk.reserve_bytes >> 20
        words = f"{free_bytes >> 20:,} MiB of disk are free, the reserve is {reserve_mib:,} MiB"
    if bool(words) != bool(backlog.disk_words):
        backlog.disk(words)
