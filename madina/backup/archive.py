"""A backup as a folder or as one tar file: written beside its name, and moved there once whole.

Every byte is summed (SHA-256) as it is written; the manifest comes last.
"""

import contextlib
import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import IO, Final

import msgspec

from madina.backup.manifest import MANIFEST, Content
from madina.errors import CommandError

__all__ = ["BackupReader", "BackupWriter", "reading", "writing"]

TAR: Final = ".tar"
PARTIAL: Final = ".partial"
AT_ONCE: Final = 4 << 20
PRIVATE: Final = 0o600
# A manifest has a few hundred bytes.
MANIFEST_MAX: Final = 1 << 20

Told = Callable[[int], None]


class _Summed(io.RawIOBase):
    """Sums and counts what is read through it."""

    def __init__(self, source: IO[bytes], told: Told) -> None:
        self._source = source
        self._told = told
        self.sum = hashlib.sha256()
        self.size_bytes = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        found = self._source.read(min(size, AT_ONCE) if size >= 0 else AT_ONCE)
        self.sum.update(found)
        self.size_bytes += len(found)
        self._told(len(found))
        return found


class BackupWriter:
    """Takes files one after the other, then the manifest."""

    def __init__(self, path: Path, *, tar: bool) -> None:
        self._path = path
        self._tar = tarfile.open(path, "x:") if tar else None  # noqa: SIM115 - closed below
        if tar:
            path.chmod(PRIVATE)
        else:
            path.mkdir(mode=0o700)

    def add(self, name: str, file: Path, told: Told) -> Content:
        """Copy a file into the backup; return what the manifest has to say about it."""
        with file.open("rb") as source:
            summed = _Summed(source, told)
            self._add(name, summed, file.stat().st_size)
        return Content(name, summed.size_bytes, summed.sum.hexdigest())

    def finish(self, manifest: bytes) -> None:
        """Write the manifest, and see that the disk has all of it."""
        self._add(MANIFEST, io.BytesIO(manifest), len(manifest))
        self.close()
        if self._tar is not None:
            _sync(self._path)

    def close(self) -> None:
        """Let go of the file, whole or not; closing twice is allowed."""
        if self._tar is not None:
            self._tar.close()

    def _add(self, name: str, source: IO[bytes] | _Summed, size_bytes: int) -> None:
        if self._tar is not None:
            member = tarfile.TarInfo(name)
            member.size, member.mode = size_bytes, PRIVATE
            self._tar.addfile(member, source)
            return
        path = self._path / name
        with _new(path) as target:
            while part := source.read(AT_ONCE):
                target.write(part)
        _sync(path)


@contextlib.contextmanager
def writing(path: Path) -> Generator[BackupWriter]:
    """Write a backup: a tar file where the name ends so, otherwise a folder.

    Raises:
        CommandError: There is something of that name, or it cannot be written; nothing is left.
    """
    if path.exists():
        raise CommandError(f"{path} is there already, and a backup replaces nothing")
    partial = path.with_name(path.name + PARTIAL)
    _remove(partial)
    try:
        with contextlib.closing(BackupWriter(partial, tar=path.suffix == TAR)) as writer:
            yield writer
        partial.rename(path)
        _sync(path.absolute().parent)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        _remove(partial)


class BackupReader:
    """Gives the files of a backup, each once."""

    def __init__(self, path: Path, tar: tarfile.TarFile | None) -> None:
        self._path = path
        self._tar = tar

    def manifest(self) -> bytes:
        """Return the manifest's bytes.

        Raises:
            KeyError: There is none.
        """
        with self._opened(MANIFEST) as source:
            return source.read(MANIFEST_MAX)

    def copy(self, content: Content, target: Path, told: Told) -> None:
        """Copy a file out of the backup.

        Raises:
            CommandError: It is not what the manifest says.
        """
        with self._opened(content.name) as source, _new(target) as file:
            summed = _Summed(source, told)
            while part := summed.read(AT_ONCE):
                file.write(part)
        _sync(target)
        if summed.size_bytes != content.size_bytes or summed.sum.hexdigest() != content.sha256:
            raise CommandError(
                f"{content.name} in {self._path} is not what was written: {summed.size_bytes} bytes"
                f" of {content.size_bytes}, SHA-256 {summed.sum.hexdigest()[:12]}..., not"
                f" {content.sha256[:12]}...: take another backup"
            )

    @contextlib.contextmanager
    def _opened(self, name: str) -> Generator[IO[bytes]]:
        if self._tar is None:
            try:
                with (self._path / name).open("rb") as file:
                    yield file
            except FileNotFoundError as error:
                raise KeyError(name) from error
            return
        found = self._tar.extractfile(name)
        if found is None:
            raise KeyError(name)
        with found:
            yield found


@contextlib.contextmanager
def reading(path: Path) -> Generator[BackupReader]:
    """Open a backup.

    Raises:
        CommandError: It is none, or cannot be read.
    """
    try:
        if path.is_dir():
            yield BackupReader(path, None)
            return
        with tarfile.open(path, "r:") as tar:
            yield BackupReader(path, tar)
    except KeyError as error:
        raise CommandError(
            f"{path} is no backup, or not whole: {error.args[0]} is not in it"
        ) from error
    except (OSError, tarfile.TarError, msgspec.MsgspecError) as error:
        raise CommandError(f"{path} is no backup that can be read: {error}") from error


def _new(path: Path) -> IO[bytes]:
    """Open a file that is not there yet, and that nobody else can read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
