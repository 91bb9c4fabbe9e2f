"""A run as one page."""

from html import escape
from typing import Final

import msgspec

from loadtest.latency import LatencySummary
from loadtest.outcome.charts import charts_of
from loadtest.outcome.judge import knee
from loadtest.outcome.run import LoadRun
from loadtest.page import page, picture, table
from loadtest.scenario.model import expected_of

__all__ = ["report_html"]

GIB: Final = 2**30


def report_html(run: LoadRun) -> str:
    """Return the page of a run."""
    title = f"{run.scenario.name}: load test of {run.started_at[:16].replace('T', ' ')}"
    body = "".join(
        (
            f"<h1>{escape(run.scenario.title or run.scenario.name)}</h1>",
            f'<p class="quiet">{escape(_subtitle(run))}</p>',
            _verdict(run),
            _tiles(run),
            *(picture(chart) for chart in charts_of(run)),
            _phases(run),
            _fleets(run),
            _account(run),
            _budgets(run),
            _about(run),
        )
    )
    return page(title, body)


def _subtitle(run: LoadRun) -> str:
    return (
        f"{run.scenario.name}, seed {run.scenario.seed}, shard {run.shard}, at {run.target},"
        f" {run.started_at[:19].replace('T', ' ')} UTC, madina {run.revision}"
    )


def _verdict(run: LoadRun) -> str:
    if run.holds:
        promised = f"{run.total('acked'):,} messages were promised"
        return f'<div class="verdict"><b>Holds.</b> {promised}{_checked(run)}.</div>'
    items = "".join(f"<li>{escape(words)}</li>" for words in run.complaints)
    return f'<div class="verdict bad"><b>Does not hold.</b><ul>{items}</ul></div>'


def _checked(run: LoadRun) -> str:
    if run.account is None:
        return ""
    if not run.account.lost:
        return ", and each of them is in the ledger, once"
    most = expected_of(run.scenario.faults).lost
    return f"; {run.account.lost:,} are not in the ledger, of {most:,} that the faults may cost"


def _tiles(run: LoadRun) -> str:
    told = not run.bottleneck
    puback = run.latency.summary()
    tiles = [
        ("acknowledged", f"{run.total('acked'):,}"),
        ("connections", f"{run.connections:,}"),
        ("due to PUBACK, p99", _ms(puback.p99_ms) if told else "not told"),
        ("due to PUBACK, longest", _ms(puback.max_ms) if told else "not told"),
    ]
    if run.reading is not None and told:
        tiles.append(("due to visible, p99", _ms(run.reading.visible.summary().p99_ms)))
    if run.account is not None:
        tiles += [("lost", f"{run.account.lost:,}"), ("difference", f"{run.account.difference}")]
    if run.catch_up_s is not None:
        tiles.append(("caught up after", f"{run.catch_up_s:.1f} s"))
    best = knee(run.phases)
    if best is not None:
        tiles.append(("largest rate that held", f"{best.due_per_s:,.0f}/s"))
    cells = (
        f'<div class="tile">{escape(name)}<b>{escape(value)}</b></div>' for name, value in tiles
    )
    return f'<div class="tiles">{"".join(cells)}</div>'


def _phases(run: LoadRun) -> str:
    rows = [
        (
            each.span.name,
            f"{each.span.start_s:.0f} to {each.span.end_s:.0f} s",
            f"{each.due_per_s:,.0f}",
            *(_latencies(each.latency) if not run.bottleneck else ("not told",) * 4),
            "yes" if each.held else "no",
        )
        for each in run.phases
    ]
    heads = ("phase", "when", "due a second", "p50", "p99", "p99.9", "longest", "held")
    return "<h2>Phases</h2>" + table(heads, rows)


def _fleets(run: LoadRun) -> str:
    rows = [
        (
            each.fleet,
            each.qos,
            f"{each.scheduled:,}",
            f"{each.sent:,}",
            f"{each.acked:,}",
            f"{each.resent:,}",
            f"{each.late:,}",
            f"{each.lost_connections:,}",
            *(_latencies(each.latency.summary()) if not run.bottleneck else ("not told",) * 4),
        )
        for each in run.fleets
    ]
    heads = ("fleet", "QoS", "scheduled", "sent", "acknowledged", "sent again", "held back",
             "connections lost", "p50", "p99", "p99.9", "longest")  # fmt: skip
    return "<h2>Fleets</h2>" + table(heads, rows)


def _account(run: LoadRun) -> str:
    parts: list[str] = []
    if run.account is not None:
        of = run.account
        rows = [
            ("good ones", of.good, of.accepted, "accepted"),
            ("repetitions", of.repeats, of.duplicate, "duplicate"),
            ("cut off", of.malformed, of.quarantined, "quarantined"),
            ("values in a wrong unit", of.wrong_units, of.rejected, "rejected"),
        ]
        parts.append("<h2>Reconciliation with the ledger</h2>")
        parts.append(table(("what", "promised or sent", "in the ledger", "as"), rows))
    if run.findings is not None:
        found = run.findings
        names = ("values", "lost", "doubled", "changed", "foreign", "out_of_order", "answers")
        rows = [(name.replace("_", " "), f"{getattr(found, name):,}") for name in names]
        rows += [(f"late in {window}", f"{count:,}") for window, count in found.late.items()]
        parts.append(f"<h2>Stored values of {found.devices:,} devices</h2>")
        parts.append(table(("what", "values"), rows))
        if found.lost_messages:
            lost = [
                (each.device, each.sequence, f"{each.due_s:.2f}", each.window)
                for each in found.lost_messages
            ]
            parts.append("<h2>Lost</h2>")
            parts.append(table(("device", "sequence", "due, s", "in"), lost))
    return "".join(parts)


def _budgets(run: LoadRun) -> str:
    rows = [
        (
            each.name,
            each.wanted,
            "not told" if each.measured is None else f"{each.measured:.4g}",
            "kept" if each.met else "not kept",
        )
        for each in run.budgets
    ]
    return "<h2>Budgets</h2>" + table(("budget", "wanted", "measured", ""), rows)


def _about(run: LoadRun) -> str:
    machine = run.machine
    lag = run.lag.summary()
    rows = [
        ("machine", f"{machine.cores} x {machine.processor}, {machine.memory_bytes / GIB:.0f} GiB"),
        ("system", f"Linux {machine.kernel}, Python {machine.python}, load {machine.load} before"),
        ("generator", f"{run.processes} processes, {_cost(run)}, late p99 {_ms(lag.p99_ms)}"),
        ("connections", f"opened in {run.connect_s:.1f} s"),
        ("dials without answer", f"{run.dial_failures:,}"),
        ("taken by other machines", f"{run.stolen:.1%}"),
    ]
    text = msgspec.json.format(msgspec.json.encode(run.scenario), indent=1).decode()
    return (
        "<h2>Where and how</h2>"
        + table(("", ""), rows)
        + f"<h2>Scenario</h2><pre>{escape(text)}</pre>"
    )


def _cost(run: LoadRun) -> str:
    return f"{run.cpu_s * 1e6 / max(1, run.total('sent')):.1f} us of CPU a message"


def _latencies(of: LatencySummary) -> tuple[str, ...]:
    return tuple(_ms(each) for each in (of.p50_ms, of.p99_ms, of.p99_9_ms, of.max_ms))


def _ms(value: float) -> str:
    return f"{value:,.1f} ms" if value < 10_000 else f"{value / 1_000:,.1f} s"  # noqa: PLR2004
