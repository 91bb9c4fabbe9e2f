"""`madina up`: the log, the gateway and the node on one machine."""

from typing import Annotated

import typer

from madina.options import DataDir
from madina.settings import load_settings
from madina.up import run_up

__all__ = ["add_to", "up"]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("up")(up)


def up(
    *,
    demo: Annotated[bool, typer.Option(help="Add a simulated city that publishes.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Run everything on one machine until Ctrl-C."""
    run_up(load_settings(data_dir).settings, demo=demo)
