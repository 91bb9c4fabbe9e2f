"""What tests of the repository look at."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    "city",
    "store",
    "registry",
    "link",
    "indicators",
    "gateway",
    "ingest",
    "services",
    "loadtest",
)


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def tracked(root: Path) -> list[Path]:
    """Return every file that is or would be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return [root / name for name in listed.stdout.splitlines() if (root / name).is_file()]


@pytest.fixture(scope="session")
def product(root: Path, tracked: list[Path]) -> list[Path]:
    """Return every Python file of the rooms."""
    rooms = {*ROOMS, "madina"}
    found = [path for path in tracked if path.suffix == ".py" and _room(root, path) in rooms]
    assert found, "no Python file found in any room"
    return found


def _room(root: Path, path: Path) -> str:
    return path.relative_to(root).parts[0]
