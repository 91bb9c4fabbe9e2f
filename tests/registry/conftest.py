"""A registry in a database of its own, SQLite and PostgreSQL, and a clock that tests move."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from city.clock import SimulatedClock
from registry.registry import Registry

START_US = 1_772_600_040_000_000


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(START_US)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.live)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a database that has no tables yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/registry.sqlite"
    make: Callable[[], str] = request.getfixturevalue("postgresql_url")
    return make()


@pytest.fixture
def open_registry(url: str, clock: SimulatedClock) -> Iterator[Callable[[], Registry]]:
    """Return a function that opens the database once more, as another process does."""
    opened: list[Registry] = []

    def open_one() -> Registry:
        opened.append(Registry.open(url, clock))
        return opened[-1]

    yield open_one
    for registry in opened:
        registry.close()


@pytest.fixture
def registry(open_registry: Callable[[], Registry]) -> Registry:
    return open_registry()
