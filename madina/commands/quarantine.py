"""`madina quarantine`: messages that could not be accepted, and what becomes of them."""

import base64
from typing import Annotated, cast

import typer

from madina.api import Document, api, resource
from madina.options import AsJson, DataDir
from madina.output import print_fields, print_json, print_table

__all__ = ["add_to", "drop", "list_entries", "replay", "show"]

LISTED = 50
PARTIAL = "partial"
TEXT_SHOWN = 4_096
COLUMNS = ("id", "received_at", "reason", "device", "topic", "words")

Ids = Annotated[list[str] | None, typer.Argument(help="Entries, by id.", show_default=False)]
Reason = Annotated[str | None, typer.Option(help="Of this reason: unknown_device, ...")]
Provider = Annotated[str | None, typer.Option(help="Of one provider.")]
Device = Annotated[str | None, typer.Option(help="Of one device: its id, without the provider.")]
Route = Annotated[str | None, typer.Option(help="Of one route.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Messages that could not be accepted.")
    group.command("list")(list_entries)
    group.command("show")(show)
    group.command("replay")(replay)
    group.command("drop")(drop)
    app.add_typer(group, name="quarantine")


def list_entries(  # noqa: PLR0913 - each is an option of the command line
    *,
    state: Annotated[str, typer.Option(help="held, partial, replayed, dropped, or any.")] = "held",
    reason: Reason = None,
    provider: Provider = None,
    device: Device = None,
    route: Route = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = LISTED,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List entries, newest first; by default those that wait."""
    asked = {**_selection(None, reason, provider, device, route), "state": state}
    with api(data_dir) as platform:
        items = [*platform.items("/v1/quarantine", asked, limit)]
        held = cast("dict[str, int]", platform.get("/v1/quarantine", {"limit": 1})["held"])
        parts = {**asked, "state": PARTIAL}
        some = state == "held" and any(platform.items("/v1/quarantine", parts, 1))
    if as_json:
        print_json({"items": items, "held": held, "next": None})
        return
    for item in items:
        item["device"] = f"{item['provider']}/{item['device']}" if item["device"] else ""
    print_table(COLUMNS, ([item.get(column) for column in COLUMNS] for item in items))
    print_table(("held by reason", "messages"), sorted(held.items()))
    if some:
        print("Of other messages some observations were rejected: --state partial lists them")


def show(
    entry: Annotated[str, typer.Argument(help="Id of the entry.")],
    *,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show one entry with the rule's words and its bytes."""
    with api(data_dir) as platform:
        found = platform.get(resource("/v1/quarantine", entry))
    if as_json:
        print_json(found)
        return
    payload = base64.b64decode(str(found.pop("payload")))
    print_fields([*found.items(), ("payload", _readable(payload))])


def replay(  # noqa: PLR0913 - each is an option of the command line
    ids: Ids = None,
    *,
    reason: Reason = None,
    provider: Provider = None,
    device: Device = None,
    route: Route = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Take entries up again; what is accepted now is counted once, what is not stays held."""
    with api(data_dir) as platform:
        told = platform.send(
            "POST", "/v1/quarantine/replay", _selection(ids, reason, provider, device, route)
        )
    _say(told, "take up what is chosen again", as_json=as_json)


def drop(  # noqa: PLR0913 - each is an option of the command line
    ids: Ids = None,
    *,
    reason: Reason = None,
    provider: Provider = None,
    device: Device = None,
    route: Route = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Give entries up; they stay readable, and stay counted as quarantined."""
    with api(data_dir) as platform:
        told = platform.send(
            "POST", "/v1/quarantine/drop", _selection(ids, reason, provider, device, route)
        )
    _say(told, "drop what is chosen", as_json=as_json)


def _selection(
    ids: list[str] | None,
    reason: str | None,
    provider: str | None,
    device: str | None,
    route: str | None,
) -> Document:
    named = {"reason": reason, "provider": provider, "device": device, "route": route}
    return {**named, "ids": ids or None}


def _say(told: Document, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    print(
        f"{told['shards']} shards are told to {what}: `madina quarantine list` shows what is left"
    )


def _readable(payload: bytes) -> str:
    """Return text as it is, and anything else as hexadecimal."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        text = payload.hex(" ")
    cut = f" ... ({len(payload)} bytes, --json has all)" if len(text) > TEXT_SHOWN else ""
    return text[:TEXT_SHOWN] + cut
