"""The disk: room for the log beside its reserve, and for the store to go on growing."""

import shutil
from pathlib import Path
from typing import Final

from madina.doctor.check import Check, Machine, checked, ok, warning
from madina.supervisor.nats_server import log_limit_bytes

__all__ = ["look"]

# With less of the disk free, there is little time left to add some.
LOW: Final = 0.1


def look(machine: Machine) -> list[Check]:
    """Look at the disk of the data folder."""
    folder = machine.folder.path
    there = next(path for path in (folder, *folder.parents) if path.is_dir())
    found = [_free(there)]
    if folder.is_dir() and machine.settings.nats_url is None:
        found.append(checked("log limit", lambda: _limit(machine)))
    return found


def _free(there: Path) -> Check:
    usage = shutil.disk_usage(there)
    words = f"{usage.free >> 20} MiB of {usage.total >> 20} MiB free in {there}"
    if usage.free < LOW * usage.total:
        mend = "free some, add a disk, or set MADINA_RETENTION_DAYS"
        return warning("disk", words, mend)
    return ok("disk", words)


def _limit(machine: Machine) -> str:
    limit_bytes = log_limit_bytes(machine.folder, machine.settings)
    words = f"the log takes at most {limit_bytes >> 20} MiB"
    if limit_bytes < machine.settings.log_max_bytes:
        return f"{words}, less than MADINA_LOG_MAX_BYTES, since the disk has no more"
    return words
