"""`madina indicators`: what a city publishes, and where each number came from."""

import sys
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import Progress

from madina.api import Api, Document, api, resource
from madina.commands.indicator_compare import compare
from madina.commands.indicator_files import export, prove, verify
from madina.errors import CommandError
from madina.indicator_words import print_explanation
from madina.options import AsJson, DataDir
from madina.output import print_document, print_items, print_json

__all__ = ["add_to", "compute", "explain", "list_indicators", "show", "values"]

COLUMNS = ("indicator", "version", "title", "unit", "grains", "provisional")
VALUE_COLUMNS = (
    "area", "start", "value", "band", "completeness", "n_used", "n_expected", "state",
    "revision", "reason",
)  # fmt: skip
# Short enough for one request, whatever the grain.
DAYS_AT_ONCE = 14
OBSERVATIONS_SHOWN = 100

Grain = Literal["5min", "15min", "hour", "day", "week", "month", "quarter", "year"]
Cause = Literal[
    "late_data", "correction", "replay", "qc_change", "calibration", "device_metadata",
    "bug_fix", "erasure",
]  # fmt: skip
Id = Annotated[str, typer.Argument(metavar="ID", help="Name of the indicator: air.aqi.us.pm25.")]
AreaHelp = "device:PROVIDER/ID, place:ID, district:ID or city."
Area = Annotated[str, typer.Option(help=AreaHelp)]
Areas = Annotated[list[str] | None, typer.Option("--area", help=AreaHelp, show_default="all")]
Public = Annotated[
    bool, typer.Option("--public", help="As the public gets it: small counts and homes hidden.")
]
GrainOption = Annotated[Grain | None, typer.Option(help="hour, day or year.", show_default="first")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Indicators: published numbers.")
    group.command("list")(list_indicators)
    group.command("show")(show)
    group.command("values")(values)
    group.command("compute")(compute)
    group.command("explain")(explain)
    group.command("compare")(compare)
    group.command("export")(export)
    group.command("prove")(prove)
    group.command("verify")(verify)
    app.add_typer(group, name="indicators")


def list_indicators(*, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the indicators that are defined."""
    with api(data_dir) as platform:
        found = platform.get("/v1/indicators")
        items: Any = found["items"]
        if as_json:
            print_json(found)
            return
        rows = [{**each, "grains": ", ".join(each["grains"])} for each in items]
        print_items(COLUMNS, rows, as_json=False)


def show(indicator: Id, *, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show an indicator's definition: formula, sources, thresholds, bands."""
    with api(data_dir) as platform:
        found = platform.get(resource("/v1/indicators", indicator))
    if as_json:
        print_json(found)
        return
    versions: Any = found.pop("versions")
    for version in versions:
        print_document(_shown(found, version), as_json=False)


def values(  # noqa: PLR0913 - each is an option of the command line
    indicator: Id,
    *,
    area: Areas = None,
    grain: GrainOption = None,
    first: Annotated[
        str | None, typer.Option("--from", help="First day: 2026-03-04; for hours an instant too.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day, included.")] = None,
    as_of: Annotated[str | None, typer.Option(help="As it was published at an instant.")] = None,
    history: Annotated[bool, typer.Option("--history", help="Every revision.")] = False,
    public: Public = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show published values; of one area also those of a period that is not over."""
    asked = {
        "area": area,
        "grain": grain,
        "from": first,
        "to": last,
        "asOf": as_of,
        "includeHistory": "true" if history else None,
        "public": "true" if public else None,
    }
    path = resource("/v1/indicators", indicator, "values")
    with api(data_dir) as platform:
        found = platform.get(path, asked)
        items: Any = found["values"]
        while found["next"] is not None:
            found = platform.get(path, {**asked, "cursor": found["next"]})
            more: Any = found["values"]
            items += more
    if as_json:
        print_json({**found, "values": items, "next": None})
        return
    print_items(VALUE_COLUMNS, items, as_json=False)


def compute(  # noqa: PLR0913 - each is an option of the command line
    indicator: Id,
    first: Annotated[str, typer.Option("--from", help="First day: 2026-03-04.")],
    *,
    last: Annotated[
        str | None, typer.Option("--to", help="Last day, included.", show_default="the first")
    ] = None,
    area: Areas = None,
    grain: GrainOption = None,
    cause: Annotated[Cause, typer.Option(help="Why: it stands in the revision.")] = "correction",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Compute a period again; what has changed becomes a new revision, the old one stays.

    Computing the same twice changes nothing, so a run that was cut short is simply repeated.
    """
    revised = 0
    asked = {"area": area or [], "grain": grain, "cause": cause}
    path = resource("/v1/indicators", indicator, "compute")
    parts = list(_stretches(_day(first), _day(last or first)))
    with api(data_dir) as platform, Progress(console=Console(file=sys.stderr)) as progress:
        for start, end in progress.track(parts, description="computing"):
            body = {**asked, "from": start.isoformat(), "to": end.isoformat()}
            found: Any = platform.send("POST", path, body)
            revised += found["revised"]
    document = {"indicator": indicator, "from": first, "to": last or first, "revised": revised}
    print_document(document, as_json=as_json)


def explain(  # noqa: PLR0913 - each is an option of the command line
    indicator: Id,
    *,
    area: Area,
    period: Annotated[
        str, typer.Option(help="A day, 2026-03-04; of an hour the instant at which it starts.")
    ],
    grain: GrainOption = None,
    observations: Annotated[
        bool, typer.Option("--observations", help="List the observations too, all of them.")
    ] = False,
    public: Public = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Print where a number came from, down to the observations."""
    asked = {
        "area": area,
        "period": period,
        "grain": grain,
        "public": "true" if public else None,
    }
    with api(data_dir) as platform:
        found = platform.get(resource("/v1/indicators", indicator, "explain"), asked)
        inputs: Any = found["inputs"]
        if observations:
            for each in inputs:
                each["items"] = list(_observations(platform, each))
    if as_json:
        print_json(found)
        return
    print_explanation(found)


def _observations(platform: Api, given: dict[str, Any]) -> Iterator[Document]:
    asked = {
        "device": given["device"],
        "quantity": given["quantity"],
        "from": given["start"],
        "to": given["end"],
    }
    return platform.items("/v1/observations", asked)


def _shown(found: Document, version: dict[str, Any]) -> dict[str, object]:
    definition = version["definition"]
    sources = [
        " ".join(filter(None, (each["document"], each["section"], f"({each['mark']})")))
        for each in version["sources"]
    ]
    bands = [band["label"] for band in definition.get("bands", [])]
    return {
        "indicator": found["indicator"],
        "title": found["title"],
        "version": version["version"],
        "unit": found["unit"],
        "formula": version["formula"],
        "inputs": ", ".join(
            f"{each['quantity']} ({each['unit']})" for each in definition.get("inputs", [])
        ),
        "completeness": ", ".join(
            f"{name} {share:g}" for name, share in definition["completeness"].items()
        ),
        "bands": ", ".join(bands) or None,
        "areas": f"{definition['spatial']['rule']} of places",
        "late data": f"waited for {definition['lateness_h']} h, then final",
        "valid from": found["valid_from"],
        "sources": "; ".join(sources),
        "hash": version["hash"],
    }


def _stretches(first: date, last: date) -> Iterator[tuple[date, date]]:
    while first <= last:
        end = min(last, first + timedelta(days=DAYS_AT_ONCE - 1))
        yield first, end
        first = end + timedelta(days=1)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{text!r} is no day: write it as 2026-03-04") from error
