"""`madina load simulate`: what one machine would do with a load, without running it."""

from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from loadtest.capacity.calibration import Calibration
from loadtest.scenario.model import seconds_of
from loadtest.simulate.costs import costs_of
from loadtest.simulate.html import outcome_html
from loadtest.simulate.load import Burst, Load, LoadError, Part, Standstill
from loadtest.simulate.run import Outcome, simulate
from loadtest.simulate.words import PLACES, fields, queue_rows
from madina.commands.load_plan import read_calibration
from madina.errors import CommandError
from madina.options import AsJson
from madina.output import print_fields, print_json, print_table

__all__ = ["simulate_here"]

Rate = Annotated[float | None, typer.Option(help="Messages a second.", show_default="by --devices")]
Devices = Annotated[str | None, typer.Option(help="Devices, instead of --rate: 100000, 5e6.")]
Interval = Annotated[str, typer.Option(help="Between two messages of a device, with --devices.")]
Duration = Annotated[str, typer.Option(help="For how long messages are due: 30s, 2m.")]
Stopped = Annotated[
    list[str] | None,
    typer.Option("--outage", help="PART:AT:LASTS: gateway, log, ingest or store; store:10s:10s."),
]
Bursts = Annotated[
    list[str] | None,
    typer.Option("--burst", help="TIMES:AT:LASTS: 4:10s:5s is four times as much."),
]
Format = Annotated[str, typer.Option("--format", help="A format of the calibration.")]
From = Annotated[
    Path | None,
    typer.Option(help="File of `madina load calibrate`.", show_default="the one that comes along"),
]
Seed = Annotated[int, typer.Option(help="For how long each commit takes.")]
WithGenerator = Annotated[
    bool,
    typer.Option(
        "--with-generator", help="Devices are simulated on the same machine, as in tests."
    ),
]
Html = Annotated[Path | None, typer.Option(help="Write a page with a picture.")]


def simulate_here(  # noqa: PLR0913 - each is an option of the command line
    *,
    rate: Rate = None,
    devices: Devices = None,
    interval: Interval = "15m",
    duration: Duration = "30s",
    outage: Stopped = None,
    burst: Bursts = None,
    format_: Format = "native",
    calibration: From = None,
    with_generator: WithGenerator = False,
    seed: Seed = 1,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Say what this machine would do: throughput, backlog, queues, time to catch up."""
    measured = read_calibration(calibration)
    if format_ not in measured.codecs:
        known = ", ".join(measured.codecs)
        raise CommandError(f"--format {format_} was not calibrated: choose one of {known}")
    load = Load(
        rate_per_s=_rate(rate, devices, interval),
        seconds=_seconds("--duration", duration),
        bursts=tuple(_burst(each) for each in burst or ()),
        standstills=tuple(_standstill(each) for each in outage or ()),
    )
    try:
        costs = costs_of(measured, format_, with_generator=with_generator)
        found = simulate(load, costs, seed=seed)
    except LoadError as error:
        raise CommandError(str(error)) from error
    _show(found, measured, html, as_json=as_json)


def _show(found: Outcome, measured: Calibration, html: Path | None, *, as_json: bool) -> None:
    words = (
        f"Unit costs were measured on {measured.machine.cores} x {measured.machine.processor},"
        f" {measured.made_at[:10]}, madina {measured.revision}."
    )
    if html is not None:
        try:
            html.write_text(outcome_html(found, words), encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{html} cannot be written: {error.strerror}") from error
    if as_json:
        print_json(found)
        return
    print(words)
    print_fields(fields(found))
    print()
    print_table(("seconds", *PLACES.values()), queue_rows(found))


def _rate(rate: float | None, devices: str | None, interval: str) -> float:
    if (rate is None) == (devices is None):
        raise CommandError("say how much comes: either --rate or --devices")
    if devices is None:
        assert rate is not None, "one of the two"
        return rate
    try:
        return float(devices.replace(",", "")) / _seconds("--interval", interval)
    except (ValueError, ZeroDivisionError) as error:
        raise CommandError(f"--devices {devices} every {interval} is no rate") from error


def _standstill(text: str) -> Standstill:
    part, at_s, lasts_s = _three("--outage", text, "store:10s:10s")
    if part not in get_args(Part):
        raise CommandError(f"--outage {text}: one of {', '.join(get_args(Part))} can stand still")
    return Standstill(cast("Part", part), at_s, lasts_s)


def _burst(text: str) -> Burst:
    times, at_s, lasts_s = _three("--burst", text, "4:10s:5s")
    try:
        return Burst(at_s, lasts_s, float(times))
    except ValueError as error:
        raise CommandError(f"--burst {text}: {times} is no number") from error


def _three(option: str, text: str, example: str) -> tuple[str, float, float]:
    parts = text.split(":")
    if len(parts) != 3:  # noqa: PLR2004 - as the help says
        raise CommandError(f"{option} {text} has {len(parts)} parts: write {example}")
    first, at, lasts = parts
    return first, _seconds(option, at), _seconds(option, lasts)


def _seconds(option: str, text: str) -> float:
    try:
        return seconds_of(text)
    except (ValueError, KeyError) as error:
        raise CommandError(f"{option} {text} is no duration: write 10s, 15m or 1h") from error
