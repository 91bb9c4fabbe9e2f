"""`madina devices unknown` and `accept`: who sends unregistered, and how to let it in."""

import base64
from collections.abc import Iterator
from typing import Annotated, cast

import typer

from madina.api import Api, Document, api
from madina.errors import CommandError
from madina.options import AsJson, DataDir, Limit
from madina.output import print_json, print_table

__all__ = ["accept", "add_to", "unknown"]

COLUMNS = ("device", "status", "kind?", "quantities", "times", "messages", "last", "sample")
ACCEPTED_AT_ONCE = 1_000
SAMPLE_SHOWN = 60

Filter = Annotated[
    str | None,
    typer.Option("--filter", metavar="PATTERN", help="Name or id with `*` and `?`: 'noise-*'."),
]
Provider = Annotated[str | None, typer.Option(help="Of one provider.")]
Route = Annotated[str | None, typer.Option(help="Whose messages came by one route.")]
GuessedKind = Annotated[
    str | None, typer.Option("--guessed", metavar="KIND", help="That seem to be of one kind.")
]


def add_to(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("unknown")(unknown)
    group.command("accept")(accept)


def unknown(  # noqa: PLR0913 - each is an option of the command line
    *,
    pattern: Filter = None,
    provider: Provider = None,
    route: Route = None,
    guessed: GuessedKind = None,
    limit: Limit = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List devices whose messages wait because nobody registered them, and what they seem to be."""
    asked = {"name": pattern, "provider": provider, "route": route, "kind": guessed}
    with api(data_dir) as platform:
        items = list(platform.items("/v1/unknown-devices", asked, limit))[:limit]
    if as_json:
        print_json({"items": items, "next": None})
        return
    print_table(COLUMNS, map(_row, items))
    if items:
        print("`madina devices accept PROVIDER/DEVICE` lets one in, `--filter` all of a pattern")


def accept(  # noqa: PLR0913 - each is an option of the command line
    devices: Annotated[list[str] | None, typer.Argument(metavar="[PROVIDER/DEVICE]...")] = None,
    *,
    pattern: Filter = None,
    provider: Provider = None,
    route: Route = None,
    guessed: GuessedKind = None,
    kind: Annotated[str | None, typer.Option(help="What they are for, of those without.")] = None,
    guess: Annotated[
        bool, typer.Option("--guess", help="With a filter: take the guessed kind of each.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Make devices active that are unknown or pending, and take up what they have sent.

    Named one by one, or all unknown ones that options select: as `madina devices unknown` lists.
    """
    asked = {"name": pattern, "provider": provider, "route": route, "kind": guessed}
    chosen: Document = {field: value for field, value in asked.items() if value is not None}
    if bool(devices) == bool(chosen):
        raise CommandError(
            "say which devices: either their names, or one of --filter, --provider, --route, "
            "--guessed; `madina devices unknown` lists them"
        )
    if guess and devices:
        raise CommandError("--guess goes with a filter: give --kind for devices that you name")
    with api(data_dir) as platform:
        bodies = _bodies(devices or [], chosen, {"kind": kind or "", "guess": guess})
        _say(platform, bodies, as_json=as_json)


def _bodies(devices: list[str], chosen: Document, more: Document) -> Iterator[Document]:
    if chosen:
        yield {"filter": chosen, **more}
    for start in range(0, len(devices), ACCEPTED_AT_ONCE):
        yield {"devices": devices[start : start + ACCEPTED_AT_ONCE], **more}


def _say(platform: Api, bodies: Iterator[Document], *, as_json: bool) -> None:
    answers = [platform.send("POST", "/v1/devices/accept", body) for body in bodies]
    counts = {
        name: sum(int(str(each[name])) for each in answers) for name in ("accepted", "chosen")
    }
    if as_json:
        print_json(counts)
        return
    print(
        f"{counts['accepted']} of {counts['chosen']} became active now; "
        "their messages are being taken up"
    )


def _row(item: Document) -> list[object]:
    units = cast("dict[str, str | None]", item["units"])
    samples = cast("list[Document]", item["samples"])
    payload = base64.b64decode(str(samples[0]["payload"])) if samples else b""
    return [
        item["device"],
        item["status"],
        item["guessed_kind"],
        ", ".join(f"{name} [{unit}]" if unit else name for name, unit in units.items()),
        item["time_unit"],
        item["messages"],
        item["last_received"],
        _readable(payload),
    ]


def _readable(payload: bytes) -> str:
    """Return the beginning of a message: text as it is, anything else as hexadecimal."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        text = payload.hex(" ")
    return " ".join(text[:SAMPLE_SHOWN].split()) + (" ..." if len(text) > SAMPLE_SHOWN else "")
