"""`madina load plan`: what a city, or ten thousand of them, need."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from loadtest.capacity.ask import Ask, AskError, Prices
from loadtest.capacity.calibration import FORMAT, Calibration
from loadtest.capacity.html import plan_html
from loadtest.capacity.plan import Plan, plan_of
from loadtest.capacity.words import headline, markdown, measured, tables
from loadtest.scenario.model import seconds_of
from madina.errors import CommandError
from madina.options import AsJson
from madina.output import print_json, print_table

__all__ = ["example_calibration", "plan_here", "read_calibration"]

USUAL = Ask(devices=1)
Devices = Annotated[str, typer.Option(help="Devices in all cities: 100000, 500e9.")]
Interval = Annotated[str, typer.Option(help="Between two messages of a device: 10s, 15m, 1h.")]
Cities = Annotated[float, typer.Option(help="That run an installation each.")]
Format = Annotated[str, typer.Option("--format", help="A format of the calibration.")]
Peak = Annotated[
    float, typer.Option(help="Busiest second over the mean: 3 spread, 10 on the hour.")
]
Utilisation = Annotated[float, typer.Option(help="Share of a core in use at the peak.")]
Replicas = Annotated[int, typer.Option(help="Copies of log and store.")]
Behind = Annotated[int, typer.Option(help="Devices behind one concentrator.")]
Sample = Annotated[int, typer.Option(help="Of so many readings one is sent up, where sampled.")]
LogHours = Annotated[float, typer.Option(help="That the log keeps.")]
RawDays = Annotated[float, typer.Option(help="That observations are kept.")]
Zones = Annotated[int, typer.Option(help="Areas of a city with published values.")]
Indicators = Annotated[int, typer.Option(help="Published for each zone, hourly.")]
Watts = Annotated[float, typer.Option(help="Of a core, with cooling.")]
CoreMonth = Annotated[float, typer.Option(help="Price of a core for a month.")]
GbMonth = Annotated[float, typer.Option(help="Price of a gigabyte of disk for a month.")]
GbOut = Annotated[float, typer.Option(help="Price of a gigabyte sent to other cities.")]
Kwh = Annotated[float, typer.Option(help="Price of a kilowatt hour.")]
From = Annotated[
    Path | None,
    typer.Option(help="File of `madina load calibrate`.", show_default="the one that comes along"),
]
Html = Annotated[Path | None, typer.Option(help="Write a page with pictures.")]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Print as Markdown.")]


def plan_here(  # noqa: PLR0913 - each is an option of the command line
    *,
    devices: Devices,
    interval: Interval = "15m",
    cities: Cities = USUAL.cities,
    format_: Format = USUAL.format,
    peak: Peak = USUAL.peak,
    utilisation: Utilisation = USUAL.utilisation,
    replicas: Replicas = USUAL.replicas,
    behind: Behind = USUAL.behind,
    sample: Sample = USUAL.sample,
    log_hours: LogHours = USUAL.log_hours,
    raw_days: RawDays = USUAL.raw_days,
    zones: Zones = USUAL.zones,
    indicators: Indicators = USUAL.indicators,
    watts: Watts = USUAL.watts_a_core,
    core_month: CoreMonth = 0.0,
    gb_month: GbMonth = 0.0,
    gb_out: GbOut = 0.0,
    kwh: Kwh = 0.0,
    calibration: From = None,
    html: Html = None,
    as_markdown: AsMarkdown = False,
    as_json: AsJson = False,
) -> None:
    """Say what so many devices need: cores, disks, network, power, and where the design ends."""
    ask = Ask(
        devices=_number(devices),
        interval_s=_seconds(interval),
        cities=int(cities),
        format=format_,
        peak=peak,
        utilisation=utilisation,
        replicas=replicas,
        behind=behind,
        sample=sample,
        log_hours=log_hours,
        raw_days=raw_days,
        zones=zones,
        indicators=indicators,
        watts_a_core=watts,
        prices=Prices(core_month=core_month, gb_month=gb_month, gb_out=gb_out, kwh=kwh),
    )
    _show(_planned(ask, calibration), html, as_json=as_json, as_markdown=as_markdown)


def _show(plan: Plan, html: Path | None, *, as_json: bool, as_markdown: bool) -> None:
    if html is not None:
        _write(html, plan_html(plan))
    if as_json:
        print_json(plan)
    elif as_markdown:
        print(markdown(plan), end="")
    else:
        _tell(plan)


def _planned(ask: Ask, calibration: Path | None) -> Plan:
    try:
        return plan_of(ask, read_calibration(calibration))
    except AskError as error:
        raise CommandError(str(error)) from error


def _number(text: str) -> float:
    try:
        return float(text.replace(",", ""))
    except ValueError as error:
        raise CommandError(f"--devices {text} is no number: write 100000 or 500e9") from error


def _seconds(text: str) -> float:
    try:
        return seconds_of(text)
    except (ValueError, KeyError) as error:
        raise CommandError(f"--interval {text} is no duration: write 10s, 15m or 1h") from error


def read_calibration(path: Path | None) -> Calibration:
    """Return a calibration, or the one that comes along.

    Raises:
        CommandError: The file is not there, or is none of this version.
    """
    if path is None:
        return example_calibration()
    again = "make it again: `madina load calibrate`"
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Calibration)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise CommandError(f"{path} is no calibration ({error}): {again}") from error
    if found.format != FORMAT:
        raise CommandError(f"{path} has format {found.format}, this is {FORMAT}: {again}")
    return found


def example_calibration() -> Calibration:
    """Return the calibration that comes along; it says where it was measured."""
    data = files("loadtest.capacity").joinpath("measured.json").read_bytes()
    return msgspec.json.decode(data, type=Calibration)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from error


def _tell(plan: Plan) -> None:
    print(f"{headline(plan)}.\n{measured(plan)}")
    for title, heads, rows in tables(plan):
        print(f"\n{title}")
        print_table(heads, rows)
