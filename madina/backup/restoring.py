"""`madina restore`: verifies a backup, applies the frames in it, and moves it into a data folder.

What is restored follows whatever log there is from its beginning: frames that are applied already
are known by their gateways' counts, so an old log gives what the backup does not have, and a new
one is not mistaken for the old.
"""

import shutil
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from city.clock import Clock
from city.ledger import Balance
from city.scope import EVERYTHING
from ingest.applier import Applier, ApplierSettings
from ingest.codecs.catalogue import find_codecs
from madina.backup.archive import BackupReader, reading
from madina.backup.log_frames import read_frames
from madina.backup.manifest import FORMAT, FRAMES, INSTALLATION, REGISTRY, STORE, Manifest
from madina.data_folder import DataFolder
from madina.errors import CommandError, SetupError
from madina.opening import Opened, opened
from madina.progress import Progress
from madina.settings import Settings
from store.interface import LedgerQuery

__all__ = ["Restored", "restore_backup"]

STAGING: Final = "restoring"
APPLIED_AT_ONCE: Final = 256


class Restored(msgspec.Struct, frozen=True):
    """What a restore came to.

    Attributes:
        balance: The ledger, with the frames of the backup applied.
        log_kept: A log lies in the data folder, or is a server's: what it has beyond the backup
            is applied at the next start.
    """

    manifest: Manifest
    balance: Balance
    log_kept: bool


def restore_backup(settings: Settings, source: Path, clock: Clock) -> Restored:
    """Restore a backup into the data folder of the settings, which holds no store yet.

    Raises:
        SetupError: The data folder is in use, or has a store or a registry already.
        CommandError: The backup is not whole, or of a newer version; nothing has changed.
    """
    folder = DataFolder(settings.data_dir)
    progress = Progress()
    with reading(source) as backup, folder.held():
        manifest = _manifest(backup, source)
        staging = DataFolder(folder.path / STAGING)
        _refuse(settings, folder, manifest, cut_off=staging.path.exists())
        shutil.rmtree(staging.path, ignore_errors=True)
        staging.path.mkdir(mode=0o700)
        try:
            _unpack(backup, manifest, staging.path, progress)
            balance = _complete(settings, staging, clock, progress, manifest.made_at)
            _move(staging, folder, manifest)
        finally:
            shutil.rmtree(staging.path, ignore_errors=True)
        progress.end()
        kept = settings.nats_url is not None or folder.nats_store.exists()
        return Restored(manifest, balance, kept)


def _manifest(backup: BackupReader, source: Path) -> Manifest:
    manifest = msgspec.json.decode(backup.manifest(), type=Manifest)
    if manifest.format > FORMAT:
        raise CommandError(
            f"{source} was made by a newer madina ({manifest.madina}, format {manifest.format}):"
            " install that version"
        )
    names = {each.name for each in manifest.contents}
    if not names <= {STORE, REGISTRY, FRAMES, INSTALLATION}:
        raise CommandError(f"{source} is no backup: it names {', '.join(sorted(names))}")
    return manifest


def _refuse(settings: Settings, folder: DataFolder, manifest: Manifest, *, cut_off: bool) -> None:
    """Refuse to replace anything; a registry beside the rest of a restore is that restore's."""
    there = [folder.duckdb] if cut_off else [folder.duckdb, folder.registry]
    for path in there:
        if path.exists():
            raise SetupError(
                f"{path} is there already, and a restore replaces nothing",
                "move it away, or set MADINA_DATA_DIR to another folder",
            )
    if settings.store_url is not None:
        raise SetupError(
            "a backup is restored into the data folder, and MADINA_STORE_URL is set",
            f"unset it for the restore, then move {folder.duckdb.name} where you want it",
        )
    if settings.database_url is not None and manifest.parts.registry:
        raise SetupError(
            "the backup has a registry of its own, and MADINA_DATABASE_URL is set",
            "unset it for the restore",
        )
    if manifest.timezone != settings.timezone:
        raise SetupError(
            f"the backup's time zone is {manifest.timezone}, ours {settings.timezone}",
            f"set MADINA_TIMEZONE={manifest.timezone}: days would not be the same",
        )


def _unpack(backup: BackupReader, manifest: Manifest, target: Path, progress: Progress) -> None:
    total = sum(each.size_bytes for each in manifest.contents)
    free_bytes = shutil.disk_usage(target).free
    if free_bytes < total:
        raise CommandError(f"{target} has {free_bytes >> 20} MiB free, {total >> 20} are needed")
    done = 0

    def told(more: int) -> None:
        nonlocal done
        done += more
        progress.share("verifying and unpacking", done / max(total, 1))

    for content in manifest.contents:
        backup.copy(content, target / content.name, told)


def _complete(
    settings: Settings, staging: DataFolder, clock: Clock, progress: Progress, made_at: str
) -> Balance:
    """Open what was unpacked, apply its frames, and let it follow another log."""
    there = settings.model_copy(update={"data_dir": staging.path})
    rules = ApplierSettings(unknown_devices=settings.unknown_devices, timezone=settings.timezone)
    with opened(there, clock) as found:
        _apply(found, rules, staging.path / FRAMES, progress)
        found.file.forget_marks()
        found.registry.audit.write("command", "backup.restored", made_at)
        return found.store.ledger(EVERYTHING, LedgerQuery())


def _apply(found: Opened, rules: ApplierSettings, path: Path, progress: Progress) -> None:
    applier = Applier(found.store, found.registry, rules, find_codecs())
    applier.load()
    size_bytes, done = max(path.stat().st_size, 1), 0
    left = read_frames(path)
    while frames := [*islice(left, APPLIED_AT_ONCE)]:
        applier.apply(frames)
        done += sum(len(each.data) for each in frames)
        progress.share("applying what the log held", min(done / size_bytes, 1))


def _move(staging: DataFolder, folder: DataFolder, manifest: Manifest) -> None:
    """Put the files in place, the store last: with it the restore is done."""
    if manifest.parts.registry:
        staging.registry.replace(folder.registry)
    if staging.installation_file.exists() and not folder.installation_file.exists():
        staging.installation_file.replace(folder.installation_file)
    staging.duckdb.replace(folder.duckdb)
