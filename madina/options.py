"""Options that several commands share, so that they read and behave the same everywhere."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["AsJson", "DataDir", "Limit", "ReadyFd"]

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Data folder; wins over MADINA_DATA_DIR.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Limit = Annotated[
    int | None, typer.Option(min=1, help="At most so many entries.", show_default="all")
]
ReadyFd = Annotated[
    int | None,
    typer.Option(hidden=True, help="Descriptor that gets a line once this process serves."),
]
