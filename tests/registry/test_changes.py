"""Revisions: what changed since, in order, in pages, and never missed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from city.scope import EVERYTHING
from registry.facts import Device
from registry.records import DeviceDraft, PlaceDraft, RouteDraft
from registry.registry import Registry


def followed(registry: Registry, since: int = 0, limit: int = 10_000) -> tuple[int, list[Device]]:
    """Follow changes to their end, as ingest does; return the revision and the devices."""
    devices: list[Device] = []
    while True:
        changes = registry.changes(since, limit)
        devices += changes.devices
        since = changes.revision
        if changes.complete:
            return since, devices


def test_nothing_has_changed_since_the_last_revision(registry: Registry) -> None:
    registry.accept([("acme", "meter-7")])
    revision, _ = followed(registry)
    changes = registry.changes(revision)
    assert changes.revision == revision
    assert (changes.devices, changes.providers, changes.routes) == ((), (), ())


def test_a_changed_device_comes_again_with_a_higher_revision(registry: Registry) -> None:
    registry.devices.create("a test", DeviceDraft("acme", "meter-7"))
    revision, (first,) = followed(registry)
    registry.devices.change("a test", EVERYTHING, ("acme", "meter-7"), {"status": "retired"})
    _, (again,) = followed(registry, revision)
    assert again.revision > first.revision
    assert again.status == "retired"


def test_small_pages_tell_the_same_as_one(registry: Registry) -> None:
    registry.devices.put("a test", [DeviceDraft(f"p-{n % 3}", f"d-{n}") for n in range(50)])
    registry.routes.create("a test", RouteDraft("r", "r/#", "native", provider="p-1"))
    at_once = followed(registry)
    for limit in (1, 2, 7, 50):
        assert followed(registry, limit=limit) == at_once


def test_a_removed_route_comes_as_disabled(registry: Registry) -> None:
    registry.routes.remove("a test", "native")
    (route,) = registry.changes(0).routes
    assert not route.enabled
    assert registry.routes.all() == []


def test_devices_of_a_place_come_again_when_it_moves(registry: Registry) -> None:
    registry.places.create("a test", PlaceDraft("square", lat=40.0, lon=-3.0, district="centro"))
    registry.devices.create("a test", DeviceDraft("acme", "here", place="square"))
    registry.devices.create("a test", DeviceDraft("acme", "there", lat=1.0, lon=2.0))
    revision, _ = followed(registry)
    registry.places.change("a test", "square", {"lat": 41.0, "lon": -3.5})
    _, (moved,) = followed(registry, revision)
    assert (moved.id, moved.lat, moved.lon, moved.district) == ("here", 41.0, -3.5, "centro")


def test_who_follows_while_others_write_misses_nothing(
    open_registry: Callable[[], Registry],
) -> None:
    writers = [open_registry() for _ in range(3)]
    reader = open_registry()

    def write(number: int) -> None:
        for count in range(20):
            writers[number].accept([(f"p-{number}", f"d-{count}")])

    seen: set[tuple[str, str]] = set()
    revisions: list[int] = []
    with ThreadPoolExecutor(3) as pool:
        writing = [pool.submit(write, number) for number in range(3)]
        since = 0
        while True:
            ended = all(each.done() for each in writing)
            since, devices = followed(reader, since, limit=5)
            seen |= {(each.provider, each.id) for each in devices}
            revisions += [each.revision for each in devices]
            if ended:
                break
        for each in writing:
            each.result()
    assert seen == {(f"p-{n}", f"d-{count}") for n in range(3) for count in range(20)}
    assert len(set(revisions)) == len(revisions) == 60
