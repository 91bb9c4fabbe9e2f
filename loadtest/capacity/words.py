"""A plan in words and tables, for a terminal and for a page. Pure."""

from collections.abc import Callable, Sequence
from typing import Final

from loadtest.capacity.needs import Needs
from loadtest.capacity.plan import Plan

__all__ = [
    "HEADS",
    "Table",
    "headline",
    "limit_table",
    "markdown",
    "measured",
    "need_table",
    "quantity",
    "tables",
]

Table = tuple[str, Sequence[str], list[tuple[str, ...]]]
HEADS: Final = {
    "direct": "a connection each",
    "edge": "behind concentrators",
    "sampled": "behind them, sampled",
}
STEPS: Final = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
ROWS: Final[tuple[tuple[str, Callable[[Needs], float], str], ...]] = (
    ("devices", lambda needs: needs.devices, ""),
    ("messages a second, mean", lambda needs: needs.messages_per_s, ""),
    ("messages a second, peak", lambda needs: needs.peak_per_s, ""),
    ("connections", lambda needs: needs.connections, ""),
    ("gateways (processes of one core)", lambda needs: needs.gateways, ""),
    ("cores of gateways", lambda needs: needs.gateway_cores, ""),
    ("cores of the log, all copies", lambda needs: needs.log_cores, ""),
    ("ingest workers (processes of one core)", lambda needs: needs.ingest_workers, ""),
    ("cores of ingest", lambda needs: needs.ingest_cores, ""),
    ("cores of the store, all copies", lambda needs: needs.store_cores, ""),
    ("cores, together", lambda needs: needs.cores, ""),
    ("cores of brokers, where a city keeps its own", lambda needs: needs.broker_cores, ""),
    ("memory", lambda needs: needs.memory_bytes, "B"),
    ("log, peak", lambda needs: needs.log_bytes_per_s, "B/s"),
    ("disk of the log", lambda needs: needs.log_bytes, "B"),
    ("observations a second, mean", lambda needs: needs.observations_per_s, ""),
    ("disk of observations", lambda needs: needs.raw_bytes, "B"),
    ("disk of published values, a year", lambda needs: needs.rollup_bytes_a_year, "B"),
    ("network in, peak", lambda needs: needs.in_bits_per_s, "bit/s"),
    ("network between cities", lambda needs: needs.out_bits_per_s, "bit/s"),
    ("power", lambda needs: needs.kilowatts * 1_000, "W"),
)  # fmt: skip


def quantity(value: float, unit: str = "") -> str:
    """Write a figure with three digits and a decimal prefix: `1.67 G`, `33.3 kB`."""
    for step, prefix in STEPS:
        # 999.5 would be written as 1,000.
        if value >= step * 0.9995:
            return f"{_digits(value / step)} {prefix}{unit}".rstrip()
    return f"{_digits(value)} {unit}".rstrip()


def _digits(value: float) -> str:
    if value >= 99.95:  # noqa: PLR2004 - three digits
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.3g}"  # noqa: PLR2004 - same


def headline(plan: Plan) -> str:
    """Say what was asked in one sentence."""
    ask = plan.ask
    many = "one city" if ask.cities == 1 else f"{ask.cities:,} cities"
    return (
        f"{quantity(ask.devices)} devices in {many}, a message of format {ask.format} every"
        f" {_interval(ask.interval_s)}, the busiest second {ask.peak:g} times the mean"
    )


def need_table(needs: Sequence[Needs]) -> list[tuple[str, ...]]:
    """Return a row for each figure, a column for each level."""
    rows = [
        (name, *(quantity(figure(each), unit) for each in needs)) for name, figure, unit in ROWS
    ]
    if all(each.cost_a_month is not None for each in needs):
        costs = (quantity(each.cost_a_month or 0.0) for each in needs)
        rows.append(("cost a month, at the given prices", *costs))
    return rows


def limit_table(plan: Plan) -> list[tuple[str, ...]]:
    """Return the limits of one city, and whether it is beyond them."""
    return [
        (
            quantity(each.devices),
            each.what,
            "below it" if plan.ask.devices_a_city <= each.devices else "beyond it",
            ("" if each.works else "not built: ") + each.change,
        )
        for each in plan.limits
    ]


def tables(plan: Plan) -> list[Table]:
    """Return everything there is to show, each table with its title and heads."""
    heads = ("", *HEADS.values())
    found: list[Table] = [("One city", heads, need_table(plan.city))]
    if plan.ask.cities > 1:
        title = f"The federation: {plan.ask.cities:,} such cities, an installation each"
        found.append((title, heads, need_table(plan.federation)))
    limits = ("devices of a city", "what is full", "this plan", "what changes there")
    found.append(("Where today's design ends", limits, limit_table(plan)))
    rests = [(each.name, each.value, each.source) for each in plan.assumptions]
    rests += [("limits", name, words) for name, words in plan.sources.items()]
    found.append(("What it rests on", ("figure", "value", "source"), rests))
    return found


def markdown(plan: Plan) -> str:
    """Return the plan as Markdown."""
    parts = [f"{headline(plan)}. {measured(plan)}"]
    for title, heads, rows in tables(plan):
        lines = [f"### {title}", _row(heads), _row(["---"] * len(heads))]
        parts.append("\n".join([*lines, *(_row(row) for row in rows)]))
    return "\n\n".join(parts) + "\n"


def measured(plan: Plan) -> str:
    """Say where the unit costs come from."""
    machine = plan.measured_on
    return (
        f"Unit costs were measured on {machine.cores} x {machine.processor},"
        f" {plan.measured_at[:10]}, madina {plan.revision}."
    )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(each.replace('|', '/') for each in cells)} |"


def _interval(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
