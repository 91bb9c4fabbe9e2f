"""The table of docs/bench.md comes from results, and from nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.figures import figures_table, fill_figures
from bench.result import BenchResult, Goal, encode_result, this_machine

if TYPE_CHECKING:
    from pathlib import Path


def test_each_result_and_goal_is_a_row(tmp_path: Path) -> None:
    goals = [Goal("G3", 0.2, "<= 1/4 of it", met=True), Goal("G9", 2.0, "<= 1.5", met=False)]
    result = BenchResult(
        bench="endpoint", unit="us", value=2.8, baseline=14.0, ratio=5.0, goals=goals
    )
    (tmp_path / "endpoint.json").write_bytes(encode_result(result, this_machine()))
    table = figures_table(tmp_path)
    assert "| `endpoint` | 2.8 us, 5 times better than the baseline |" in table
    assert "| | G3: 0.2 | <= 1/4 of it | met | |" in table
    assert "| | G9: 2 | <= 1.5 | missed | |" in table
    document = tmp_path / "bench.md"
    document.write_text("before\n<!-- figures -->\nold\n<!-- end figures -->\nafter\n")
    assert fill_figures(document, tmp_path)
    assert document.read_text() == f"before\n<!-- figures -->\n{table}<!-- end figures -->\nafter\n"
    assert not fill_figures(document, tmp_path)


def test_what_was_measured_elsewhere_keeps_its_rows(tmp_path: Path) -> None:
    for name, value in (("a", 1.0), ("b", 2.0), ("b-c", 3.0)):
        result = BenchResult(
            bench=name, unit="us", value=value, goals=[Goal("g", value, "", met=True)]
        )
        (tmp_path / f"{name}.json").write_bytes(encode_result(result, this_machine()))
    before = figures_table(tmp_path)
    (tmp_path / "a.json").unlink()
    (tmp_path / "b-c.json").unlink()
    assert figures_table(tmp_path, before) == before
