"""`madina pull`: what others have kept while nobody took it here."""

import sys
from functools import partial
from typing import Annotated
from urllib.parse import urlsplit

import typer

from city.clock import MachineClock
from city.instants import text_us, to_text
from madina.api import api, resource
from madina.errors import CommandError
from madina.moments import MOMENT_HELP, moment
from madina.options import AsJson, DataDir
from madina.output import print_fields, print_json
from madina.progress import Progress
from madina.pull.filling import Filled, Filling
from madina.pull.stored_uplinks import PullError, StoredUplinks, Wanted
from madina.settings import load_settings

__all__ = ["add_to", "pull_tts"]

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Fill gaps from where others keep messages.")
    group.callback()(_pull)
    group.command("tts")(pull_tts)
    app.add_typer(group, name="pull")


def _pull() -> None:
    """Keep `tts` a command of its own while it is the only one."""


def pull_tts(  # noqa: PLR0913 - each is an option of the command line
    application: Annotated[str, typer.Argument(help="Id of the application.")],
    *,
    server: Annotated[str, typer.Option(help="Its cluster: https://eu1.cloud.thethings.network")],
    route: Annotated[str, typer.Option(help="Our route for its uplinks; codec tts-v3.")],
    since: Annotated[str, typer.Option("--from", help=MOMENT_HELP)] = "24h",
    until: Annotated[str | None, typer.Option("--to", help="Excluded; now where left out.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Fetch stored uplinks of The Things Stack; what came by another way is counted as duplicate.

    The key to the application's traffic is taken from MADINA_TTS_KEY.
    """
    wanted = _wanted(application, server, since, until, load_settings(data_dir).settings.tts_key)
    progress = Progress()
    with api(data_dir) as platform:
        if not platform.runs:
            raise CommandError("nothing runs here that could take them: start `madina up` first")
        found = platform.get(resource("/v1/routes", route))
        if found["codec"] != "tts-v3":
            raise CommandError(f"the route {route} reads {found['codec']}, not tts-v3")
        path_of = partial(_path, route, str(found["pattern"]), application)
        filling = Filling(platform, route, path_of, _say)

        def told(_sent: int, at_us: int) -> None:
            length_us = max(wanted.to_us - wanted.from_us, 1)
            progress.share(f"up to {to_text(at_us)}", (at_us - wanted.from_us) / length_us)

        uplinks = StoredUplinks(wanted, _say)
        try:
            filled = filling.fill(uplinks.pages(), wanted.from_us, told)
        except PullError as error:
            words = f"{error}. What was kept until {to_text(filling.until_us)} is on the log"
            raise CommandError(f"{words}: go on with --from") from error
        finally:
            progress.end()
    _show(filled, as_json=as_json)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _wanted(
    application: str, server: str, since: str, until: str | None, key: str | None
) -> Wanted:
    if key is None:
        raise CommandError(
            "put a key with the right to read the application's traffic into MADINA_TTS_KEY"
        )
    address = urlsplit(server)
    if address.scheme not in {"https", "http"} or not address.hostname or address.username:
        raise CommandError(f"--server {server!r} is no address like https://eu1.cloud.example")
    if address.scheme == "http" and address.hostname not in LOOPBACK:
        raise CommandError(f"--server {server!r} would be told the key in clear: use https")
    clock = MachineClock()
    from_us, to_us = (text_us(moment(each, clock) or "") for each in (since, until or "0s"))
    if from_us >= to_us:
        raise CommandError("--from is not before --to")
    return Wanted(server.rstrip("/"), application, key, from_us, to_us)


def _path(route: str, pattern: str, application: str, device: str) -> str:
    """Return where the HTTP uplink takes a device's messages, by the pattern of the route.

    A `+` behind `devices` is the device, as in the server's own MQTT topics; `#` may be anything.
    """
    levels: list[str] = []
    before = ""
    for level in pattern.split("/"):
        if level == "+":
            levels.append(device if before == "devices" else application)
        elif level == "#":
            levels.append("up")
        before = level
    return resource("/v1/ingest", route, *levels)


def _show(filled: Filled, *, as_json: bool) -> None:
    if as_json:
        print_json(filled)
    else:
        print_fields(
            (
                ("read", filled.read),
                ("sent", filled.sent),
                ("accepted", filled.accepted),
                ("duplicate", filled.duplicate),
                ("quarantined", filled.quarantined),
            )
        )
        if not filled.finished:
            print(f"ended early: go on with --from {filled.until}")
    sys.exit(0 if filled.finished else 1)
