"""`madina indicators export`, `prove` and `verify`: numbers that leave, and are checked there."""

import zipfile
from pathlib import Path
from typing import Annotated

import typer

from madina.api import api, resource
from madina.errors import CommandError
from madina.options import AsJson, DataDir
from madina.output import print_json, print_table

__all__ = ["export", "prove", "verify"]

FORMATS = {".csv": "csv", ".parquet": "parquet", ".zip": "package"}
Id = Annotated[str, typer.Argument(metavar="ID", help="Name of the indicator.")]
AreaHelp = "device:PROVIDER/ID, place:ID, district:ID or city."


def export(  # noqa: PLR0913 - each is an option of the command line
    indicator: Id,
    file: Annotated[
        Path, typer.Argument(help="CSV, Parquet, or ZIP: CSV with definitions and SHA-256.")
    ],
    *,
    area: Annotated[
        list[str] | None, typer.Option("--area", help=AreaHelp, show_default="all")
    ] = None,
    grain: Annotated[str | None, typer.Option(show_default="first")] = None,
    first: Annotated[
        str | None, typer.Option("--from", help="First day: 2026-03-04.", show_default="any")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day, included.")] = None,
    as_of: Annotated[str | None, typer.Option(help="As it was published at an instant.")] = None,
    history: Annotated[bool, typer.Option("--history", help="Every revision.")] = False,
    public: Annotated[
        bool, typer.Option("--public", help="As the public gets it: small counts and homes hidden.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Write published values to a file, all of them."""
    if file.suffix.lower() not in FORMATS:
        raise CommandError(f"{file} names no format: end it with {', '.join(FORMATS)}")
    asked = {
        "format": FORMATS[file.suffix.lower()],
        "area": area,
        "grain": grain,
        "from": first,
        "to": last,
        "asOf": as_of,
        "includeHistory": "true" if history else None,
        "public": "true" if public else None,
    }
    with api(data_dir) as platform:
        size = platform.save(resource("/v1/indicators", indicator, "export"), asked, file)
    print(f"{size} bytes in {file}")


def prove(  # noqa: PLR0913 - each is an option of the command line
    indicator: Id,
    file: Annotated[Path, typer.Argument(help="A ZIP that is written.")],
    *,
    area: Annotated[str, typer.Option(help=AreaHelp)],
    period: Annotated[str, typer.Option(help="A day, 2026-03-04, or the instant of an hour.")],
    grain: Annotated[str | None, typer.Option(show_default="first")] = None,
    revision: Annotated[int | None, typer.Option(show_default="latest")] = None,
    data_dir: DataDir = None,
) -> None:
    """Write one published figure with its definition and all observations behind it."""
    asked = {"area": area, "period": period, "grain": grain, "revision": revision}
    path = resource("/v1/indicators", indicator, "figure", "proof")
    with api(data_dir) as platform:
        size = platform.save(path, asked, file)
    print(f"{size} bytes in {file}; check it anywhere: madina indicators verify {file}")


def verify(
    file: Annotated[Path, typer.Argument(help="A ZIP of `prove`.")], *, as_json: AsJson = False
) -> None:
    """Compute a figure again from its proof alone; nothing has to run, and nothing is asked."""
    # Loads the engine; other commands need not wait for that.
    from indicators.package import PackageError  # noqa: PLC0415
    from indicators.proof import check_proof  # noqa: PLC0415

    try:
        with zipfile.ZipFile(file) as package:
            checks = check_proof(package)
    except (zipfile.BadZipFile, OSError, PackageError) as error:
        raise CommandError(f"{file} is no proof of a figure: {error}") from error
    holds = all(each.holds for each in checks)
    if as_json:
        items = [{"what": each.what, "holds": each.holds, "words": each.words} for each in checks]
        print_json({"holds": holds, "checks": items})
    else:
        rows = [(each.what, "holds" if each.holds else "DIFFERS", each.words) for each in checks]
        print_table(("checked", "", ""), rows)
    if not holds:
        wrong = ", ".join(each.what for each in checks if not each.holds)
        raise CommandError(f"{file} does not hold: {wrong}")
