"""How commands print: a table for people, one JSON document for programs."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from rich.console import Console
from rich.table import Table

__all__ = [
    "print_document",
    "print_fields",
    "print_items",
    "print_json",
    "print_secret",
    "print_table",
    "printable",
]

WIDEST = 10_000


def print_json(value: object) -> None:
    """Print one JSON document, indented."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their headings; numbers to the right."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    collected = [*rows]
    for index, column in enumerate(columns):
        numbers = all(isinstance(row[index], int | float) for row in collected)
        table.add_column(column, justify="right" if numbers and collected else "left")
    for row in collected:
        table.add_row(*("" if cell is None else printable(str(cell)) for cell in row))
    _print(table)


def print_items(
    columns: Sequence[str], items: Iterable[Mapping[str, object]], *, as_json: bool
) -> None:
    """Print a list of the API: all of it as JSON, or some members of each entry as a table."""
    if as_json:
        print_json({"items": [*items], "next": None})
        return
    print_table(columns, ([item.get(column) for column in columns] for item in items))


def print_document(document: Mapping[str, object], *, as_json: bool) -> None:
    """Print one thing of the API."""
    if as_json:
        print_json(document)
        return
    print_fields(document.items())


def print_secret(document: Mapping[str, object], member: str, *, as_json: bool) -> None:
    """Print something that was made with a secret, and that it is shown this once."""
    print_document(document, as_json=as_json)
    if not as_json and document.get(member) is not None:
        print(f"Keep the {member}: nobody can ask for it again.")


def print_fields(fields: Iterable[tuple[str, object]]) -> None:
    """Print names and values of one thing, a line each."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    for name, value in fields:
        table.add_row(name, "" if value is None else printable(str(value)))
    _print(table)


def printable(text: str) -> str:
    """Return text whose control characters cannot reach a terminal: devices chose some of it."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def _print(table: Table) -> None:
    # As wide as it has to be: a terminal wraps lines, but nobody can unfold "quaran...".
    width = max(Console().width, _console(WIDEST).measure(table).maximum)
    _console(width).print(table)


def _console(width: int) -> Console:
    return Console(width=width, soft_wrap=True, markup=False, emoji=False, highlight=False)
