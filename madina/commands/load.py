"""`madina load run`: a scenario, or so much a second, and what became of every message."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
import typer

from city.clock import MachineClock
from loadtest.latency import LatencySummary
from loadtest.plan import LoadPlan
from madina.api import api
from madina.commands.load_capacity import add_capacity
from madina.commands.load_proxy import add_proxy
from madina.commands.load_scenario import ScenarioRun, add_scenarios, run_scenario
from madina.data_folder import DataFolder
from madina.errors import CommandError
from madina.load import LoadOutcome, run_load, run_reconciled
from madina.options import AsJson, DataDir
from madina.output import print_fields, print_json
from madina.settings import load_settings

__all__ = ["add_to", "run"]

US_PER_MS = 1_000
THROUGH = "--through is for a scenario, and for the platform of this data folder: without --host"


# Of the command line; those of a run without a scenario first.
Connections = Annotated[int, typer.Option(min=1, help="MQTT connections.")]
Devices = Annotated[int, typer.Option(min=1, help="Devices on each connection.")]
InFlight = Annotated[int, typer.Option(min=1, help="Messages without PUBACK each.")]
Rate = Annotated[
    float | None,
    typer.Option(
        min=0, help="Messages a second in all, on a schedule.", show_default="as fast as it goes"
    ),
]
Seconds = Annotated[float, typer.Option(min=0, help="How long to send.")]
Qos = Annotated[Literal[0, 1], typer.Option(help="0 or 1.")]
Mqtt = Annotated[Literal["3.1.1", "5.0"], typer.Option(help="Protocol version.")]
Provider = Annotated[str, typer.Option(help="Whose devices they are.")]
Host = Annotated[str | None, typer.Option(help="Another server; nothing is reconciled then.")]
Port = Annotated[int, typer.Option(help="Port of the other server.")]
Exact = Annotated[bool, typer.Option("--exact", help="Read back every stored value.")]
Name = Annotated[
    str | None,
    typer.Argument(
        help="A file, or a name of `madina load list`. The options about connections, devices,"
        " rate and time are for a run without one."
    ),
]
Through = Annotated[
    str | None,
    typer.Option(
        help="HOST:PORT of a broker that the platform bridges: a scenario is sent there, and"
        " reconciled with the platform."
    ),
]
Seed = Annotated[int | None, typer.Option(help="Another seed than the scenario's.")]
Part = Annotated[
    str, typer.Option(help="Which part of a scenario this machine does: 3/20 is the fourth.")
]
Out = Annotated[
    Path | None,
    typer.Option(help="Folder for a scenario's record and report.", show_default="here"),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    load = typer.Typer(
        no_args_is_help=True, help="Simulated load, its report, and what a city needs."
    )
    load.command("run")(run)
    add_scenarios(load)
    add_capacity(load)
    add_proxy(load)
    app.add_typer(load, name="load")


def run(  # noqa: PLR0913 - each is an option of the command line
    scenario: Name = None,
    *,
    connections: Connections = 200,
    devices: Devices = 1,
    in_flight: InFlight = 20,
    rate: Rate = None,
    seconds: Seconds = 10.0,
    qos: Qos = 1,
    mqtt: Mqtt = "3.1.1",
    provider: Provider = "load",
    host: Host = None,
    port: Port = 1883,
    through: Through = None,
    exact: Exact = False,
    seed: Seed = None,
    shard: Part = "0/1",
    out: Out = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Send load and say what became of it; exit status 1 where a message was lost or doubled."""
    if through is not None and (scenario is None or host is not None):
        raise CommandError(THROUGH)
    if scenario is not None:
        server = (host, port) if host else None
        given = ScenarioRun(scenario, seed, shard, out or Path(), exact, as_json, through)
        sys.exit(0 if run_scenario(given, server, data_dir) else 1)
    plan = LoadPlan(
        host=host or "127.0.0.1",
        port=port,
        connections=connections,
        devices_per_connection=devices,
        in_flight=in_flight,
        rate_per_s=rate,
        seconds=seconds,
        qos=qos,
        version=5 if mqtt == "5.0" else 4,
        provider=provider,
        first_ms=MachineClock().now_us() // US_PER_MS,
    )
    outcome = run_load(plan) if host else _on_platform(plan, data_dir, exact=exact)
    if as_json:
        print_json(outcome)
    else:
        print_fields(_lines(outcome))
    sys.exit(0 if outcome.holds else 1)


def _on_platform(plan: LoadPlan, data_dir: Path | None, *, exact: bool) -> LoadOutcome:
    settings = load_settings(data_dir).settings
    running = DataFolder(settings.data_dir).running()
    if running is None:
        raise CommandError("nothing runs on this data folder: start `madina up`, or give --host")
    at = urlsplit(running.mqtt)
    here = msgspec.structs.replace(plan, host=at.hostname or plan.host, port=at.port or plan.port)
    with api(data_dir) as calls:
        return run_reconciled(calls, settings, here, exact=exact)


def _lines(outcome: LoadOutcome) -> Iterator[tuple[str, object]]:
    report = outcome.report
    if report.scheduled is not None:
        yield "scheduled", report.scheduled
    yield "sent", f"{report.sent}, {report.resent} of them again"
    yield "acknowledged", report.acked
    yield "rate", f"{report.rate_per_s:,.0f} messages a second for {report.seconds:.1f} s"
    yield "connections lost", f"{report.lost_connections} {report.last_refusal}".strip()
    if report.plan.qos:
        yield "PUBACK", _percentiles(report.latency)
    if report.service.count:
        yield "counted from sending", _percentiles(report.service)
    yield "generator", f"{report.cpu_us:.1f} us of CPU a message"
    if outcome.verdict is not None:
        verdict = outcome.verdict
        words = f"{verdict.accepted} accepted, {verdict.quarantined} quarantined"
        yield "ledger", f"{words}, {verdict.duplicate} duplicate, difference {verdict.difference}"
    if outcome.findings is not None:
        found = outcome.findings
        words = f"{found.checked} checked: {found.lost} lost, {found.doubled} doubled"
        yield "stored values", f"{words}, {found.foreign} never sent, {found.changed} changed"
    yield "verdict", _words(outcome)


def _percentiles(latency: LatencySummary) -> str:
    return (
        f"p50 {latency.p50_ms:.1f} ms, p99 {latency.p99_ms:.1f} ms,"
        f" p99.9 {latency.p99_9_ms:.1f} ms, longest {latency.max_ms:.1f} ms"
    )


def _words(outcome: LoadOutcome) -> str:
    if outcome.holds:
        asked = outcome.verdict is not None
        return "every message is accounted for, once" if asked else "every message was acknowledged"
    if outcome.verdict is not None and outcome.verdict.words:
        return "; ".join(outcome.verdict.words)
    return "not all is there as it was sent: see above"
