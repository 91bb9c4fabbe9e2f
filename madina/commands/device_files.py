"""`madina devices import` and `export`: registers as files, planned before anything changes."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from madina.api import Api, api
from madina.errors import CommandError
from madina.options import AsJson, DataDir
from madina.output import print_json, print_table
from madina.progress import Progress
from madina.registers.mapping import read_mapping
from madina.registers.plan import PlannedRow, apply_plan, counts_of, plan_import
from madina.registers.writing import write_csv, write_file

__all__ = ["add_to", "export_file", "import_file", "warn_of_later"]

SHOWN = 50
LATER = (
    "madina: nothing runs here: messages that devices have sent already are taken up by"
    " `madina devices accept` beside a running `madina up`"
)


def add_to(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("import")(import_file)
    group.command("export")(export_file)


def import_file(
    file: Annotated[Path, typer.Argument(help="CSV, GeoJSON, XLSX or JSON.")],
    *,
    mapping: Annotated[
        Path | None,
        typer.Option("--map", help="TOML: which columns mean what, where they are not ours."),
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Do it; without, only the plan is shown.")
    ] = False,
    skip_wrong: Annotated[
        bool, typer.Option("--skip-wrong", help="Leave out rows that are wrong, and do the rest.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show what a register of devices would change, row by row; with --apply, change it."""
    progress = Progress()
    with api(data_dir) as platform:
        planned = plan_import(platform, file, read_mapping(mapping), progress)
        counts = counts_of(planned)
        done = apply and (skip_wrong or not counts["wrong"])
        if done:
            apply_plan(platform, planned, progress)
            if counts["new"] or counts["changed"]:
                warn_of_later(platform)
    if as_json:
        print_json({**counts, "applied": done, "rows": _documents(planned)})
    else:
        _print_plan(planned, counts)
    if counts["wrong"] and not skip_wrong:
        words = f"{counts['wrong']} rows are wrong"
        raise CommandError(f"{words}: mend them, or leave them out with --skip-wrong")
    if not as_json:
        print("applied" if done else "nothing is changed yet: --apply does it")


def export_file(
    file: Annotated[
        Path | None, typer.Argument(help="CSV, GeoJSON or XLSX; by default CSV is shown.")
    ] = None,
    *,
    provider: Annotated[str | None, typer.Option(help="Of one provider.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Write all devices to a file, as `madina devices import` reads it."""
    with api(data_dir) as platform:
        devices = platform.items("/v1/devices", {"provider": provider})
        if file is None:
            write_csv(sys.stdout, devices)
            return
        count = write_file(file, devices)
    print(f"{count} devices in {file}")


def warn_of_later(platform: Api) -> None:
    """Say that nothing takes up now what new devices have sent before, where nothing runs."""
    if not platform.runs:
        print(LATER, file=sys.stderr)


def _documents(planned: list[PlannedRow]) -> list[dict[str, object]]:
    return [
        {
            "row": each.where,
            "device": each.device,
            "verdict": each.verdict,
            "fields": each.fields,
            "words": each.words,
        }
        for each in planned
    ]


def _print_plan(planned: list[PlannedRow], counts: dict[str, int]) -> None:
    """Print every wrong row, and of the others as many as one can read."""
    wrong = [each for each in planned if each.verdict == "wrong"]
    other = [each for each in planned if each.verdict in {"new", "changed"}]
    shown = wrong + other[: max(SHOWN - len(wrong), 0)]
    print_table(
        ("row", "device", "verdict", "why"),
        [
            (each.where, each.device, each.verdict, each.words or ", ".join(each.fields))
            for each in shown
        ],
    )
    left = len(wrong) + len(other) - len(shown)
    if left:
        print(f"... and {left} more (--json shows all)")
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
