"""A full disk: every byte of a small one is taken for a while."""

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

__all__ = ["LARGEST_BYTES", "SmallDiskError", "filled"]

# Whoever shares the disk is hurt as well: only one that was made for this is filled.
LARGEST_BYTES: Final = 4 << 30
CHUNK: Final = b"\0" * (1 << 20)
NAME: Final = "load-ballast"


class SmallDiskError(Exception):
    """A disk that must not be filled, or cannot be; the words say why, and what to do."""


@contextmanager
def filled(folder: Path) -> Generator[None]:
    """Leave nothing free on a folder's disk for the length of a block.

    Raises:
        SmallDiskError: The disk is a large one, or nothing can be written there.
    """
    size_bytes = shutil.disk_usage(folder).total
    if size_bytes > LARGEST_BYTES:
        raise SmallDiskError(
            f"the disk of {folder} has {size_bytes >> 30} GiB, and others need it: put the data"
            f" folder on one of at most {LARGEST_BYTES >> 30} GiB, such as a tmpfs"
        )
    ballast = folder / NAME
    try:
        _fill(ballast)
        yield
    finally:
        ballast.unlink(missing_ok=True)


def _fill(ballast: Path) -> None:
    try:
        file = os.open(ballast, os.O_WRONLY | os.O_CREAT, 0o600)
    except OSError as error:
        raise SmallDiskError(f"{ballast} cannot be written: {error.strerror}") from error
    try:
        for piece in (CHUNK, CHUNK[:4096], CHUNK[:1]):
            with suppress(OSError):
                while os.write(file, piece):
                    pass
    finally:
        os.close(file)
