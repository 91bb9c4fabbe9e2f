"""`madina keys`: keys of the API beside the admin key."""

from typing import Annotated

import typer

from madina.api import api, resource
from madina.options import AsJson, DataDir
from madina.output import print_items, print_secret

__all__ = ["add", "add_to", "list_keys", "revoke"]

COLUMNS = ("id", "name", "provider", "route", "created_at")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Keys of the API beside the admin key.")
    group.command("list")(list_keys)
    group.command("add")(add)
    group.command("revoke")(revoke)
    app.add_typer(group, name="keys")


def list_keys(*, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List keys, oldest first; what opens is shown nowhere."""
    with api(data_dir) as platform:
        print_items(COLUMNS, platform.items("/v1/keys"), as_json=as_json)


def add(
    name: Annotated[str, typer.Argument(help="Who or what it is for.")],
    *,
    provider: Annotated[
        str | None, typer.Option(help="It may only send, to routes of this provider.")
    ] = None,
    route: Annotated[
        str | None, typer.Option(help="It may only send, to this route; it may sign.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Make a key, which is shown this once."""
    with api(data_dir) as platform:
        body = {"name": name, "provider": provider, "route": route}
        print_secret(platform.send("POST", "/v1/keys", body), "key", as_json=as_json)


def revoke(
    key: Annotated[str, typer.Argument(metavar="ID", help="Id of the key, as listed.")],
    *,
    data_dir: DataDir = None,
) -> None:
    """Revoke a key: it opens nothing any more."""
    with api(data_dir) as platform:
        platform.send("DELETE", resource("/v1/keys", key))
    print(f"{key} is revoked")
