"""A file system of a bench's own that can be frozen: what is written then waits. Needs root."""

from __future__ import annotations

import contextlib
import subprocess
from typing import TYPE_CHECKING, Final

from bench.result import BenchFailed

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

__all__ = ["disk_of", "freeze", "thaw"]

DISK_BYTES: Final = 4096 << 20


def freeze(disk: Path) -> None:
    """Let every write to it wait, until `thaw`."""
    _run("fsfreeze", "--freeze", disk)


def thaw(disk: Path) -> None:
    """Let writes go on."""
    _run("fsfreeze", "--unfreeze", disk)


@contextlib.contextmanager
def disk_of(folder: Path) -> Generator[Path]:
    """Make a file system in a file for the length of a block."""
    image, place = folder / "disk.img", folder / "disk"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    _run("mkfs.ext4", "-q", "-F", image)
    _run("mount", "-o", "loop", image, place)
    try:
        yield place
    finally:
        _run("umount", "--lazy", place)


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip()
        raise BenchFailed(f"{command[0]}: {words} (root may do this)")
