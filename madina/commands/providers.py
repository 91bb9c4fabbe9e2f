"""`madina providers`: departments and suppliers that run devices."""

from typing import Annotated

import typer

from madina.api import api
from madina.options import AsJson, DataDir, Limit
from madina.output import print_items, print_secret

__all__ = ["add", "add_to", "list_providers"]

COLUMNS = ("name", "title", "contact", "created_at")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Departments and suppliers that run devices.")
    group.command("list")(list_providers)
    group.command("add")(add)
    app.add_typer(group, name="providers")


def list_providers(
    *, limit: Limit = None, as_json: AsJson = False, data_dir: DataDir = None
) -> None:
    """List providers by name."""
    with api(data_dir) as platform:
        print_items(COLUMNS, platform.items("/v1/providers", limit=limit), as_json=as_json)


def add(
    name: Annotated[str, typer.Argument(help="One topic level: letters, digits, . _ -")],
    *,
    title: Annotated[str, typer.Option(help="What people call it.")] = "",
    contact: Annotated[str, typer.Option(help="Whom to ask, in words.")] = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Register a provider with an MQTT user of its name; its secret is shown this once."""
    with api(data_dir) as platform:
        made = platform.send(
            "POST", "/v1/providers", {"name": name, "title": title, "contact": contact}
        )
    print_secret(made, "secret", as_json=as_json)
