"""`madina inspect`: what unknown traffic seems to be, and what to register so that it is read."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from nats.aio.client import Client
from nats.errors import Error as NatsError

from city.clock import US_PER_S, MachineClock
from city.reasons import MessageReason
from city.topics import TopicFilterError, check_filter
from ingest.codecs.catalogue import find_codecs
from ingest.inspect.findings import Findings
from ingest.inspect.inspector import Inspector
from ingest.inspect.listening import Traffic, hear
from ingest.log.api import LogError
from madina.api import Document, api
from madina.data_folder import DataFolder
from madina.errors import CommandError
from madina.inspection import print_created, print_findings
from madina.options import AsJson, DataDir
from madina.output import print_json
from madina.proposals.creating import create
from madina.proposals.document import read_proposal
from madina.proposals.writing import proposal_text
from madina.settings import Settings, load_settings
from registry.facts import Route

__all__ = ["add_to", "inspect"]

CONNECT_S = 5
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
    traffic = asyncio.run(_traffic(settings, topic_filter.encode(), seconds))
    with api(data_dir) as platform:
        routes = [_route(each) for each in platform.items("/v1/routes")]
    inspector = Inspector(find_codecs(), settings.timezone, routes, provider)
    findings = inspector.look(traffic.messages, cut=traffic.cut)
    if out is not None:
        about = f"{findings.messages} messages on {topic_filter}, {seconds:g} s"
        out.write_text(proposal_text(findings, about), encoding="utf-8")
    if as_json:
        print_json(findings)
        return
    _say(findings, topic_filter, seconds)
    if out is not None:
        print(f"\n{out} has what is proposed: review it, then `madina inspect --apply {out}`")


def _apply(file: Path, data_dir: Path | None, *, change: bool, as_json: bool) -> None:
    proposal = read_proposal(file)
    with api(data_dir) as platform:
        created = create(platform, proposal, change=change)
        held = len([*platform.items("/v1/quarantine", {"reason": NO_ROUTE}, limit=HELD_SHOWN)])
    if as_json:
        print_json(created)
        return
    print_created(created)
    if held:
        some = f"{held} messages" if held < HELD_SHOWN else f"{HELD_SHOWN} messages and more"
        print(f"{some} that no route read wait: `madina quarantine replay --reason {NO_ROUTE}`")


def _say(findings: Findings, topic_filter: str, seconds: float) -> None:
    if not findings.messages:
        raise CommandError(
            f"nothing came in on {topic_filter!r} within {seconds:g} s: is the sender connected to"
            " this address, and is the filter right? `madina ledger` counts what arrives"
        )
    print_findings(findings)


async def _traffic(settings: Settings, topic_filter: bytes, seconds: float) -> Traffic:
    """Return what came lately; where nothing did, what comes until the time is over."""
    run = DataFolder(settings.data_dir).running()
    url = settings.nats_url or (run.nats if run else None)
    if url is None:
        raise CommandError("this needs the log, which does not run: start `madina up` first")
    client = Client()
    try:
        await client.connect(
            url.split(","),
            connect_timeout=CONNECT_S,
            allow_reconnect=False,
            max_reconnect_attempts=1,
        )
        return await _heard(client, settings.shards, topic_filter, seconds)
    except (OSError, NatsError, LogError, TimeoutError) as error:
        words = str(error) or type(error).__name__
        raise CommandError(f"the log cannot be read ({words}): see MADINA_NATS_URL") from error
    finally:
        await client.close()


async def _heard(client: Client, shards: int, topic_filter: bytes, seconds: float) -> Traffic:
    since_us = MachineClock().now_us() - round(seconds * US_PER_S)
    traffic = await hear(client, shards, topic_filter, since_us)
    if traffic.messages:
        return traffic
    # All of the time: the first message is of one device, and a pattern is of many.
    words = f"nothing came in the last {seconds:g} s: listening for as long; Ctrl-C ends it"
    print(words, file=sys.stderr, flush=True)
    await asyncio.sleep(seconds)
    return await hear(client, shards, topic_filter, since_us)


def _route(document: Document) -> Route:
    fields = {name: document[name] for name in ("name", "pattern", "codec", "provider")}
    more = {name: document[name] for name in ("recorded", "timezone", "enabled")}
    options = msgspec.json.encode(document["options"]).decode()
    return msgspec.convert({**fields, **more, "options": options, "revision": 0}, Route)
