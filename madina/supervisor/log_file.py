"""A child's output on disk, bounded: the file and one older generation of it."""

import contextlib
import io
from pathlib import Path

__all__ = ["RotatedFile"]

LIMIT_BYTES = 16 << 20


class RotatedFile:
    """Appends lines; beyond the limit the file becomes `NAME.1` and a new one is begun.

    What a full disk does not take is left out, and the file says how much: a platform must not
    end because nobody can read about it.
    """

    def __init__(self, path: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self._path = path
        self._limit_bytes = limit_bytes
        self._file: io.FileIO | None = None
        self._lost_bytes = 0

    def write(self, line: bytes) -> None:
        """Append one line, its end included."""
        try:
            file = self._room_for(len(line))
            if self._lost_bytes:
                file.write(b"%d bytes could not be written here\n" % self._lost_bytes)
                self._lost_bytes = 0
            file.write(line)
        except OSError:
            self._lost_bytes += len(line)
            self.close()

    def close(self) -> None:
        """Close the file; the next line opens it again."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    def _room_for(self, length: int) -> io.FileIO:
        if self._file is None:
            self._file = io.FileIO(self._path, "ab")
        size_bytes = self._file.tell()
        if size_bytes and size_bytes + length > self._limit_bytes:
            self._file.close()
            self._path.replace(self._path.with_name(self._path.name + ".1"))
            self._file = io.FileIO(self._path, "ab")
        return self._file
