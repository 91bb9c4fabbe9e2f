"""How commands print: a table for people, one JSON document for programs."""

from collections.abc import Iterable, Sequence

import msgspec
from rich.console import Console
from rich.table import Table

__all__ = ["print_json", "print_table"]


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
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    Console(soft_wrap=True).print(table)
