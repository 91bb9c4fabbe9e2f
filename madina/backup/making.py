"""`madina backup`: copies store and registry, then the log beyond them, into one archive.

The order makes it consistent: the store's copy says how far the log is applied, and the frames
behind that are read afterwards, while the log still has them. A restore applies them.
"""

import asyncio
import contextlib
import importlib.metadata
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from city.clock import Clock
from city.instants import to_text
from madina.api import Api, api, resource
from madina.backup.archive import BackupWriter, writing
from madina.backup.copier import Copied, Copier, read_copied
from madina.backup.log_frames import FrameCount, GapError, copy_frames
from madina.backup.manifest import (
    FORMAT,
    FRAMES,
    INSTALLATION,
    REGISTRY,
    STORE,
    Content,
    Manifest,
    Parts,
)
from madina.backup.stopped import log_of
from madina.data_folder import DataFolder, RunFile
from madina.errors import CommandError, SetupError
from madina.opening import opened
from madina.progress import Progress
from madina.settings import Settings

__all__ = ["make_backup"]

LOOK_S: Final = 0.2
# A purge happens when the log is half full; twice within some seconds is not to be expected.
ATTEMPTS: Final = 3
STOPPED: Final = "stopped"


class _Copy(msgspec.Struct, frozen=True):
    """The members of `/v1/copies/{id}`."""

    id: str
    state: str
    folder: str
    share: float
    words: str


class _Taken(msgspec.Struct, frozen=True):
    """A copy with the frames beyond it."""

    folder: Path
    copied: Copied
    frames: FrameCount


def make_backup(settings: Settings, target: Path, clock: Clock) -> Manifest:
    """Back up the data folder, whether the platform runs or not.

    Args:
        settings: Which data folder.
        target: A name that ends in `.tar`, or that of a folder; nothing may be there.
        clock: For the manifest.

    Raises:
        SetupError: There is no data folder, or it cannot be opened.
        CommandError: The backup could not be made; nothing of it is left.
    """
    folder = DataFolder(settings.data_dir)
    if not folder.path.is_dir():
        raise SetupError(f"there is no data folder {folder.path}", "set MADINA_DATA_DIR")
    progress = Progress()
    try:
        with writing(target) as archive:
            run, made_at = folder.running(), to_text(clock.now_us())
            if run:
                taken = _beside(settings, folder, run, progress)
            else:
                taken = _alone(settings, clock, progress)
            contents = _write(archive, taken, folder, progress)
            manifest = Manifest(
                format=FORMAT,
                madina=importlib.metadata.version("madina"),
                made_at=made_at,
                city=settings.city,
                timezone=settings.timezone,
                parts=_parts(taken),
                contents=contents,
            )
            archive.finish(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
    finally:
        shutil.rmtree(folder.copies, ignore_errors=True)
        progress.end()
    return manifest


def _write(
    archive: BackupWriter, taken: _Taken, folder: DataFolder, progress: Progress
) -> tuple[Content, ...]:
    names = [STORE, *([REGISTRY] if taken.copied.registry else []), FRAMES]
    files = {name: taken.folder / name for name in names}
    if folder.installation_file.exists():
        files[INSTALLATION] = folder.installation_file
    sizes = [path.stat().st_size for path in files.values()]
    done = 0

    def told(more: int) -> None:
        nonlocal done
        done += more
        progress.share("writing", done / max(sum(sizes), 1))

    return tuple(archive.add(name, path, told) for name, path in files.items())


def _parts(taken: _Taken) -> Parts:
    return Parts(
        store=True,
        registry=taken.copied.registry,
        applied=sum(each.count for each in taken.copied.counts),
        frames=taken.frames.frames,
        messages=taken.frames.messages,
    )


def _beside(settings: Settings, folder: DataFolder, run: RunFile, progress: Progress) -> _Taken:
    """Let the running platform copy, and read its log."""
    shards = folder.shards() or settings.shards
    with api(settings.data_dir) as platform:
        return _until_whole(lambda: _copied_by(platform, progress), run.nats, shards)


def _copied_by(platform: Api, progress: Progress) -> Path:
    begun = msgspec.convert(platform.send("POST", "/v1/copies"), _Copy)
    found = begun
    while found.state == "running":
        time.sleep(LOOK_S)
        found = msgspec.convert(platform.get(resource("/v1/copies", begun.id)), _Copy)
        progress.share("copying", found.share)
    if found.state != "done":
        raise CommandError(f"the platform could not copy: {found.words}")
    return Path(found.folder)


def _alone(settings: Settings, clock: Clock, progress: Progress) -> _Taken:
    """Copy what nobody has open, and start its log for as long as it is read."""
    folder = DataFolder(settings.data_dir)
    shards = folder.shards() or settings.shards

    def copy() -> Path:
        with opened(settings, clock) as found:
            copier = Copier(found, folder)
            copier.make(STOPPED, lambda share: progress.share("copying", share))
            return copier.folder(STOPPED)

    with folder.held(), contextlib.ExitStack() as kept:
        url = kept.enter_context(log_of(folder, settings))
        return _until_whole(copy, url, shards)


def _until_whole(copy: Callable[[], Path], url: str | None, shards: int) -> _Taken:
    """Copy, and read the log behind the copy; again where the log was purged in between."""
    for _ in range(ATTEMPTS):
        folder = copy()
        copied = read_copied(folder)
        frames = folder / FRAMES
        if url is None:
            frames.touch()
            return _Taken(folder, copied, FrameCount())
        with contextlib.suppress(GapError):
            read = asyncio.run(copy_frames(url, shards, copied.marks, copied.counts, frames))
            return _Taken(folder, copied, read)
    raise CommandError(
        f"the log was purged {ATTEMPTS} times while it was read: back up when less comes in,"
        " or raise MADINA_LOG_MAX_BYTES"
    )
