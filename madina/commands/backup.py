"""`madina backup`: a consistent copy of the data folder, also while the platform runs."""

from pathlib import Path
from typing import Annotated

import typer

from city.clock import MachineClock
from madina.backup.making import make_backup
from madina.options import AsJson, DataDir
from madina.output import print_fields, print_json
from madina.settings import load_settings

__all__ = ["add_to", "backup"]

ELSEWHERE = "on a server: back it up with the server's own tool (docs/backup.md)"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("backup")(backup)


def backup(
    target: Annotated[
        Path, typer.Argument(help="A name that ends in .tar, or a folder; nothing may be there.")
    ],
    *,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Copy store, registry and what the log holds beyond them, with sums (SHA-256)."""
    made = make_backup(load_settings(data_dir).settings, target, MachineClock())
    if as_json:
        print_json(made)
        return
    parts = made.parts
    print_fields(
        [
            ("backup", target),
            ("made at", made.made_at),
            ("size", f"{sum(each.size_bytes for each in made.contents):,} bytes"),
            ("store", f"{parts.applied} messages applied"),
            ("registry", "in it" if parts.registry else ELSEWHERE),
            (
                "log",
                f"{parts.messages} messages in {parts.frames} frames that were not applied yet",
            ),
            ("not in it", "settings, certificates and the admin key: keep those yourself"),
        ]
    )
