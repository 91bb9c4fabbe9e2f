"""`madina node`: ingest and services in the one process that may open a DuckDB store."""

import typer

from madina.log_output import log_to_stderr
from madina.node import run_node
from madina.options import DataDir, ReadyFd
from madina.ready import ready_teller
from madina.settings import load_settings

__all__ = ["add_to", "node"]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("node")(node)


def node(*, ready_fd: ReadyFd = None, data_dir: DataDir = None) -> None:
    """Apply the log to the store and answer on the HTTP port, in one process."""
    settings = load_settings(data_dir).settings
    log_to_stderr("node")
    run_node(settings, ready_teller(ready_fd))
