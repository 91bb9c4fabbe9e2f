"""The data folder: ours to write, and its secrets nobody else's to read."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from madina.doctor.check import Check, Machine, checked, error, ok, warning
from madina.settings import SECRETS, SETTINGS_FILE

__all__ = ["look"]

SECRET_FILES: Final = ("admin.key", "nats.password", "nats.conf", "run.json")
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def look(machine: Machine) -> list[Check]:
    """Look at the folder, and at every file that opens something."""
    folder = machine.folder
    if not folder.path.is_dir():
        return [ok("data folder", f"{folder.path} will be made by `madina up`")]
    return [checked("data folder", lambda: _writable(machine)), *_secrets(folder.path)]


def _writable(machine: Machine) -> str:
    machine.folder.make()
    return str(machine.folder.path)


def _secrets(folder: Path) -> Iterator[Check]:
    open_files = [name for name in SECRET_FILES if _open_to_others(folder / name)]
    if _holds_password(folder / SETTINGS_FILE) and _open_to_others(folder / SETTINGS_FILE):
        open_files.append(SETTINGS_FILE)
    for name in open_files:
        yield error("secrets", f"others can read {folder / name}", f"chmod 600 {folder / name}")
    owner = folder.stat().st_uid
    if owner != os.geteuid():
        yield warning("owner", f"{folder} belongs to user {owner}", "run madina as that user")
    if not open_files:
        yield ok("secrets", "only their owner can read them")


def _open_to_others(path: Path) -> bool:
    return path.exists() and bool(path.stat().st_mode & OTHERS)


def _holds_password(path: Path) -> bool:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return any(line.partition("=")[0].strip() in SECRETS for line in text.splitlines())
