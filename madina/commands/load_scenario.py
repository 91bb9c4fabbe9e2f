"""`madina load`: scenarios, their records and reports."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec
import typer

from loadtest.latency import LatencySummary
from loadtest.outcome.compare import Comparison, compared
from loadtest.outcome.html import report_html
from loadtest.outcome.judge import knee
from loadtest.outcome.merge import MergeError, merge_runs
from loadtest.outcome.run import LoadRun
from loadtest.rig.sampling import ApiAddress
from loadtest.scenario.file import ScenarioError, find_scenario, ready_names, scenario_schema
from loadtest.scenario.model import FleetRule, Scenario, expected_of, seconds_of
from madina.api import api
from madina.data_folder import DataFolder
from madina.errors import CommandError
from madina.load_scenario import Platform, Shard, carry_out
from madina.load_servers import LocalServers
from madina.load_watch import LoadTarget
from madina.options import AsJson
from madina.output import print_fields, print_json, print_table
from madina.settings import load_settings

__all__ = [
    "ScenarioRun", "add_scenarios", "compare", "list_scenarios", "merge", "report", "run_scenario",
    "schema",
]  # fmt: skip

MQTTS_NEEDED: Final = "the scenario wants TLS: set MADINA_MQTTS_PORT"

Record = Annotated[Path, typer.Argument(help="Record of a run: its .json file.")]


class ScenarioRun(msgspec.Struct, frozen=True):
    """What the command line says about a run of a scenario."""

    name: str
    seed: int | None
    shard: str
    folder: Path
    exact: bool
    as_json: bool
    through: str | None = None


def add_scenarios(load: typer.Typer) -> None:
    """Add the commands."""
    load.command("list")(list_scenarios)
    load.command("schema")(schema)
    load.command("report")(report)
    load.command("compare")(compare)
    load.command("merge")(merge)


def list_scenarios(*, as_json: AsJson = False) -> None:
    """List the scenarios that come with the program."""
    rows = [(name, *_described(find_scenario(name))) for name in ready_names()]
    if as_json:
        names = ("name", "title", "devices", "messages_per_s", "seconds")
        print_json({"items": [dict(zip(names, row, strict=True)) for row in rows]})
        return
    print_table(("name", "what", "devices", "messages a second", "seconds"), rows)


def schema() -> None:
    """Print the JSON schema of scenario files."""
    print_json(scenario_schema())


def report(
    record: Record,
    out: Annotated[Path | None, typer.Option(help="File.", show_default="beside it")] = None,
) -> None:
    """Make the page of a run from its record; it needs nothing from the internet."""
    page = out or record.with_suffix(".html")
    _write(page, report_html(_read(record)).encode())
    print(page)


def compare(before: Record, after: Record, *, as_json: AsJson = False) -> None:
    """Compare two runs, with 95 % confidence intervals; exit status 1 where the second is worse."""
    found = compared(_read(before), _read(after))
    if as_json:
        print_json(found)
    else:
        print_table(("figure", "before", "after", "change", "95 %", ""), map(_row, found))
    raise typer.Exit(1 if any(each.verdict == "worse" for each in found) else 0)


def merge(
    records: Annotated[list[Path], typer.Argument(help="Records of all shards.")],
    *,
    out: Annotated[Path, typer.Option(help="Record to write.")] = Path("load-merged.json"),
    as_json: AsJson = False,
) -> None:
    """Add up what several machines did of one scenario; exit status 1 where it fails."""
    try:
        merged = merge_runs([_read(each) for each in records])
    except MergeError as error:
        raise CommandError(str(error)) from error
    _keep(merged, out)
    _tell(merged, out, as_json=as_json)
    raise typer.Exit(0 if merged.holds else 1)


def run_scenario(given: ScenarioRun, server: tuple[str, int] | None, data_dir: Path | None) -> bool:
    """Run a scenario, keep its record and report, and say what became of it.

    Raises:
        CommandError: It cannot be run.
    """
    try:
        scenario = find_scenario(given.name)
    except ScenarioError as error:
        raise CommandError(str(error)) from error
    if given.seed is not None:
        scenario = msgspec.structs.replace(scenario, seed=given.seed)
    shard = _shard(given.shard)
    if server is not None:
        target = LoadTarget(host=server[0], port=server[1])
        done = carry_out(scenario, target, None, shard, exact=given.exact)
    else:
        done = _on_platform(scenario, shard, data_dir, given)
    begun = done.started_at[:19].replace(":", "").replace("-", "")
    part = "" if shard.of == 1 else f"-{shard.number}of{shard.of}"
    path = given.folder / f"load-{scenario.name}-{begun}{part}.json"
    _keep(done, path)
    _tell(done, path, as_json=given.as_json)
    return done.holds


def _on_platform(
    scenario: Scenario, shard: Shard, data_dir: Path | None, given: ScenarioRun
) -> LoadRun:
    settings = load_settings(data_dir).settings
    folder = DataFolder(settings.data_dir)
    running = folder.running()
    if running is None:
        raise CommandError("nothing runs on this data folder: start `madina up`, or give --host")
    address = running.mqtts if scenario.server.tls else running.mqtt
    if given.through is not None:
        address = f"mqtt://{given.through}"
    if address is None:
        raise CommandError(MQTTS_NEEDED)
    host, port = _host_and_port(address)
    servers = LocalServers(settings)
    target = LoadTarget(
        host=host,
        port=port,
        address=ApiAddress(running.http, folder.admin_key()),
        pids=lambda: (folder.running() or running).children | servers.pids(),
        folder=folder.path,
        through=given.through is not None,
    )
    with api(data_dir) as calls:
        platform = Platform(calls, settings, through=target.through)
        return carry_out(scenario, target, platform, shard, exact=given.exact)


def _host_and_port(address: str) -> tuple[str, int]:
    try:
        at = urlsplit(address)
        port = at.port
    except ValueError as error:
        raise CommandError(f"{address.partition('//')[2]!r} is no HOST:PORT: {error}") from error
    return at.hostname or "127.0.0.1", port or 1883


def _keep(run: LoadRun, path: Path) -> None:
    _write(path, msgspec.json.encode(run) + b"\n")
    _write(path.with_suffix(".html"), report_html(run).encode())


def _tell(run: LoadRun, path: Path, *, as_json: bool) -> None:
    if as_json:
        # The record has every histogram; this is for reading.
        print_json({**_figures(run), "record": str(path)})
        return
    print_fields([*_lines(run), ("record", path), ("report", path.with_suffix(".html"))])


def _figures(run: LoadRun) -> dict[str, object]:
    return {
        "holds": run.holds,
        "complaints": run.complaints,
        "scheduled": run.total("scheduled"),
        "sent": run.total("sent"),
        "acked": run.total("acked"),
        "seconds": run.seconds,
        "latency": None if run.bottleneck else run.latency.summary(),
        "service": run.service.summary(),
        "lag": run.lag.summary(),
        "visible": run.reading.visible.summary() if run.reading else None,
        "freshness": run.reading.freshness.summary() if run.reading else None,
        "catch_up_s": run.catch_up_s,
        "faults": [*run.faults.values()],
        "account": run.account,
        "findings": run.findings,
        "budgets": run.budgets,
        "bottleneck": run.bottleneck,
    }


def _lines(run: LoadRun) -> Iterator[tuple[str, object]]:
    yield "scenario", f"{run.scenario.name}, seed {run.scenario.seed}, shard {run.shard}"
    opened = f"{run.connections:,} in {run.connect_s:.1f} s by {run.processes} processes"
    yield "connections", opened
    sent, scheduled = run.total("sent"), run.total("scheduled")
    again = f"{run.total('resent'):,} sent again"
    yield (
        "sent",
        f"{sent:,} of {scheduled:,} scheduled, {run.total('acked'):,} acknowledged, {again}",
    )
    yield "generator", f"late {_percentiles(run.lag.summary())}; {_cost(run)}"
    if run.bottleneck:
        yield "latency", f"not told: {run.bottleneck[0]}"
    else:
        yield "due to PUBACK", _percentiles(run.latency.summary())
        yield "counted from sending", _percentiles(run.service.summary())
    if run.reading is not None:
        if not run.bottleneck:
            yield "due to visible (SSE)", _percentiles(run.reading.visible.summary())
        yield "age of the newest", _percentiles(run.reading.freshness.summary())
    best = knee(run.phases)
    if best is not None:
        yield "knee", f"{best.due_per_s:,.0f} messages a second held ({best.span.name})"
    yield from _accounted(run)
    yield "verdict", "; ".join(run.complaints) or _kept_words(run)


def _kept_words(run: LoadRun) -> str:
    if run.account is None and run.tally is not None:
        return "budgets kept; `madina load merge` holds all shards against the ledger"
    if run.account is None or not run.account.lost:
        return "every message is accounted for, budgets kept"
    most = expected_of(run.scenario.faults).lost
    return f"{run.account.lost:,} lost of {most:,} that the faults may cost, budgets kept"


def _accounted(run: LoadRun) -> Iterator[tuple[str, object]]:
    if run.account is not None:
        of = run.account
        words = f"{of.accepted:,} accepted of {of.good:,} promised, {of.duplicate:,} duplicate"
        more = f"{of.quarantined:,} quarantined of {of.malformed:,} malformed"
        yield "ledger", f"{words}, {more}, {of.lost:,} lost, difference {of.difference}"
    if run.findings is not None:
        of = run.findings
        words = f"{of.values:,} of {of.devices:,} devices: {of.lost} lost, {of.doubled} doubled"
        yield "stored values", f"{words}, {of.changed} changed, {of.foreign} never sent"
        late = sum(of.late.values())
        yield (
            "order",
            f"{of.out_of_order:,} out of order, {late:,} more than 5 s late {of.late or ''}",
        )
        yield "known answers", f"{of.answers:,} daily means compared, {of.answers_wrong} differ"
    for fault in run.faults.values():
        away = "" if fault.away_s is None else f", away for {fault.away_s:.1f} s"
        known = fault.catch_up_s is not None
        caught = f"caught up after {fault.catch_up_s:.1f} s" if known else "never caught up"
        yield fault.name, f"at {fault.at_s:.1f} s{away}, {caught}"
    if run.catch_up_s is not None:
        yield "caught up", f"{run.catch_up_s:.1f} s after the last message"


def _percentiles(latency: LatencySummary) -> str:
    return (
        f"p50 {latency.p50_ms:.1f} ms, p99 {latency.p99_ms:.1f} ms,"
        f" p99.9 {latency.p99_9_ms:.1f} ms, longest {latency.max_ms:.1f} ms"
    )


def _cost(run: LoadRun) -> str:
    return f"{run.cpu_s * 1e6 / max(1, run.total('sent')):.1f} us of CPU a message"


def _row(of: Comparison) -> tuple[object, ...]:
    interval = f"{of.low:+.1%} to {of.high:+.1%}"
    return (
        of.figure,
        f"{of.before:.4g}",
        f"{of.after:.4g}",
        f"{of.change:+.1%}",
        interval,
        of.verdict,
    )


def _described(scenario: Scenario) -> tuple[object, ...]:
    rate = sum(_rate(rule) for rule in scenario.fleets)
    seconds = sum(
        seconds_of(phase.seconds) * getattr(phase, "steps", 1) for phase in scenario.phases
    )
    devices = sum(rule.devices for rule in scenario.fleets)
    return scenario.title, devices, round(rate), round(seconds)


def _rate(rule: FleetRule) -> float:
    return rule.devices / seconds_of(rule.every)


def _shard(text: str) -> Shard:
    number, _, of = text.partition("/")
    if not (number.isdecimal() and of.isdecimal() and int(number) < int(of)):
        raise CommandError(f"{text!r} is no shard: 0/20 to 19/20 are those of 20 machines")
    return Shard(int(number), int(of))


def _read(path: Path) -> LoadRun:
    try:
        return msgspec.json.decode(path.read_bytes(), type=LoadRun)
    except (OSError, msgspec.MsgspecError) as error:
        raise CommandError(f"{path} is no record of a run: {error}") from error


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from error
