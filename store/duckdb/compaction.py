"""Copy a file into a smaller one: DuckDB never gives space back, and keeps deleted bytes in place.

A crash at any moment leaves either the old file or the new one, each complete; a half-written copy
is removed by the next attempt.
"""

import os
from pathlib import Path
from typing import Final

import msgspec

from store.duckdb.copying import copy_whole
from store.duckdb.database import Database
from store.interface import StoreBusyError

__all__ = ["Compaction", "compact", "remove_leftovers"]

SUFFIX: Final = ".compact"
# The copy's name inside DuckDB; the file's own name there is made from its path.
COPY: Final = "madina_compacted"


class Compaction(msgspec.Struct, frozen=True):
    """Sizes of the file before and after."""

    before_bytes: int
    after_bytes: int


def compact(database: Database) -> Compaction:
    """Copy the file, then put the copy in its place; readers go on until the swap.

    The caller keeps writers away.

    Raises:
        StoreBusyError: The copy failed or readers did not end; the file is as it was.
    """
    path = database.path
    remove_leftovers(path)
    try:
        with database.writing() as connection:
            connection.execute("CHECKPOINT")
            before = path.stat().st_size
            copy_whole(connection, _copy_path(path), COPY)
        _sync(_copy_path(path))
        with database.shut():
            _swap(path)
    finally:
        remove_leftovers(path)
    return Compaction(before_bytes=before, after_bytes=path.stat().st_size)


def remove_leftovers(path: Path) -> None:
    """Remove what a compaction that did not come to its end left beside the file."""
    copy = _copy_path(path)
    copy.unlink(missing_ok=True)
    Path(f"{copy}.wal").unlink(missing_ok=True)


def _copy_path(path: Path) -> Path:
    return Path(f"{path}{SUFFIX}")


def _swap(path: Path) -> None:
    """Put the copy in the file's place; the file is closed."""
    log = Path(f"{path}.wal")
    if log.exists():
        # Closing could not checkpoint: what the log holds is not in the copy's file.
        raise StoreBusyError(store=str(path), cause="its log is not empty", retry_after_s=1.0)
    _copy_path(path).replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
