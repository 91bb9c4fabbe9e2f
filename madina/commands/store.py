"""`madina store`: makes in a database server what madina needs there."""

import contextlib

import typer

from madina.errors import CommandError
from madina.opening import INFLUX, influx_store
from madina.options import AsJson, DataDir
from madina.output import print_json
from madina.settings import load_settings
from store.errors import StoreBusyError

__all__ = ["add_to", "provision"]

store = typer.Typer(help="What keeps the observations.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    store.callback()(_nothing)
    store.command("provision")(provision)
    app.add_typer(store, name="store")


def provision(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Make the database of MADINA_STORE_URL, and set how long it keeps observations."""
    settings = load_settings(data_dir).settings
    done: list[str] = []
    if (settings.store_url or "").startswith(f"{INFLUX}:"):
        with contextlib.closing(influx_store(settings)) as found:
            try:
                done = found.provision(settings.retention_days)
            except StoreBusyError as error:
                raise CommandError(f"{error.store}: {error.cause}") from error
    if as_json:
        print_json({"done": done})
        return
    for each in done or ["nothing to do"]:
        print(each)


def _nothing() -> None:
    """Make `provision` a command of its own although it is the only one."""
