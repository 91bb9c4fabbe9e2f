"""`madina load run`: so many devices, so much a second, and what became of every message."""

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
from madina.data_folder import DataFolder
from madina.errors import CommandError
from madina.load import LoadOutcome, run_load, run_reconciled
from madina.options import AsJson, DataDir
from madina.output import print_fields, print_json
from madina.settings import load_settings

__all__ = ["add_to", "run"]

US_PER_MS = 1_000


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    load = typer.Typer(no_args_is_help=True, help="Simulated load and its report.")
    load.callback()(_nothing)
    load.command("run")(run)
    app.add_typer(load, name="load")


def run(  # noqa: PLR0913 - each is an option of the command line
    *,
    connections: Annotated[int, typer.Option(min=1, help="MQTT connections.")] = 200,
    devices: Annotated[int, typer.Option(min=1, help="Devices on each connection.")] = 1,
    in_flight: Annotated[int, typer.Option(min=1, help="Messages without PUBACK each.")] = 20,
    rate: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Messages a second in all, on a schedule.",
            show_default="as fast as it goes",
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0, help="How long to send.")] = 10.0,
    qos: Annotated[Literal[0, 1], typer.Option(help="0 or 1.")] = 1,
    mqtt: Annotated[Literal["3.1.1", "5.0"], typer.Option(help="Protocol version.")] = "3.1.1",
    provider: Annotated[str, typer.Option(help="Whose devices they are.")] = "load",
    host: Annotated[
        str | None, typer.Option(help="Another server; nothing is reconciled then.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the other server.")] = 1883,
    exact: Annotated[bool, typer.Option("--exact", help="Read back every stored value.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Send load and say what became of it; exit status 1 where a message was lost or doubled."""
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


def _nothing() -> None:
    """Make `run` a command of its own although it is the only one."""
