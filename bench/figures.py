"""The last results as a table, for people and for docs/bench.md: no figure is typed by hand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from bench.result import Goal, Machine

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["figures_table", "fill_figures"]

PART: Final = re.compile(r"(<!-- figures -->\n)(.*?)(<!-- end figures -->)", re.DOTALL)
# The rows of one bench and its name: the first has it, the others begin with an empty cell.
ROWS: Final = re.compile(r"(?=\| `([\w-]+)` \|)([^\n]*\n(?:\| \| [^\n]*\n)*)")


class _Result(msgspec.Struct, frozen=True):
    bench: str
    unit: str
    value: float
    machine: Machine
    goals: list[Goal]
    baseline: float | None = None
    ratio: float | None = None
    noisy: bool = False


def figures_table(results: Path, before: str = "") -> str:
    """Return what `bench/results` holds: each value, and each goal with what was measured.

    Args:
        results: The folder.
        before: The table as it was; a bench that has no result here keeps its rows.
    """
    found = [
        msgspec.json.decode(path.read_bytes(), type=_Result)
        for path in sorted(results.glob("*.json"))
    ]
    known = dict(ROWS.findall(before))
    known |= {each.bench: "".join(f"{row}\n" for row in _rows(each)) for each in found}
    head = "| bench | measured | wanted | | when, on what |\n| --- | --- | --- | --- | --- |\n"
    return head + "".join(known[bench] for bench in sorted(known))


def fill_figures(document: Path, results: Path) -> bool:
    """Put the table into a document; return whether that changed it."""
    text = document.read_text(encoding="utf-8")
    filled = PART.sub(lambda part: part[1] + figures_table(results, part[2]) + part[3], text)
    document.write_text(filled, encoding="utf-8")
    return filled != text


def _rows(result: _Result) -> list[str]:
    machine = result.machine
    where = (
        f"{machine.date[:16].replace('T', ' ')}, `{machine.commit}`,"
        f" {machine.cores} x {machine.processor}, load {machine.load:g}"
    )
    against = "" if result.ratio is None else f", {result.ratio:.3g} times better than the baseline"
    noisy = ", noisy" if result.noisy else ""
    first = f"| `{result.bench}` | {result.value:.3g} {result.unit}{against}{noisy} | | | {where} |"
    return [first, *map(_goal_row, result.goals)]


def _goal_row(goal: Goal) -> str:
    verdict = "met" if goal.met else "missed"
    return f"| | {goal.id}: {goal.measured:.3g} | {goal.wanted} | {verdict} | |"
