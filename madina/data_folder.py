"""The data folder: who uses it, what is written where, and the secrets made at first run.

One `madina up` at a time, held by a lock that the kernel drops with the process, so that a
crash never leaves a folder locked.
"""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Generator
from pathlib import Path

import msgspec

from city.frame import FRAME_VERSION
from madina.errors import SetupError

__all__ = ["DataFolder", "RunFile"]

FOLDER_VERSION = 1
SECRET_BYTES = 32


class _Format(msgspec.Struct, frozen=True):
    """Who wrote the folder.

    Attributes:
        folder, log: Versions.
        shards: How many the log is divided into; None where nothing was logged yet.
    """

    folder: int
    log: int
    shards: int | None = None


class RunFile(msgspec.Struct, frozen=True):
    """What is running on a data folder: addresses and process ids, for commands beside it.

    Attributes:
        pid: Of the supervisor.
        http: Address of the API.
        nats: Address of the log, with its password.
        children: Process id by name.
    """

    pid: int
    http: str
    mqtt: str
    mqtts: str | None
    nats: str
    children: dict[str, int]


class DataFolder:
    """Paths below the data folder, and what guards them."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.logs = self.path / "logs"
        self.nats_config = self.path / "nats.conf"
        self.nats_store = self.path / "nats"
        self.duckdb = self.path / "madina.duckdb"
        self.registry = self.path / "registry.sqlite"
        self.copies = self.path / "copies"
        self.installation_file = self.path / "installation"

    @contextlib.contextmanager
    def held(self) -> Generator[None]:
        """Hold the folder for this process, making it where it is missing.

        Raises:
            SetupError: If it cannot be written, another process holds it, or a newer version of
                madina wrote it.
        """
        self.make()
        with self._lock_path.open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                lock.seek(0)
                raise self._taken(lock.read().strip()) from error
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            self._check_format()
            try:
                yield
            finally:
                self._run_path.unlink(missing_ok=True)
                lock.truncate(0)

    def make(self) -> None:
        """Make the folder where it is missing.

        Raises:
            SetupError: If it cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.logs.mkdir(exist_ok=True)
            probe = self.path / ".probe"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise SetupError(
                f"data folder {self.path} cannot be written ({error.strerror})",
                "set MADINA_DATA_DIR to a folder that can",
            ) from error

    def running(self) -> RunFile | None:
        """Return what runs on this folder now; None where nothing does."""
        if not self._is_held() or not self._run_path.exists():
            return None
        try:
            return msgspec.json.decode(self._run_path.read_bytes(), type=RunFile)
        except PermissionError as error:
            raise SetupError(
                f"{self._run_path} belongs to another user", "run the command as that user"
            ) from error
        except FileNotFoundError:
            return None

    def write_run_file(self, run: RunFile) -> None:
        """Say what is running; readable by the owner only."""
        _write_private(self._run_path, msgspec.json.encode(run))

    def admin_key(self) -> str:
        """Return the key that changing calls of the API need; made at first use.

        Raises:
            SetupError: If it cannot be read or made.
        """
        return self._secret("admin.key")

    def nats_password(self) -> str:
        """Return the password of the embedded log; made at first use."""
        return self._secret("nats.password")

    def installation(self) -> str:
        """Return what tells this installation from others, the same for ever; made at first use.

        Brokers keep messages under names that are derived from it.
        """
        return self._secret(self.installation_file.name)

    @property
    def _lock_path(self) -> Path:
        return self.path / "lock"

    @property
    def _format_path(self) -> Path:
        return self.path / "format.json"

    @property
    def _run_path(self) -> Path:
        return self.path / "run.json"

    def _is_held(self) -> bool:
        try:
            with self._lock_path.open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        except PermissionError as error:
            raise SetupError(
                f"{self.path} belongs to another user", "run the command as that user"
            ) from error
        return False

    def _taken(self, pid: str) -> SetupError:
        return SetupError(
            f"data folder {self.path} is in use by process {pid or '?'}",
            "stop that one, or set MADINA_DATA_DIR to another folder",
        )

    def shards(self) -> int | None:
        """Return how many shards the log has; None where nothing was logged yet."""
        found = self._format()
        return None if found is None else found.shards

    def keep_shards(self, shards: int) -> None:
        """Remember how many shards the log has, or refuse another number.

        A shard beyond the number would be read by nobody, and a device whose shard changes could
        overtake itself.

        Raises:
            SetupError: If the folder's log has another number.
        """
        found = self._format()
        if found is not None and found.shards not in {None, shards}:
            raise SetupError(
                f"the log in {self.path} has {found.shards} shards, MADINA_SHARDS says {shards}",
                f"set MADINA_SHARDS to {found.shards}, or MADINA_DATA_DIR to another folder",
            )
        self._write_format(found, shards)

    def _check_format(self) -> None:
        found = self._format()
        if found is not None and (found.folder > FOLDER_VERSION or found.log > FRAME_VERSION):
            raise SetupError(
                f"data folder {self.path} was written by a newer version of madina"
                f" (log {found.log}, this one reads {FRAME_VERSION})",
                "install that version, or set MADINA_DATA_DIR to another folder",
            )
        self._write_format(found, None if found is None else found.shards)

    def _format(self) -> _Format | None:
        if not self._format_path.exists():
            return None
        try:
            return msgspec.json.decode(self._format_path.read_bytes(), type=_Format)
        except (OSError, msgspec.MsgspecError) as error:
            raise SetupError(
                f"{self._format_path} cannot be read ({error})",
                "restore it, or set MADINA_DATA_DIR to another folder",
            ) from error

    def _write_format(self, found: _Format | None, shards: int | None) -> None:
        ours = _Format(folder=FOLDER_VERSION, log=FRAME_VERSION, shards=shards)
        if ours != found:
            _write_private(self._format_path, msgspec.json.encode(ours))

    def _secret(self, name: str) -> str:
        path = self.path / name
        try:
            if not path.exists():
                _write_private(path, secrets.token_urlsafe(SECRET_BYTES).encode() + b"\n")
            return path.read_text(encoding="ascii").strip()
        except OSError as error:
            raise SetupError(
                f"{path} cannot be read or made ({error.strerror})",
                "run the command as the owner of the data folder",
            ) from error


def _write_private(path: Path, content: bytes) -> None:
    """Replace a file whole; nobody but the owner can read it at any moment."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
