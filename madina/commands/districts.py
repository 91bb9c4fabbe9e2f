"""`madina districts`: outlines of the city's parts, from and to GeoJSON."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from madina.api import Document, api, resource
from madina.errors import CommandError
from madina.options import AsJson, DataDir
from madina.output import print_document, print_items

__all__ = ["add_to", "export_file", "import_file", "list_districts", "remove"]

COLUMNS = ("name", "title", "population", "updated_at")


class _Feature(msgspec.Struct):
    """A feature of GeoJSON (RFC 7946, section 3.2)."""

    geometry: dict[str, Any] | None
    properties: dict[str, Any] | None = None


class _Features(msgspec.Struct, tag_field="type", tag="FeatureCollection"):
    features: list[_Feature]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Parts of the city, each with its outline.")
    group.command("list")(list_districts)
    group.command("import")(import_file)
    group.command("export")(export_file)
    group.command("remove")(remove)
    app.add_typer(group, name="districts")


def list_districts(*, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List districts by name."""
    with api(data_dir) as platform:
        print_items(COLUMNS, platform.items("/v1/districts"), as_json=as_json)


def import_file(
    file: Annotated[Path, typer.Argument(help="GeoJSON FeatureCollection of polygons.")],
    *,
    name: Annotated[str, typer.Option(help="Property that is the name.")] = "name",
    title: Annotated[str, typer.Option(help="Property that people call it.")] = "title",
    population: Annotated[str, typer.Option(help="Property with its people.")] = "population",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Register or replace districts, all or none; what stands inside one is then in it."""
    try:
        collection = msgspec.json.decode(file.read_bytes(), type=_Features)
    except (OSError, msgspec.MsgspecError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from error
    members = {"name": name, "title": title, "population": population}
    items = [
        _district(file, number, feature, members)
        for number, feature in enumerate(collection.features, 1)
    ]
    with api(data_dir) as platform:
        result = platform.send("PUT", "/v1/districts", {"items": items})
    print_document(result, as_json=as_json)


def export_file(
    file: Annotated[Path, typer.Argument(help="Where to.")], *, data_dir: DataDir = None
) -> None:
    """Write all districts as GeoJSON, as `madina districts import` reads them."""
    with api(data_dir) as platform:
        features = [
            {
                "type": "Feature",
                "properties": {member: each[member] for member in ("name", "title", "population")},
                "geometry": each["geometry"],
            }
            for each in platform.items("/v1/districts")
        ]
    collection = msgspec.json.encode({"type": "FeatureCollection", "features": features})
    try:
        file.write_bytes(collection + b"\n")
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error}") from error
    print(f"{len(features)} districts in {file}")


def remove(
    name: Annotated[str, typer.Argument(help="Name of the district.")], *, data_dir: DataDir = None
) -> None:
    """Remove a district; what stood in it by its position stands in none."""
    with api(data_dir) as platform:
        platform.send("DELETE", resource("/v1/districts", name))
    print(f"{name} removed")


def _district(file: Path, number: int, feature: _Feature, members: dict[str, str]) -> Document:
    properties = feature.properties or {}
    if members["name"] not in properties:
        known = ", ".join(sorted(properties)) or "none"
        words = f"{file} feature {number} has no property {members['name']!r} (it has {known})"
        raise CommandError(f"{words}: say which is the name with --name")
    if feature.geometry is None:
        raise CommandError(f"{file} feature {number} has no geometry")
    found = {
        member: properties[of] for member, of in members.items() if properties.get(of) is not None
    }
    found["name"] = str(found["name"])
    return {**found, "geometry": feature.geometry}
