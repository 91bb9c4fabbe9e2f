"""The `madina` command: which commands there are, and how one ends.

A command's module is imported only when it is asked for, so that a gateway process never loads a
database and `madina --help` is the only one that waits for all of them.
"""

import gc
import importlib
import sys
import traceback
from collections.abc import Mapping
from typing import Final

import typer

from madina.errors import CommandError, SetupError

__all__ = ["COMMANDS", "build", "main"]

# Name of the command, and the module that adds it; in the order of `madina --help`.
COMMANDS: Final[Mapping[str, str]] = {
    "up": "up",
    "gateway": "gateway",
    "bridge": "bridge",
    "node": "node",
    "ingest": "ingest",
    "services": "services",
    "ledger": "ledger",
    "quarantine": "quarantine",
    "indicators": "indicators",
    "devices": "devices",
    "providers": "providers",
    "places": "places",
    "districts": "districts",
    "profiles": "profiles",
    "calibrations": "calibrations",
    "maintenance": "maintenance",
    "pull": "pull",
    "routes": "routes",
    "users": "users",
    "keys": "keys",
    "inspect": "inspect",
    "load": "load",
    "replay": "replay",
    "demo-city": "demo_city",
    "backup": "backup",
    "restore": "restore",
    "store": "store",
    "config": "config",
    "doctor": "doctor",
}
DONE_STATUS, FAILED_STATUS, SETUP_STATUS = 0, 1, 2


def build(names: list[str]) -> typer.Typer:
    """Return the application with some of the commands."""
    app = typer.Typer(
        name="madina",
        help="Sensor messages of a city, from MQTT to numbers that can be audited.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    # A callback, so that a single command is still asked for by its name.
    app.callback()(_nothing)
    for name in names:
        importlib.import_module(f"madina.commands.{COMMANDS[name]}").add_to(app)
    return app


def main() -> None:
    """Run a command; exit status 0 only on success, 2 where a person has to mend the set-up."""
    status, words = _run()
    # Libraries that find something still open at the end would have the last word, which belongs
    # to the reason: let go of all of it first.
    gc.collect()
    if words:
        print(f"madina: {words}", file=sys.stderr)
    sys.exit(status)


def _run() -> tuple[int, str]:
    """Return how the command ended, and why where it failed."""
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        build([asked] if asked in COMMANDS else list(COMMANDS))()
    except KeyboardInterrupt:
        return FAILED_STATUS, ""
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else DONE_STATUS, ""
    except Exception as error:  # noqa: BLE001 - its name has to be the last line, whatever it is
        return _failed(error)
    return DONE_STATUS, ""


def _failed(error: Exception) -> tuple[int, str]:
    words = str(error)
    if not isinstance(error, SetupError | CommandError):
        traceback.print_exception(error)
        words = f"a defect of madina: {type(error).__name__}: {error}"
    # Whoever keeps the error must not keep with it what its frames had open.
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return SETUP_STATUS if isinstance(error, SetupError) else FAILED_STATUS, words


def _nothing() -> None:
    """Carry the options that all commands would share; there are none."""
