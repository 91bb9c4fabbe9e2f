"""`madina ledger`: what came in, what became of it, and the difference, which is 0."""

import sys
from typing import Annotated, Literal

import msgspec
import typer

from city.clock import MachineClock
from city.instants import to_text
from madina.api import Document, api
from madina.errors import CommandError
from madina.moments import MOMENT_HELP, moment
from madina.options import AsJson, DataDir
from madina.output import print_json, print_table

__all__ = ["add_to", "ledger"]

MESSAGES = ("received", "accepted", "quarantined", "duplicate", "pending")
OBSERVATIONS = ("decoded", "stored", "duplicate", "rejected")
STORE_ONLY = "madina: nothing runs here: messages that wait on the log are left out"


class _Counts(msgspec.Struct, frozen=True):
    messages: dict[str, int]
    observations: dict[str, int]
    difference: dict[str, int]


class _Row(_Counts, frozen=True):
    start: str
    provider: str
    route: str


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ledger")(ledger)


def ledger(  # noqa: PLR0913 - each is an option of the command line
    *,
    since: Annotated[str | None, typer.Option(help=f"First minute: {MOMENT_HELP}")] = None,
    until: Annotated[str | None, typer.Option(help="Minute before which to end.")] = None,
    provider: Annotated[str | None, typer.Option(help="Of one provider.")] = None,
    route: Annotated[str | None, typer.Option(help="Of one route.")] = None,
    group: Annotated[
        Literal["minute"] | None, typer.Option(help="By minute, provider and route too.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show what came in and what became of it; exit status 1 where that does not add up."""
    clock = MachineClock()
    asked = {
        "since": moment(since, clock),
        "until": moment(until, clock),
        "provider": provider,
        "route": route,
        "group": group,
    }
    with api(data_dir) as platform:
        if not platform.runs and until is None:
            asked["until"] = to_text(clock.now_us())
            print(STORE_ONLY, file=sys.stderr)
        answer = platform.get("/v1/ledger", asked)
        items, cursor = answer.get("items"), answer.get("next")
        while isinstance(items, list) and cursor is not None:
            # Each page is the day before.
            page = platform.get("/v1/ledger", asked | {"cursor": cursor})
            items[:0], cursor = msgspec.convert(page["items"], list[Document]), page["next"]
    _print(answer, as_json=as_json)
    difference = msgspec.convert(answer, _Counts).difference
    if any(difference.values()):
        raise CommandError(
            f"the ledger does not add up: {difference['messages']} messages and"
            f" {difference['observations']} observations are a defect of madina, please report it"
        )


def _print(answer: Document, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    counts = msgspec.convert(answer, _Counts)
    for what, names in (("messages", MESSAGES), ("observations", OBSERVATIONS)):
        found: dict[str, int] = getattr(counts, what)
        values = [found[name] for name in names]
        print_table((what, *names, "difference"), [("", *values, counts.difference[what])])
    if rows := msgspec.convert(answer.get("items", []), list[_Row]):
        print_table(
            ("minute", "provider", "route", *MESSAGES, "difference"),
            (
                (
                    row.start,
                    row.provider,
                    row.route,
                    *(row.messages[name] for name in MESSAGES),
                    row.difference["messages"],
                )
                for row in rows
            ),
        )
