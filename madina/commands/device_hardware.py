"""`madina devices replace` and `hardware`: new hardware in a device's place, and what was there."""

from typing import Annotated

import typer

from madina.api import Document, api
from madina.options import AsJson, DataDir
from madina.output import print_items

__all__ = ["add_to", "hardware", "replace"]

COLUMNS = ("device", "hardware", "since", "until", "note", "recorded_at")

Name = Annotated[str, typer.Argument(metavar="PROVIDER/DEVICE", help="Whose place it is.")]


def add_to(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("replace")(replace)
    group.command("hardware")(hardware)


def replace(
    device: Name,
    new: Annotated[str, typer.Argument(metavar="NEW", help="The id that the new one sends.")],
    *,
    at: Annotated[str, typer.Option(help="From when on it measures: 2026-03-04T05:06:07Z")],
    note: Annotated[str, typer.Option(help="Why, and who did it.")] = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Put new hardware in a device's place: same name, same series, both on record."""
    body = {"device": device, "hardware": new, "at": at, "note": note}
    with api(data_dir) as platform:
        made = platform.send("POST", "/v1/device-hardware", body)
        print_items(COLUMNS, _items(made), as_json=as_json)


def hardware(device: Name, *, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List what stood in a device's place, oldest first; nothing where it was never replaced."""
    with api(data_dir) as platform:
        found = platform.get("/v1/device-hardware", {"device": device})
        print_items(COLUMNS, _items(found), as_json=as_json)


def _items(answer: Document) -> list[Document]:
    items = answer["items"]
    assert isinstance(items, list), "a list has items"
    return items  # pyright: ignore[reportUnknownVariableType] - JSON objects
