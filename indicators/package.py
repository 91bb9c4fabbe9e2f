"""Files that leave the city with their definitions: a ZIP that is a Frictionless data package.

Each file in it has its SHA-256 in `datapackage.json`, so that a reader far away can tell whether it
holds what was written. The same content makes the same bytes. Source of the members: Frictionless
Data Package and Data Resource, and Table Schema, version 1.
"""

import hashlib
import zipfile
from collections.abc import Iterable
from typing import IO, Any, Final

import msgspec

__all__ = ["DESCRIPTOR", "PackageError", "Packing", "check_files", "entry", "read_file"]

DESCRIPTOR: Final = "datapackage.json"
# ZIP has no times before that, and a time of writing would make two equal packages differ.
NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
FILE_MAX: Final = 1 << 30
AT_ONCE: Final = 1 << 20
PREFIX: Final = "sha256:"


class PackageError(ValueError):
    """A file is no package of ours, or not as it was written."""


class _Resource(msgspec.Struct, frozen=True):
    path: str
    hash: str
    bytes: int


class _Descriptor(msgspec.Struct, frozen=True):
    resources: list[_Resource]


class Packing:
    """A package that is being written: files one after the other, then `finish`.

    Args:
        to: Where the bytes go; it need not be seekable.
    """

    def __init__(self, to: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED)
        self._resources: list[dict[str, Any]] = []
        self._digest = hashlib.sha256()
        self._bytes = 0
        self._open: IO[bytes] | None = None

    def begin(self, path: str) -> None:
        """Begin a file, which `write` fills until `end`."""
        self._digest, self._bytes = hashlib.sha256(), 0
        self._open = self._zip.open(entry(path), "w", force_zip64=True)

    def write(self, data: bytes) -> None:
        """Add to the file that was begun."""
        assert self._open is not None, "begin comes first"
        self._digest.update(data)
        self._bytes += len(data)
        self._open.write(data)

    def end(self, path: str, **described: object) -> None:
        """End the file; say what it is."""
        assert self._open is not None, "begin comes first"
        self._open.close()
        self._open = None
        name = path.rpartition(".")[0].replace("/", "-").lower()
        self._resources.append(
            {
                "name": name,
                "path": path,
                **described,
                "bytes": self._bytes,
                "hash": PREFIX + self._digest.hexdigest(),
            }
        )

    def add(self, path: str, data: bytes, **described: object) -> None:
        """Write a whole file."""
        self.begin(path)
        self.write(data)
        self.end(path, **described)

    def finish(self, **described: object) -> None:
        """Write the descriptor, and end the package."""
        document = {**described, "profile": "data-package", "resources": self._resources}
        content = msgspec.json.format(msgspec.json.encode(document), indent=2)
        with self._zip.open(entry(DESCRIPTOR), "w") as file:
            file.write(content)
        self._zip.close()


def entry(path: str) -> zipfile.ZipInfo:
    """Return how a file is entered into a ZIP: compressed, and without a time."""
    info = zipfile.ZipInfo(path, NO_TIME)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def check_files(package: zipfile.ZipFile) -> Iterable[tuple[str, bool]]:
    """Yield every file that a package names, and whether it is as it was written.

    Raises:
        PackageError: If it says nothing of its files.
    """
    try:
        described = msgspec.json.decode(read_file(package, DESCRIPTOR), type=_Descriptor)
    except msgspec.MsgspecError as error:
        raise PackageError(f"{DESCRIPTOR} cannot be read: {error}") from error
    for each in described.resources:
        yield (
            each.path,
            PREFIX + hashlib.sha256(read_file(package, each.path)).hexdigest() == each.hash,
        )


def read_file(package: zipfile.ZipFile, path: str) -> bytes:
    """Return a file of a package.

    Raises:
        PackageError: If it is not there, is damaged, or unfolds to more than a package holds.
    """
    try:
        if package.getinfo(path).file_size > FILE_MAX:
            raise PackageError(f"{path} is larger than {FILE_MAX} bytes")
        return package.read(path)
    except KeyError as error:
        raise PackageError(f"{path} is missing") from error
    except (zipfile.BadZipFile, OSError, EOFError, ValueError) as error:
        raise PackageError(f"{path} cannot be read: {error}") from error
