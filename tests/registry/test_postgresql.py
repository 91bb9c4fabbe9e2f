"""What only a server does: it goes away, comes back, sorts by language, and takes turns."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from city.clock import SimulatedClock
from city.scope import EVERYTHING
from registry.database import Database
from registry.errors import RegistryAwayError
from registry.records import AuditQuery, DeviceDraft, DeviceQuery
from registry.registry import Registry

pytestmark = pytest.mark.live


@pytest.fixture
def url(postgresql_url: Callable[[], str]) -> str:
    return postgresql_url()


def without_driver(url: str) -> str:
    return url.replace("+psycopg", "")


def end_sessions(url: str) -> None:
    """End every other session of the database, as a restart of the server does."""
    with psycopg.connect(without_driver(url), autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )


def test_a_server_that_was_restarted_is_connected_to_again(registry: Registry, url: str) -> None:
    registry.accept([("acme", "a")])
    end_sessions(url)
    assert registry.accept([("acme", "b")]) == 1
    end_sessions(url)
    assert registry.devices.counts(EVERYTHING).active == 2


def test_a_change_that_the_server_breaks_off_has_changed_nothing_and_says_so(
    registry: Registry, url: str, clock: SimulatedClock
) -> None:
    def change() -> None:
        with Database(url, clock).changing("a test") as begun:
            begun.note("device.created", "acme/a")
            end_sessions(url)
            begun.note("device.created", "acme/b")

    with pytest.raises(RegistryAwayError) as away:
        change()
    assert "terminat" in away.value.words
    assert away.value.retry_after_s > 0
    assert [each.action for each in registry.audit.page(AuditQuery())] == []


def test_the_driver_that_we_bring_is_taken_whatever_the_address_says(
    url: str, clock: SimulatedClock
) -> None:
    Registry.open(without_driver(url), clock).close()


def test_pages_go_by_code_points_though_the_cluster_sorts_by_language(registry: Registry) -> None:
    names = ["B", "a", "C", "_", "b", "A"]
    registry.devices.put("a test", [DeviceDraft("acme", name) for name in names])
    seen: list[str] = []
    after = None
    while page := registry.devices.page(EVERYTHING, DeviceQuery(after=after, limit=2)):
        seen += [each.id for each in page]
        after = (page[-1].provider, page[-1].id)
    assert seen == sorted(names)


def test_the_longest_device_id_fits(registry: Registry) -> None:
    longest = "%C3" * 66
    registry.accept([("acme", longest)])
    assert registry.devices.get(EVERYTHING, "acme", longest).id == longest


def test_two_that_register_the_same_devices_take_turns(
    open_registry: Callable[[], Registry],
) -> None:
    names = [("acme", f"d-{number}") for number in range(200)]
    registries = [open_registry() for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        accepted = [*pool.map(Registry.accept, registries, [names] * 3)]
    assert sorted(accepted) == [0, 0, 200]
