"""`madina services`: the half of a node that answers people and programs."""

import typer

from madina.log_output import log_to_stderr
from madina.node import run_node
from madina.options import DataDir, ReadyFd
from madina.ready import ready_teller
from madina.settings import load_settings

__all__ = ["add_to", "services"]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("services")(services)


def services(*, ready_fd: ReadyFd = None, data_dir: DataDir = None) -> None:
    """Answer on the HTTP port, without applying the log."""
    settings = load_settings(data_dir).settings
    log_to_stderr("services")
    run_node(settings, ready_teller(ready_fd), with_ingest=False)
