"""`madina inspect`: what unknown traffic seems to be, and what to register so that it is read."""

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from city.reasons import MessageReason
from city.topics import TopicFilterError, check_filter
from ingest.codecs.catalogue import find_codecs
from ingest.inspect.findings import Findings
from ingest.inspect.inspector import Inspector
from madina.api import Document, api
from madina.errors import CommandError, SetupError
from madina.hearing import heard_at_broker, heard_on_log
from madina.inspection import print_created, print_findings
from madina.options import AsJson, DataDir
from madina.output import print_json
from madina.proposals.creating import Created, create
from madina.proposals.document import read_proposal
from madina.proposals.writing import proposal_text
from madina.settings import load_settings
from registry.facts import Route

__all__ = ["add_to", "inspect"]

NO_ROUTE = MessageReason.NO_ROUTE.value
HELD_SHOWN = 1_000

Filter = Annotated[
    str, typer.Argument(metavar="[TOPIC FILTER]", help="Which topics: 'vendor/#'; all by default.")
]
Seconds = Annotated[
    float,
    typer.Option(min=1, max=86_400, help="How long back; where nothing came, how long to listen."),
]
ProviderName = Annotated[
    str | None, typer.Option(help="Whose devices they are; by default named after the topic.")
]


BrokerUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Listen at another broker instead: mqtt://host:1883. One with a password stands"
        " better in MADINA_INSPECT_BROKER.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(dir_okay=False, help="Write what is proposed to a TOML file, to be reviewed."),
]
ToApply = Annotated[
    Path | None,
    typer.Option("--apply", dir_okay=False, help="Create what such a file says; nothing is heard."),
]

Change = Annotated[
    bool, typer.Option("--change", help="With --apply: change what is registered otherwise.")
]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("inspect")(inspect)


def inspect(  # noqa: PLR0913 - each is an option of the command line
    topic_filter: Filter = "#",
    *,
    seconds: Seconds = 30,
    broker: BrokerUrl = None,
    provider: ProviderName = None,
    out: Out = None,
    to_apply: ToApply = None,
    change: Change = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Look at what came in, and say what it seems to be: formats, devices, quantities, units.

    Nothing is changed without --apply. Messages that no route speaks of wait in quarantine
    meanwhile.
    """
    if to_apply is not None:
        _apply(to_apply, data_dir, change=change, as_json=as_json)
        return
    if out is not None and out.exists():
        raise CommandError(f"{out} is there already: what you changed in it would be lost")
    try:
        check_filter(topic_filter.encode())
    except TopicFilterError as error:
        raise CommandError(str(error)) from error
    settings = load_settings(data_dir).settings
    url = broker or settings.inspect_broker
    if url is None:
        traffic = asyncio.run(heard_on_log(settings, topic_filter.encode(), seconds))
    else:
        traffic = heard_at_broker(url, topic_filter, seconds)
    routes = _routes(data_dir, needed=url is None)
    inspector = Inspector(find_codecs(), settings.timezone, routes, provider)
    findings = inspector.look(traffic.messages, cut=traffic.cut)
    _tell(findings, f"{topic_filter!r} within {seconds:g} s", out, as_json=as_json)


def _tell(findings: Findings, asked: str, out: Path | None, *, as_json: bool) -> None:
    if out is not None and findings.messages:
        about = f"{findings.messages} messages on {asked}"
        out.write_text(proposal_text(findings, about), encoding="utf-8")
    if as_json:
        print_json(findings)
        return
    if not findings.messages:
        raise CommandError(
            f"nothing came in on {asked}: is the sender connected to this address, and is the"
            " filter right? `madina ledger` counts what arrives"
        )
    print_findings(findings)
    if out is not None:
        print(f"\n{out} has what is proposed: review it, then `madina inspect --apply {out}`")


def _apply(file: Path, data_dir: Path | None, *, change: bool, as_json: bool) -> None:
    proposal = read_proposal(file)
    created = Created()
    with api(data_dir) as platform:
        try:
            create(platform, proposal, created, change=change)
        except CommandError:
            # What is there already is shown all the same: secrets are shown this once.
            if created != Created():
                _show(created, as_json=as_json)
            raise
        _show(created, as_json=as_json)
        held = len([*platform.items("/v1/quarantine", {"reason": NO_ROUTE}, limit=HELD_SHOWN)])
    if as_json:
        return
    if held:
        some = f"{held} messages" if held < HELD_SHOWN else f"{HELD_SHOWN} messages and more"
        print(f"{some} that no route read wait: `madina quarantine replay --reason {NO_ROUTE}`")


def _show(created: Created, *, as_json: bool) -> None:
    if as_json:
        print_json(created)
    else:
        print_created(created)


def _routes(data_dir: Path | None, *, needed: bool) -> list[Route]:
    """Return what is registered; a broker can be looked at before there is any platform."""
    try:
        with api(data_dir) as platform:
            return [_route(each) for each in platform.items("/v1/routes")]
    except SetupError:
        if needed:
            raise
        return []


def _route(document: Document) -> Route:
    fields = {name: document[name] for name in ("name", "pattern", "codec", "provider")}
    more = {name: document[name] for name in ("recorded", "timezone", "enabled")}
    options = msgspec.json.encode(document["options"]).decode()
    return msgspec.convert({**fields, **more, "options": options, "revision": 0}, Route)
