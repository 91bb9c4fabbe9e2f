"""`madina indicators compare`: two published figures, or why they must not be compared."""

from typing import Annotated, Any

import typer

from madina.api import api, resource
from madina.options import AsJson, DataDir
from madina.output import print_fields, print_json, print_table

__all__ = ["compare"]

SHOWN = (
    "indicator", "area", "start", "tz", "value", "unit", "band", "completeness", "state",
    "revision", "version", "hash",
)  # fmt: skip
HASH_SHOWN = 16


def compare(  # noqa: PLR0913 - each is an option of the command line
    indicator: Annotated[str, typer.Argument(metavar="ID", help="Name of the indicator.")],
    *,
    area: Annotated[str, typer.Option(help="device:PROVIDER/ID, place:ID, district:ID or city.")],
    period: Annotated[str, typer.Option(help="A day, 2026-03-04, or the instant of an hour.")],
    grain: Annotated[str | None, typer.Option(help="Of both.", show_default="first")] = None,
    version: Annotated[str | None, typer.Option(help="Of the definition.")] = None,
    revision: Annotated[int | None, typer.Option(show_default="latest")] = None,
    with_indicator: Annotated[str | None, typer.Option(show_default="same")] = None,
    with_area: Annotated[str | None, typer.Option(show_default="same")] = None,
    with_period: Annotated[str | None, typer.Option(show_default="same")] = None,
    with_version: Annotated[str | None, typer.Option(show_default="same")] = None,
    with_revision: Annotated[int | None, typer.Option(show_default="latest")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Compare two published figures; of two definitions, print how the definitions differ.

    Two days, two areas, or two revisions of one figure.
    """
    asked = {
        "area": area,
        "period": period,
        "grain": grain,
        "version": version,
        "revision": revision,
        "with_indicator": with_indicator,
        "with_area": with_area,
        "with_period": with_period,
        "with_version": with_version,
        "with_revision": with_revision,
    }
    with api(data_dir) as platform:
        found: Any = platform.get(resource("/v1/indicators", indicator, "compare"), asked)
    if as_json:
        print_json(found)
        return
    left, right = found["left"], found["right"]
    rows = [(name, _short(name, left[name]), _short(name, right[name])) for name in SHOWN]
    print_table(("", "first", "second"), rows)
    print()
    if found["comparable"]:
        change = found["change"]
        ratio = None if change["ratio"] is None else f"{change['ratio'] - 1:+.1%}"
        print_fields([("change", change["value"]), ("relative", ratio)])
        return
    print("These do not compare: they were computed by different definitions.")
    parts = [(each["member"], each["left"], each["right"]) for each in found["definitions"]]
    print_table(("member", "first", "second"), [_cells(part) for part in parts])


def _cells(part: tuple[str, Any, Any]) -> tuple[str, str, str]:
    member, left, right = part
    return member, str(_short(member, left)), str(_short(member, right))


def _short(name: str, value: Any) -> Any:  # noqa: ANN401 - of any kind
    return value[:HASH_SHOWN] if name == "hash" else value
