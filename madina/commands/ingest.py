"""`madina ingest`: the half of a node that applies the log."""

import typer

from madina.log_output import log_to_stderr
from madina.node import run_node
from madina.options import DataDir, ReadyFd
from madina.ready import ready_teller
from madina.settings import load_settings

__all__ = ["add_to", "ingest"]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ingest")(ingest)


def ingest(*, ready_fd: ReadyFd = None, data_dir: DataDir = None) -> None:
    """Apply the log to the store, without the API."""
    settings = load_settings(data_dir).settings
    log_to_stderr("ingest")
    run_node(settings, ready_teller(ready_fd), with_services=False)
