"""`make fuzz`: says what it tried, and ends with 1 and the bytes where something escapes."""

import random
from pathlib import Path

import pytest

from fuzz import __main__ as command
from fuzz.report import Decided


class Careless:
    """Does not like one byte in a hundred or so."""

    name = "careless"

    def make(self, rng: random.Random) -> bytes:
        return rng.randbytes(3)

    def check(self, data: bytes) -> Decided:
        if data[0] == 0:
            raise ZeroDivisionError
        return Decided(accepted=1)


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(command, "TARGETS", {"careless": Careless, **command.TARGETS})
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results")
    return tmp_path / "results"


@pytest.mark.parametrize("name", command.TARGETS)
def test_a_target_says_what_it_tried(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([name, "--cases", "300", "--seed", "5"]) == 0
    first = capsys.readouterr().out
    assert first.startswith(f"{name}: ")
    assert "no escape" in first
    assert command.main([name, "--cases", "300", "--seed", "5"]) == 0
    assert first.split(" in ")[0] == capsys.readouterr().out.split(" in ")[0]


def test_what_escaped_is_written_down_and_can_be_tried_again(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["careless", "--seconds", "20"]) == 1
    (path,) = results.iterdir()
    assert path.read_bytes()[0] == 0
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert f"python -m fuzz careless --input {path}" in said
    with pytest.raises(ZeroDivisionError):
        command.main(["careless", "--input", str(path)])


@pytest.mark.parametrize("arguments", [["nothing"], ["frames", "native", "--input", "x"]])
def test_what_cannot_be_meant_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(arguments)
    assert caught.value.code == 2
