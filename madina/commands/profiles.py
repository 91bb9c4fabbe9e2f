"""`madina profiles`: what devices of one make have in common, from TOML files."""

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from madina.api import Document, api, resource
from madina.errors import CommandError
from madina.options import AsJson, DataDir
from madina.output import print_document, print_items

__all__ = ["add_to", "list_profiles", "put", "remove", "show"]

COLUMNS = ("name", "title", "kind", "expected_interval_s", "updated_at")

Name = Annotated[str, typer.Argument(help="Name of the profile.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="What devices of one make have in common.")
    group.command("list")(list_profiles)
    group.command("show")(show)
    group.command("put")(put)
    group.command("remove")(remove)
    app.add_typer(group, name="profiles")


def list_profiles(*, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List profiles by name."""
    with api(data_dir) as platform:
        print_items(COLUMNS, platform.items("/v1/profiles"), as_json=as_json)


def show(name: Name, *, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show one profile with the limits of its quantities."""
    with api(data_dir) as platform:
        print_document(platform.get(resource("/v1/profiles", name)), as_json=as_json)


def put(
    file: Annotated[Path, typer.Argument(help="TOML: a table a profile, named as it is.")],
    *,
    data_dir: DataDir = None,
) -> None:
    """Register the profiles of a file, or change those that are registered."""
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
        profiles = msgspec.convert(found, dict[str, Document])
    except (OSError, ValueError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from error
    with api(data_dir) as platform:
        known = {each["name"] for each in platform.items("/v1/profiles")}
        for name, members in profiles.items():
            if name in known:
                platform.send("PATCH", resource("/v1/profiles", name), members)
            else:
                platform.send("POST", "/v1/profiles", {"name": name, **members})
            print(f"{name} {'changed' if name in known else 'registered'}")


def remove(name: Name, *, data_dir: DataDir = None) -> None:
    """Remove a profile that no device has."""
    with api(data_dir) as platform:
        platform.send("DELETE", resource("/v1/profiles", name))
    print(f"{name} removed")
