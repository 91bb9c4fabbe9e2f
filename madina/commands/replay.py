"""`madina replay`: recorded data over real MQTT, and what became of every row."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from loadtest.replay.mapping import Mapping, MappingError, read_mapping
from loadtest.replay.player import PlayProgress
from loadtest.replay.recording import Recording
from loadtest.replay.tables import FileError
from madina.api import api
from madina.data_folder import DataFolder
from madina.errors import CommandError
from madina.options import AsJson, DataDir
from madina.output import print_fields, print_json
from madina.replay.outcome import ReplayOutcome
from madina.replay.run import prepare, replay
from madina.settings import load_settings

__all__ = ["add_to", "run"]

SHOWN = 5


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay")(run)


def run(
    files: Annotated[list[Path], typer.Argument(help="CSV, NDJSON or JSON, in order.")],
    *,
    mapping: Annotated[Path, typer.Option("--map", help="What their columns mean: TOML.")],
    speed: Annotated[
        float | None,
        typer.Option(help="Times the recorded speed.", show_default="as fast as it goes"),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Send so many messages at most.", show_default="all")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Publish recorded data over MQTT with its own times, and account for every row."""
    if speed is not None and not speed > 0:
        raise CommandError(f"--speed {speed:g} gets nowhere: say how many times the recorded speed")
    recording = _recording(mapping, files)
    settings = load_settings(data_dir).settings
    running = DataFolder(settings.data_dir).running()
    if running is None:
        raise CommandError("nothing runs on this data folder: start `madina up` first")
    prepared = prepare(recording, limit=limit, in_order=speed is not None)
    with api(data_dir) as calls, _bar() as bar:
        task = bar.add_task("sending", total=prepared.count, rate="")

        def show(progress: PlayProgress) -> None:
            rate = bar.tasks[task].speed
            bar.update(task, completed=progress.acked, rate=f"{rate:,.0f}/s" if rate else "")

        outcome = replay(calls, settings, running.mqtt, prepared, speed=speed, progress=show)
    if as_json:
        print_json(outcome)
    else:
        print_fields(_lines(outcome, prepared.count))
    sys.exit(0 if outcome.holds else 1)


def _recording(path: Path, files: Sequence[Path]) -> Recording:
    missing = next((each for each in files if not each.is_file()), None)
    if missing is not None:
        raise CommandError(f"there is no file {missing}")
    try:
        return Recording(_mapping(path), files)
    except FileError as error:
        raise CommandError(str(error)) from error


def _mapping(path: Path) -> Mapping:
    try:
        return read_mapping(path.read_bytes())
    except OSError as error:
        raise CommandError(f"the mapping {path} cannot be read: {error.strerror}") from error
    except MappingError as error:
        raise CommandError(f"the mapping {path}: {error}") from error


def _bar() -> Progress:
    """Return a progress bar on standard error, which a terminal alone shows."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def _lines(outcome: ReplayOutcome, count: int) -> Iterator[tuple[str, object]]:
    yield "rows", _rows(outcome)
    if outcome.missing:
        yield "missing values", _listed(outcome.missing)
    if outcome.skipped_values:
        yield "values not sent", _listed(outcome.skipped_values)
    for each in outcome.skipped[:SHOWN]:
        where = " ".join(filter(None, (each.file, f"row {each.row}", each.key, each.column)))
        yield "", f"{where}: {each.reason}: {each.words}"
    if len(outcome.skipped) > SHOWN:
        yield "", "and others: --json lists a thousand"
    positions = (
        f", {outcome.without_position} without a position" if outcome.without_position else ""
    )
    yield "devices", f"{outcome.devices}, {outcome.registered} of them new{positions}"
    for fault in outcome.faults[:SHOWN]:
        yield "", fault
    part = "" if outcome.sent == count else f" of {count}"
    yield (
        "sent",
        f"{outcome.sent}{part}, {outcome.acknowledged} acknowledged, {outcome.resent} again",
    )
    yield "rate", f"{outcome.rate_per_s:,.0f} messages a second for {outcome.seconds:.1f} s"
    yield "received", outcome.received
    yield "accepted", outcome.accepted
    yield "quarantined", f"{outcome.quarantined}{_because(outcome.quarantined_by)}"
    yield "duplicate", outcome.duplicate
    yield "difference", outcome.difference
    sums = outcome.observations
    rejected = f"{sums['rejected']} rejected{_because(outcome.rejected_by)}"
    yield "observations", f"{sums['stored']} stored, {sums['duplicate']} duplicate, {rejected}"
    yield "verdict", _verdict(outcome)


def _rows(outcome: ReplayOutcome) -> str:
    skipped = sum(outcome.skipped_rows.values())
    return f"{outcome.rows}, {skipped} not sent{_because(outcome.skipped_rows)}"


def _because(reasons: dict[str, int]) -> str:
    return f" ({_listed(reasons)})" if reasons else ""


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _verdict(outcome: ReplayOutcome) -> str:
    if outcome.words:
        return "; ".join(outcome.words)
    early = "" if outcome.finished else "ended early: "
    return f"{early}every message that was sent is accounted for"
