"""`bench/run.py`: the shape of a result, and that a bench which proves nothing fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from bench import run
from bench.result import BenchFailed, BenchResult, Goal, encode_result, this_machine

ROOT = Path(__file__).parents[2]
KEYS = {"bench", "unit", "value", "baseline", "ratio", "samples", "machine", "goals"}


def bench(monkeypatch: pytest.MonkeyPatch, found: BenchResult | BenchFailed) -> None:
    """Let a bench named `made_up` find something."""

    def measure(seconds: float | None) -> BenchResult:
        assert seconds == 1.0
        if isinstance(found, BenchFailed):
            raise found
        return found

    module = ModuleType("bench.made_up")
    vars(module)["measure"] = measure
    monkeypatch.setitem(sys.modules, "bench.made_up", module)
    monkeypatch.setattr(run, "BENCHES", {"made_up": "bench.made_up"})


def test_a_result_is_one_line_of_json_and_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    goals = [Goal("G0", 1.0, "<= 2", met=True)]
    bench(
        monkeypatch,
        BenchResult(bench="made_up", unit="us", value=1 / 3, goals=goals, extra={"more": [1]}),
    )
    assert run.run_bench("made_up", 1.0, tmp_path)
    line = capsys.readouterr().out
    found = msgspec.json.decode(line, type=dict[str, object])
    assert line.count("\n") == 1
    assert found.keys() == KEYS | {"more"}
    assert found["value"] == 0.333333
    assert (tmp_path / "made_up.json").read_text() == line


def test_a_bench_that_fails_writes_no_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bench(monkeypatch, BenchFailed("one message is missing"))
    assert not run.run_bench("made_up", 1.0, tmp_path)
    said = capsys.readouterr()
    assert said.out == ""
    assert "one message is missing" in said.err
    assert not list(tmp_path.iterdir())


def test_a_failed_bench_fails_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    bench(monkeypatch, BenchFailed("no"))
    assert run.main(["all", "--seconds", "1"]) == 1


@pytest.mark.parametrize("name", run.BENCHES)
def test_every_bench_that_is_offered_is_there(name: str) -> None:
    path = ROOT / run.BENCHES[name].replace(".", "/")
    source = path.with_suffix(".py").read_text(encoding="utf-8")
    assert "\ndef measure(seconds: float | None) -> BenchResult:" in source


def test_a_bench_may_be_named_like_the_package_that_it_measures() -> None:
    words = "import sys; sys.argv[1:] = ['-h']; import runpy; runpy.run_path('bench/run.py')"
    words += "; import duckdb; assert duckdb.connect"
    subprocess.run([sys.executable, "-c", words], cwd=ROOT, check=True)


def test_figures_have_six_digits() -> None:
    machine = this_machine()
    result = BenchResult(bench="b", unit="us", value=1234567.891, samples=[{"cost": 0.123456789}])
    found = msgspec.json.decode(encode_result(result, machine), type=dict[str, object])
    assert found["value"] == 1234570.0
    assert found["samples"] == [{"cost": 0.123457}]
