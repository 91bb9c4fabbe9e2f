"""`madina restore`: a backup into a data folder that has no store yet."""

from pathlib import Path
from typing import Annotated

import typer

from city.clock import MachineClock
from madina.backup.restoring import Restored, restore_backup
from madina.errors import CommandError
from madina.log_output import log_to_stderr
from madina.options import AsJson, DataDir
from madina.output import print_fields, print_json
from madina.settings import load_settings

__all__ = ["add_to", "restore"]

WARNING = 30


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("restore")(restore)


def restore(
    source: Annotated[Path, typer.Argument(help="What `madina backup` has made.")],
    *,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Verify a backup and put it into the data folder; exit status 1 where it does not add up."""
    log_to_stderr("restore", WARNING)
    settings = load_settings(data_dir).settings
    done = restore_backup(settings, source, MachineClock())
    if as_json:
        print_json(done)
    else:
        print_fields(_lines(done, settings.data_dir))
    difference = done.balance.difference
    if difference.messages or difference.observations:
        raise CommandError(
            f"the restored ledger does not add up: {difference.messages} messages and"
            f" {difference.observations} observations"
        )


def _lines(done: Restored, data_dir: Path) -> list[tuple[str, object]]:
    messages, made = done.balance.messages, done.manifest
    later = f"messages that came after {made.made_at} are not in it"
    if done.log_kept:
        later += ", but for those that the log still has: they are applied at the next start"
    return [
        ("restored into", data_dir.absolute()),
        ("made at", made.made_at),
        ("taken from the log", f"{made.parts.messages} messages"),
        ("received", messages.received),
        ("accepted", messages.accepted),
        ("quarantined", messages.quarantined),
        ("duplicate", messages.duplicate),
        ("difference", done.balance.difference.messages),
        ("later", later),
    ]
