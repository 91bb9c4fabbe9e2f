"""`madina routes`: which topics are read by which codec, for which provider."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from madina.api import Document, api, resource
from madina.errors import CommandError
from madina.options import AsJson, DataDir
from madina.output import print_document, print_items

__all__ = ["add", "add_to", "disable", "enable", "list_routes", "remove", "show"]

COLUMNS = ("name", "pattern", "codec", "provider", "enabled", "recorded", "timezone")

Name = Annotated[str, typer.Argument(help="Name of the route.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Which topics are read by which codec.")
    group.command("list")(list_routes)
    group.command("show")(show)
    group.command("add")(add)
    group.command("enable")(enable)
    group.command("disable")(disable)
    group.command("remove")(remove)
    app.add_typer(group, name="routes")


def list_routes(*, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List routes by name."""
    with api(data_dir) as platform:
        print_items(COLUMNS, platform.items("/v1/routes"), as_json=as_json)


def show(name: Name, *, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show one route."""
    with api(data_dir) as platform:
        print_document(platform.get(resource("/v1/routes", name)), as_json=as_json)


def add(  # noqa: PLR0913 - each is an option of the command line
    name: Name,
    pattern: Annotated[str, typer.Argument(help="MQTT topic filter.")],
    codec: Annotated[str, typer.Argument(help="What reads the messages: native, ...")],
    *,
    provider: Annotated[
        str | None, typer.Option(help="Whose devices send there; unset: the topic says.")
    ] = None,
    recorded: Annotated[bool, typer.Option(help="Believe every time, however old.")] = False,
    timezone: Annotated[
        str | None, typer.Option(help="Zone of times without one; unset: the city's.")
    ] = None,
    options: Annotated[
        str | None, typer.Option(help="For the codec: a JSON object, or @FILE with one.")
    ] = None,
    levels: Annotated[
        list[int] | None,
        typer.Option("--level", help="Topic levels that decide the shard; the first is 1."),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Register a route; ingest follows it within a second."""
    body = {
        "name": name,
        "pattern": pattern,
        "codec": codec,
        "provider": provider,
        "recorded": recorded,
        "timezone": timezone,
        "options": _options(options),
        "levels": levels or [],
    }
    with api(data_dir) as platform:
        print_document(platform.send("POST", "/v1/routes", body), as_json=as_json)


def enable(name: Name, *, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Let a route read messages again."""
    _change(name, data_dir, enabled=True, as_json=as_json)


def disable(name: Name, *, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Leave a route out: messages of its pattern are parked."""
    _change(name, data_dir, enabled=False, as_json=as_json)


def remove(name: Name, *, data_dir: DataDir = None) -> None:
    """Remove a route: messages of its pattern are parked."""
    with api(data_dir) as platform:
        platform.send("DELETE", resource("/v1/routes", name))
    print(f"{name} is removed")


def _change(name: str, data_dir: Path | None, *, enabled: bool, as_json: bool) -> None:
    with api(data_dir) as platform:
        route = platform.send("PATCH", resource("/v1/routes", name), {"enabled": enabled})
    print_document(route, as_json=as_json)


def _options(given: str | None) -> Document:
    if given is None:
        return {}
    try:
        text = Path(given[1:]).read_bytes() if given.startswith("@") else given.encode()
        return msgspec.json.decode(text, type=Document)
    except (OSError, msgspec.MsgspecError) as error:
        raise CommandError(f"--options {given!r} cannot be read: {error}") from error
