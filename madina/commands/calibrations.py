"""`madina calibrations`: what corrects a device's values, and from when until when."""

from typing import Annotated, cast

import typer

from madina.api import Document, api, resource
from madina.options import AsJson, DataDir, Limit
from madina.output import print_document, print_items, print_json, print_table

__all__ = ["add", "add_to", "list_calibrations", "remove"]

Preview = Annotated[
    bool, typer.Option("--preview", help="Print what would be published otherwise; change nothing.")
]
PREVIEWED = ("indicator", "area", "grain", "start", "value", "new_value")
COLUMNS = ("id", "device", "quantity", "factor", "offset", "valid_from", "valid_until", "note")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="What corrects devices' values, and when.")
    group.command("list")(list_calibrations)
    group.command("add")(add)
    group.command("remove")(remove)
    app.add_typer(group, name="calibrations")


def list_calibrations(
    *,
    device: Annotated[str | None, typer.Option(help="Of one device: PROVIDER/DEVICE.")] = None,
    limit: Limit = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List calibrations, oldest first."""
    with api(data_dir) as platform:
        items = platform.items("/v1/calibrations", {"device": device}, limit)
        print_items(COLUMNS, items, as_json=as_json)


def add(  # noqa: PLR0913 - each is an option of the command line
    device: Annotated[str, typer.Argument(metavar="PROVIDER/DEVICE")],
    quantity: Annotated[str, typer.Argument(help="Which of its quantities.")],
    *,
    valid_from: Annotated[str, typer.Option("--from", help="2026-03-04T05:06:07Z")],
    valid_until: Annotated[
        str | None, typer.Option("--until", help="Excluded; until further notice where left out.")
    ] = None,
    factor: Annotated[float, typer.Option(help="What a value is multiplied by.")] = 1.0,
    offset: Annotated[float, typer.Option(help="What is added then, in its unit.")] = 0.0,
    note: Annotated[str, typer.Option(help="Who measured it, and against what.")] = "",
    preview: Preview = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Register a calibration; what is published of its time is computed again.

    Stored values stay as they were sent.
    """
    body = {
        "device": device,
        "quantity": quantity,
        "valid_from": valid_from,
        "valid_until": valid_until,
        "factor": factor,
        "offset": offset,
        "note": note,
    }
    with api(data_dir) as platform:
        if preview:
            _show(platform.send("POST", "/v1/calibrations/preview", body), as_json=as_json)
        else:
            print_document(platform.send("POST", "/v1/calibrations", body), as_json=as_json)


def remove(
    calibration: Annotated[int, typer.Argument(help="Its number.")],
    *,
    preview: Preview = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Withdraw a calibration; what is published of its time is computed again."""
    path = resource("/v1/calibrations", str(calibration))
    with api(data_dir) as platform:
        if preview:
            _show(platform.get(f"{path}/removal"), as_json=as_json)
            return
        platform.send("DELETE", path)
    print(f"calibration {calibration} withdrawn")


def _show(preview: Document, *, as_json: bool) -> None:
    if as_json:
        print_json(preview)
        return
    changed = cast("list[Document]", preview["changed"])
    print_table(PREVIEWED, ([each[name] for name in PREVIEWED] for each in changed))
    print(
        f"{len(changed)} of {preview['computed']} figures would be published otherwise;"
        f" {preview['touched']} are made of that time"
    )
