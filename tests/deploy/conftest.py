"""What tests of deploy/ share: its folder, and servers that end with the test."""

from __future__ import annotations

import contextlib
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

START_S = 60


class Servers:
    """Processes with their output in files of a folder."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self._folder = folder
        self._stack = stack

    def start(
        self, name: str, command: Sequence[str | Path], environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        with (self._folder / f"{name}.log").open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        self._stack.callback(process.wait, 30)
        self._stack.callback(process.terminate)
        return process

    def said(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def until(self, holds: Callable[[], bool], what: str) -> None:
        end_s = time.monotonic() + START_S
        while not holds():
            logs = "\n".join(
                f"--- {path.name}\n{path.read_text(encoding='utf-8', errors='replace')[-2_000:]}"
                for path in sorted(self._folder.glob("*.log"))
            )
            assert time.monotonic() < end_s, f"not after {START_S} s: {what}\n{logs}"
            time.sleep(0.05)


@pytest.fixture
def servers(tmp_path: Path) -> Generator[Servers]:
    with contextlib.ExitStack() as stack:
        yield Servers(tmp_path, stack)


@pytest.fixture(scope="session")
def deploy() -> Path:
    return Path(__file__).parents[2] / "deploy"
