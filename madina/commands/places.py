"""`madina places`: points of the city that devices stand at."""

from typing import Annotated

import typer

from madina.api import api, resource
from madina.options import AsJson, DataDir, Limit
from madina.output import print_document, print_items

__all__ = ["add", "add_to", "change", "list_places", "show"]

COLUMNS = ("name", "title", "in_district", "address", "lat", "lon", "timezone")

Name = Annotated[str, typer.Argument(help="Name of the place: letters, digits, . _ -")]
Title = Annotated[str | None, typer.Option(help="What people call it.")]
Lat = Annotated[float | None, typer.Option(help="Latitude in degrees.")]
Lon = Annotated[float | None, typer.Option(help="Longitude in degrees.")]
District = Annotated[
    str | None, typer.Option(help="Its district, where the outlines do not say it.")
]
Address = Annotated[str | None, typer.Option(help="Street and number.")]
Zone = Annotated[
    str | None, typer.Option("--timezone", help="IANA zone, where it is not the city's.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Points of the city that devices stand at.")
    group.command("list")(list_places)
    group.command("show")(show)
    group.command("add")(add)
    group.command("change")(change)
    app.add_typer(group, name="places")


def list_places(*, limit: Limit = None, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List places by name."""
    with api(data_dir) as platform:
        print_items(COLUMNS, platform.items("/v1/places", limit=limit), as_json=as_json)


def show(name: Name, *, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show one place."""
    with api(data_dir) as platform:
        print_document(platform.get(resource("/v1/places", name)), as_json=as_json)


def add(  # noqa: PLR0913 - each is an option of the command line
    name: Name,
    *,
    title: Title = None,
    lat: Lat = None,
    lon: Lon = None,
    district: District = None,
    address: Address = None,
    timezone: Zone = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Register a place."""
    members = _members(title, lat, lon, district, address, timezone)
    with api(data_dir) as platform:
        made = platform.send("POST", "/v1/places", {"name": name, **members})
        print_document(made, as_json=as_json)


def change(  # noqa: PLR0913 - each is an option of the command line
    name: Name,
    *,
    title: Title = None,
    lat: Lat = None,
    lon: Lon = None,
    district: District = None,
    address: Address = None,
    timezone: Zone = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Change what is given of a place; its devices move with it."""
    members = _members(title, lat, lon, district, address, timezone)
    with api(data_dir) as platform:
        made = platform.send("PATCH", resource("/v1/places", name), members)
        print_document(made, as_json=as_json)


def _members(*given: object) -> dict[str, object]:
    """Return the members that were given, in the order of the options."""
    fields = ("title", "lat", "lon", "district", "address", "timezone")
    return {field: value for field, value in zip(fields, given, strict=True) if value is not None}
