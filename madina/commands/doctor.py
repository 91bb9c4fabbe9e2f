"""`madina doctor`: is this machine set up so that the platform can run, and does it?"""

import typer

from city.clock import MachineClock
from madina.doctor.catalogue import checks
from madina.errors import CommandError
from madina.options import AsJson, DataDir
from madina.output import print_json, print_table
from madina.settings import load_settings

__all__ = ["add_to", "doctor"]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(*, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Check the set-up in words; exit status 1 where something has to be mended."""
    found = [*checks(load_settings(data_dir).settings, MachineClock())]
    if as_json:
        print_json({"items": found, "next": None})
    else:
        print_table(
            ("check", "verdict", "what was found"),
            ((each.name, each.verdict, each.words) for each in found),
        )
    wrong = [each.name for each in found if each.verdict == "error"]
    if wrong:
        raise CommandError(f"to be mended: {', '.join(wrong)}")
