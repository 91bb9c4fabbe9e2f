"""`madina load calibrate`: what a message costs on this machine."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from loadtest.capacity.calibration import Calibration, Line
from madina.commands.load_plan import plan_here
from madina.commands.load_simulate import simulate_here
from madina.data_folder import DataFolder
from madina.errors import CommandError
from madina.load_calibrate import calibrate
from madina.options import AsJson, DataDir
from madina.output import print_fields, print_json, print_table
from madina.settings import load_settings

__all__ = ["add_capacity", "calibrate_here"]

Out = Annotated[Path, typer.Option(help="File to write.")]
Rate = Annotated[
    float, typer.Option(min=100, max=30_000, help="Messages a second of the quick runs.")
]
Seconds = Annotated[float, typer.Option(min=3, max=10, help="How long each of the runs sends.")]


def add_capacity(load: typer.Typer) -> None:
    """Add the commands."""
    load.command("calibrate")(calibrate_here)
    load.command("plan")(plan_here)
    load.command("simulate")(simulate_here)


def calibrate_here(
    *,
    out: Out = Path("calibration.json"),
    rate: Rate = 10_000.0,
    seconds: Seconds = 6.0,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Measure what a message costs here, each part and format; exit status 1 where it cannot be."""
    if not out.absolute().parent.is_dir():
        raise CommandError(f"{out} cannot be written: its folder does not exist")
    beside = DataFolder(load_settings(data_dir).settings.data_dir).path.parent
    found = calibrate(beside, rate, seconds, lambda words: print(words, file=sys.stderr))
    try:
        out.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    except OSError as error:
        raise CommandError(f"{out} cannot be written: {error.strerror}") from error
    if as_json:
        print_json(found)
        return
    _tell(found)
    print(f"kept in {out}")


def _tell(found: Calibration) -> None:
    names = ("format", "gateway, us", "log, us", "ingest, us", "store, us", "bytes", "observations")
    rows = [
        (
            name,
            *(round(each, 2) for each in (cost.gateway_us, cost.log_us, cost.ingest_us)),
            round(cost.store_us, 2),
            round(cost.wire_bytes),
            round(cost.observations, 2),
        )
        for name, cost in found.codecs.items()
    ]
    print_table(names, rows)
    own = found.own_connection
    lines = [
        ("a connection each", f"{own.us_a_message:.1f} us of the gateway a message"),
        ("a connection", f"{found.connection_bytes:,} bytes of the gateway"),
        (
            "fixed",
            ", ".join(f"{name} {line.fixed_cores:.3f}" for name, line in _fixed(found)) + " cores",
        ),
        (
            "stored",
            f"{found.stored_bytes:.1f} bytes an observation",
        ),
        ("broker", _broker(found)),
        ("took", f"{found.seconds:.0f} s"),
    ]
    print_fields(lines)


def _fixed(found: Calibration) -> list[tuple[str, Line]]:
    return [("gateway", found.gateway), ("log", found.log), ("node", found.node)]


def _broker(found: Calibration) -> str:
    if found.broker is None:
        return "none was measured: none is installed, or it did not keep up"
    cost = found.broker
    return f"{cost.name} {cost.us_a_message:.1f} us a message, in and out"
