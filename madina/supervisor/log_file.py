"""A child's output on disk, bounded: the file and one older generation of it."""

from pathlib import Path

__all__ = ["RotatedFile"]

LIMIT_BYTES = 16 << 20


class RotatedFile:
    """Appends lines; beyond the limit the file becomes `NAME.1` and a new one is begun."""

    def __init__(self, path: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self._path = path
        self._limit_bytes = limit_bytes
        self._file = path.open("ab", buffering=0)
        self._size_bytes = self._file.tell()

    def write(self, line: bytes) -> None:
        """Append one line, its end included."""
        if self._size_bytes + len(line) > self._limit_bytes and self._size_bytes:
            self._rotate()
        self._file.write(line)
        self._size_bytes += len(line)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        self._path.replace(self._path.with_name(self._path.name + ".1"))
        self._file = self._path.open("ab", buffering=0)
        self._size_bytes = 0
