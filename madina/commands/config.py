"""`madina config show`: every setting, and where its value came from."""

import re
from typing import cast

import typer

from madina.options import AsJson, DataDir
from madina.output import print_json, print_table
from madina.settings import SECRETS, load_settings, variable

__all__ = ["add_to", "show"]

PASSWORD = re.compile(r"(?<=://)([^/@]*)@")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    config = typer.Typer(no_args_is_help=True, help="Settings and where they came from.")
    config.callback()(_nothing)
    config.command("show")(show)
    app.add_typer(config, name="config")


def show(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show every setting with its value and origin; passwords masked."""
    loaded = load_settings(data_dir)
    values = loaded.settings.model_dump(mode="json")
    shown = {field: _masked(field, value) for field, value in values.items()}
    if as_json:
        print_json(
            {
                field: {"value": value, "from": loaded.origins[field], "variable": variable(field)}
                for field, value in shown.items()
            }
        )
        return
    print_table(
        ("setting", "value", "from"),
        ((variable(field), value, loaded.origins[field]) for field, value in shown.items()),
    )


def _masked(field: str, value: object) -> object:
    if field not in SECRETS:
        return value
    if isinstance(value, list):
        return [PASSWORD.sub("***@", str(each)) for each in cast("list[object]", value)]
    if not isinstance(value, str):
        return value
    return PASSWORD.sub("***@", value) if "://" in value else "***"


def _nothing() -> None:
    """Make `show` a command of its own although it is the only one."""
