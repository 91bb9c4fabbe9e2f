"""The first hour's tutorial does what it says, step by step, on a running demo city."""

from __future__ import annotations

import re
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Platform

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(300)]

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial-first-hour.md"
BLOCK = re.compile(r"^```console\n\$ (.*?)^```$", re.MULTILINE | re.DOTALL)
# What a step brings about is there a moment later; nobody types faster.
STEP_S = 30.0
LOOKS = re.compile(r"madina (quarantine list|ledger)|curl")
FILLED_S = 120.0


class Step(msgspec.Struct, frozen=True):
    """One block: a command, and the pieces of what it prints, in order."""

    command: str
    pieces: list[str]


def steps() -> list[Step]:
    return [_step(block) for block in BLOCK.findall(TUTORIAL.read_text(encoding="utf-8"))]


def _step(block: str) -> Step:
    command, _, printed = block.partition("\n")
    if "<<'END'" in command:
        document, _, printed = printed.partition("END\n")
        command = f"{command}\n{document}END"
    pieces = [
        " ".join(piece.split()) for line in printed.splitlines() for piece in line.split("...")
    ]
    return Step(command, [piece for piece in pieces if piece])


def here(command: str, platform: Platform) -> str:
    """Return a command for the ports and programs of this test."""
    program = " ".join(platform.program)
    return (
        command.replace(".venv/bin/madina", program)
        .replace("mosquitto_pub ", f"mosquitto_pub -p {platform.mqtt_port} ")
        .replace("http://127.0.0.1:8080", platform.run.http)
    )


def missing(said: str, pieces: list[str]) -> str:
    """Return the first piece that was not printed in its turn; empty where all were."""
    left = " ".join(said.split())
    for piece in pieces:
        _, found, left = left.partition(piece)
        if not found:
            return piece
    return ""


def told(step: Step, platform: Platform, folder: Path) -> str:
    """Carry out a step; return what it said where that is not what is written."""
    done = subprocess.run(
        ["/bin/bash", "-c", here(step.command, platform)],
        cwd=folder,
        env=platform.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    lacking = missing(done.stdout, step.pieces)
    if done.returncode == 0 and not lacking:
        return ""
    return f"{done.stdout}{done.stderr}lacks {lacking!r}, status {done.returncode}"


def until_computed(platform: Platform) -> None:
    """Wait for the past that the demo fills in, and for yesterday's number."""
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()  # noqa: TID251 - the demo's own clock
    asked = {"area": "device:environment/air-01", "from": yesterday, "to": yesterday}
    address = f"{platform.run.http}/v1/indicators/air.aqi.us.pm25/values"

    def computed() -> bool:
        answer = httpx.get(address, params={key: str(value) for key, value in asked.items()})
        values = msgspec.json.decode(answer.content).get("values", [])
        return any(each["completeness"] == 1 and each["value"] is not None for each in values)

    platform.until(computed, "yesterday is computed", FILLED_S)


def test_every_step_of_the_first_hour_prints_what_is_written(
    start: Callable[..., Platform], tmp_path: Path
) -> None:
    platform = start(options=["--demo"])
    until_computed(platform)
    found = steps()
    assert len(found) > 10, "the blocks are not found"
    for step in found:
        lacking = told(step, platform, tmp_path)
        end_s = time.monotonic() + (STEP_S if LOOKS.search(step.command) else 0)
        while lacking and time.monotonic() < end_s:
            time.sleep(0.2)
            lacking = told(step, platform, tmp_path)
        assert not lacking, f"$ {step.command}\n{lacking}"
