"""`madina load simulate` as people call it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from loadtest.simulate.run import Outcome
from madina.main import COMMANDS, build

RUNNER = CliRunner()


def simulated(*options: str) -> str:
    command = build([*COMMANDS])
    done = RUNNER.invoke(command, ["load", "simulate", *options], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_it_prints_figures_and_where_messages_wait(tmp_path: Path) -> None:
    page = tmp_path / "simulated.html"
    asked = ("--devices", "4e6", "--interval", "5m", "--duration", "20s", "--burst", "2:3s:2s")
    said = simulated(*asked, "--outage", "store:8s:3s", "--html", str(page))
    assert "13,333 messages a second for 20 s" in said
    assert "store 3 s at 8 s" in said
    assert "caught up" in said
    assert "Where messages wait" in page.read_text(encoding="utf-8")


def test_programs_get_all_of_it_as_json() -> None:
    found = msgspec.json.decode(simulated("--rate", "5000", "--json"), type=Outcome)
    assert found.applied_per_s == pytest.approx(5_000, rel=0.02)
    assert found.drain_s is None
    assert len(found.samples) == len(found.queues) > 3_000


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "either --rate or --devices"),
        (("--rate", "1", "--devices", "1"), "either --rate or --devices"),
        (("--devices", "many"), "is no rate"),
        (("--rate", "0"), "rate 0"),
        (("--rate", "1", "--duration", "long"), "--duration long is no duration"),
        (("--rate", "1", "--outage", "store"), "write store:10s:10s"),
        (("--rate", "1", "--outage", "moon:1s:1s"), "one of gateway, log, ingest, store"),
        (("--rate", "1", "--burst", "much:1s:1s"), "much is no number"),
        (("--rate", "100", "--format", "morse"), "morse was not calibrated"),
        (("--rate", "100", "--html", "/nowhere/page.html"), "cannot be written"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: tuple[str, ...], words: str) -> None:
    done = RUNNER.invoke(build([*COMMANDS]), ["load", "simulate", *options])
    assert done.exit_code == 1
    assert words in str(done.exception)
