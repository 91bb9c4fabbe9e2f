"""`madina providers`: departments and suppliers that run devices."""

from typing import Annotated

import typer

from madina.api import api, resource
from madina.options import AsJson, DataDir, Limit
from madina.output import print_document, print_items, print_secret

__all__ = ["add", "add_to", "change", "list_providers", "show"]

COLUMNS = ("name", "title", "contact", "created_at")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Departments and suppliers that run devices.")
    group.command("list")(list_providers)
    group.command("show")(show)
    group.command("add")(add)
    group.command("change")(change)
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


def show(
    name: Annotated[str, typer.Argument(help="Name of the provider.")],
    *,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show one provider."""
    with api(data_dir) as platform:
        print_document(platform.get(resource("/v1/providers", name)), as_json=as_json)


def change(
    name: Annotated[str, typer.Argument(help="Name of the provider.")],
    *,
    title: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    contact: Annotated[str | None, typer.Option(help="Whom to ask, in words.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Change what is given of a provider; the rest stays."""
    given = {"title": title, "contact": contact}
    members = {field: value for field, value in given.items() if value is not None}
    with api(data_dir) as platform:
        changed = platform.send("PATCH", resource("/v1/providers", name), members)
    print_document(changed, as_json=as_json)
