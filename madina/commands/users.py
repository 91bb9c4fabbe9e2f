"""`madina users`: who may publish over MQTT from beyond this machine."""

from typing import Annotated

import typer

from madina.api import api, resource
from madina.options import AsJson, DataDir, Limit
from madina.output import print_document, print_items, print_secret

__all__ = ["add", "add_to", "disable", "enable", "list_users", "remove", "renew"]

COLUMNS = ("name", "provider", "device", "disabled", "created_at")

Name = Annotated[str, typer.Argument(help="Name of the user, as in MQTT's CONNECT.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Who may publish over MQTT.")
    group.command("list")(list_users)
    group.command("add")(add)
    group.command("renew")(renew)
    group.command("disable")(disable)
    group.command("enable")(enable)
    group.command("remove")(remove)
    app.add_typer(group, name="users")


def list_users(*, limit: Limit = None, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List users by name."""
    with api(data_dir) as platform:
        print_items(COLUMNS, platform.items("/v1/users", limit=limit), as_json=as_json)


def add(
    name: Name,
    *,
    provider: Annotated[str | None, typer.Option(help="Its provider; by default its name.")] = None,
    device: Annotated[str | None, typer.Option(help="The one device that it is.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Make a user; its secret is shown this once."""
    body = {"name": name, "provider": provider or name, "device": device}
    with api(data_dir) as platform:
        print_secret(platform.send("POST", "/v1/users", body), "secret", as_json=as_json)


def renew(name: Name, *, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Give a user another secret, which is shown this once; the old one opens nothing."""
    with api(data_dir) as platform:
        made = platform.send("POST", resource("/v1/users", name, "secret"))
    print_secret(made, "secret", as_json=as_json)


def disable(name: Name, *, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Lock a user out: its connections end within a second."""
    _change(name, data_dir, disabled=True, as_json=as_json)


def enable(name: Name, *, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Let a user in again."""
    _change(name, data_dir, disabled=False, as_json=as_json)


def remove(name: Name, *, data_dir: DataDir = None) -> None:
    """Remove a user."""
    with api(data_dir) as platform:
        platform.send("DELETE", resource("/v1/users", name))
    print(f"{name} is removed")


def _change(name: str, data_dir: DataDir, *, disabled: bool, as_json: bool) -> None:
    with api(data_dir) as platform:
        user = platform.send("PATCH", resource("/v1/users", name), {"disabled": disabled})
    print_document(user, as_json=as_json)
