"""The locks fit pyproject.toml, name no address, and agree with each other."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;]+)", re.MULTILINE)
LOCKS = {"requirements.lock": {"build"}, "requirements-dev.lock": None}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_in_its_range(lock: str) -> None:
    pinned = pins(lock)
    for requirement in requirements(LOCKS[lock]):
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"{lock} lacks {name}: run make lock"
        assert requirement.specifier.contains(pinned[name]), f"{lock} has {name} {pinned[name]}"


def test_what_runs_is_what_was_tested() -> None:
    tested = pins("requirements-dev.lock")
    differing = {
        name: (version, tested.get(name))
        for name, version in pins("requirements.lock").items()
        if tested.get(name) != version
    }
    assert not differing


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash_and_no_line_an_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    blocks = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text


def requirements(extras: set[str] | None) -> list[Requirement]:
    """Return the requirements of the project with some extras; None for all of them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"]]
    for extra, listed in project["optional-dependencies"].items():
        if extras is None or extra in extras:
            wanted += listed
    return [Requirement(each) for each in wanted]


def pins(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return {canonicalize_name(name): version for name, version in PIN.findall(text)}
