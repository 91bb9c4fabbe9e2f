"""`madina maintenance`: when devices are being worked on, so that nobody misses them."""

from typing import Annotated

import typer

from madina.api import api, resource
from madina.options import AsJson, DataDir, Limit
from madina.output import print_document, print_items

__all__ = ["add", "add_to", "list_maintenance", "remove"]

COLUMNS = ("id", "device", "since", "until", "note")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="When devices are being worked on.")
    group.command("list")(list_maintenance)
    group.command("add")(add)
    group.command("remove")(remove)
    app.add_typer(group, name="maintenance")


def list_maintenance(
    *,
    device: Annotated[str | None, typer.Option(help="Of one device: PROVIDER/DEVICE.")] = None,
    limit: Limit = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List maintenance, oldest first."""
    with api(data_dir) as platform:
        items = platform.items("/v1/maintenance", {"device": device}, limit)
        print_items(COLUMNS, items, as_json=as_json)


def add(
    device: Annotated[str, typer.Argument(metavar="PROVIDER/DEVICE")],
    *,
    since: Annotated[str, typer.Option("--from", help="2026-03-04T05:06:07Z")],
    until: Annotated[
        str | None, typer.Option(help="Excluded; until further notice where left out.")
    ] = None,
    note: Annotated[str, typer.Option(help="What is done, and by whom.")] = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Say that a device is being worked on: it is not silent then, and nothing is missing."""
    body = {"device": device, "since": since, "until": until, "note": note}
    with api(data_dir) as platform:
        print_document(platform.send("POST", "/v1/maintenance", body), as_json=as_json)


def remove(
    maintenance: Annotated[int, typer.Argument(help="Its number.")], *, data_dir: DataDir = None
) -> None:
    """Take a maintenance back."""
    with api(data_dir) as platform:
        platform.send("DELETE", resource("/v1/maintenance", str(maintenance)))
    print(f"maintenance {maintenance} taken back")
