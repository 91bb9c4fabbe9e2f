"""The wheel is whole: installed alone, outside of the checkout, it runs the platform."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Platform

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
ROOMS = {"city", "store", "registry", "indicators",
         "link", "gateway", "ingest", "services", "loadtest", "madina"}  # fmt: skip


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT)
    (built,) = tmp_path.glob("*.whl")
    return built


def test_the_wheel_runs_where_nothing_else_of_ours_is(
    wheel: Path, tmp_path: Path, start: Callable[..., Platform]
) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == ROOMS

    home = tmp_path / "venv"
    uv = Path(sys.executable).with_name("uv")
    run(uv, "venv", "--quiet", "--python", sys.executable, home)
    install = [uv, "pip", "install", "--quiet", "--python", home / "bin" / "python"]
    # What the lock pins, by hash; `make setup` has left it in the cache of this machine.
    run(*install, "--require-hashes", "-r", ROOT / "requirements.lock")
    run(*install, "--no-deps", wheel)
    where = "import madina; print(madina.__file__)"
    assert run(home / "bin" / "python", "-c", where, cwd=tmp_path).startswith(str(home))

    platform = start(program=[str(home / "bin" / "madina")], MADINA_UNKNOWN_DEVICES="accept")
    platform.publish(1)
    platform.until(lambda: platform.ledger()["accepted"] == 1, "the message is accepted")
    assert platform.difference() == {"messages": 0, "observations": 0}
    assert len(platform.observations()) == 1
    assert platform.interrupt() == 0


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run a command to its end; return what it printed."""
    done = subprocess.run(
        [str(each) for each in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
