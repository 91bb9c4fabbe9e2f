"""Users, keys, and the audit log: secrets are shown once, and every change has its author."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from city.clock import US_PER_S, SimulatedClock
from city.scope import EVERYTHING
from registry.errors import AlreadyThereError, InvalidFactError, NotThereError
from registry.records import AuditQuery, DeviceDraft, PlaceDraft, ProviderDraft, RouteDraft
from registry.registry import Registry


def noted(registry: Registry, **query: object) -> list[tuple[str, str, str]]:
    return [
        (each.actor, each.action, each.subject)
        for each in registry.audit.page(AuditQuery(**query))  # type: ignore[arg-type]
    ]


def test_every_change_is_noted_with_its_author(registry: Registry) -> None:
    registry.providers.create("ann", ProviderDraft("acme"))
    registry.providers.change("ann", EVERYTHING, "acme", {"title": "Acme"})
    registry.places.create("bob", PlaceDraft("square"))
    registry.places.change("bob", "square", {"title": "Square"})
    registry.devices.create("ann", DeviceDraft("acme", "a"))
    registry.devices.change("ann", EVERYTHING, ("acme", "a"), {"name": "A"})
    registry.routes.create("bob", RouteDraft("r", "r/#", "native"))
    registry.routes.change("bob", "r", {"enabled": False})
    registry.routes.remove("bob", "r")
    registry.users.create("ann", "acme", provider="acme")
    registry.users.renew("ann", EVERYTHING, "acme")
    registry.users.disable("ann", EVERYTHING, "acme", disabled=True)
    registry.users.remove("ann", EVERYTHING, "acme")
    key, _ = registry.keys.create("ann", "a script")
    registry.keys.remove("ann", key.id)
    assert noted(registry, limit=1_000)[::-1] == [
        ("ann", "provider.created", "acme"),
        ("ann", "provider.changed", "acme"),
        ("bob", "place.created", "square"),
        ("bob", "place.changed", "square"),
        ("ann", "device.created", "acme/a"),
        ("ann", "device.changed", "acme/a"),
        ("bob", "route.created", "r"),
        ("bob", "route.changed", "r"),
        ("bob", "route.removed", "r"),
        ("ann", "user.created", "acme"),
        ("ann", "user.renewed", "acme"),
        ("ann", "user.disabled", "acme"),
        ("ann", "user.removed", "acme"),
        ("ann", "key.created", key.id),
        ("ann", "key.removed", key.id),
    ]


def test_a_change_that_fails_is_not_noted(registry: Registry) -> None:
    registry.providers.create("ann", ProviderDraft("acme"))
    with pytest.raises(AlreadyThereError):
        registry.providers.create("bob", ProviderDraft("acme"))
    assert noted(registry, actor="bob") == []


def test_the_audit_log_is_asked_by_time_and_in_pages(
    registry: Registry, clock: SimulatedClock
) -> None:
    start_us = clock.now_us()
    for number in range(5):
        registry.audit.write("ann", "quarantine.replayed", f"q-{number}")
        clock.advance(US_PER_S)
    since_us, until_us = start_us + US_PER_S, start_us + 3 * US_PER_S
    found = noted(registry, since_us=since_us, until_us=until_us)
    assert [subject for _, _, subject in found] == ["q-2", "q-1"]
    (first, second) = registry.audit.page(AuditQuery(limit=2))
    assert (first.subject, second.subject) == ("q-4", "q-3")
    (following,) = registry.audit.page(AuditQuery(limit=1, before=second.id))
    assert following.subject == "q-2"


def test_a_secret_opens_until_it_is_renewed(registry: Registry) -> None:
    _, first = registry.users.create("ann", "acme", provider="acme")
    _, second = registry.users.renew("ann", EVERYTHING, "acme")
    (entry,) = registry.users.entries()
    assert entry.opens_with(second.encode())
    assert not entry.opens_with(first.encode())


def test_a_provider_may_publish_under_its_routes_and_a_device_under_its_own_topics(
    registry: Registry,
) -> None:
    registry.users.create("ann", "acme", provider="acme")
    registry.users.create("ann", "acme/a", provider="acme", device="a")
    registry.routes.create("ann", RouteDraft("r", "boxes/#", "native", provider="acme"))
    registry.routes.create("ann", RouteDraft("s", "other/#", "native", provider="other"))
    registry.routes.create(
        "ann", RouteDraft("t", "off/#", "native", provider="acme", enabled=False)
    )
    entries = {entry.user: entry for entry in registry.users.entries()}
    assert entries["acme"].filters() == (b"madina/v1/acme/#", b"boxes/#")
    assert entries["acme/a"].filters() == (b"madina/v1/acme/a/#",)


def test_what_gateways_have_to_know_has_a_revision_of_its_own(registry: Registry) -> None:
    before = registry.access_revision()
    registry.accept([("acme", "a")])
    assert registry.access_revision() == before
    registry.users.create("ann", "acme", provider="acme")
    created = registry.access_revision()
    registry.routes.create("ann", RouteDraft("r", "r/+/#", "native", levels=(1, 2)))
    assert before < created < registry.access_revision()
    (rule,) = registry.shard_rules().rules
    assert (rule.filter, rule.levels) == ("r/+/#", (1, 2))


@pytest.mark.parametrize(("name", "provider"), [("", "acme"), ("u\n", "acme"), ("u", "a/b")])
def test_a_user_has_a_name_and_a_provider_that_can_be(
    registry: Registry, name: str, provider: str
) -> None:
    with pytest.raises(InvalidFactError):
        registry.users.create("ann", name, provider=provider)


def test_a_key_is_found_by_what_opens_until_it_is_revoked(registry: Registry) -> None:
    record, secret = registry.keys.create("ann", "a script")
    assert registry.keys.find(secret) == record
    assert registry.keys.find(record.id) is None
    registry.keys.remove("ann", record.id)
    assert registry.keys.find(secret) is None
    with pytest.raises(NotThereError):
        registry.keys.remove("ann", record.id)


def test_writers_of_several_processes_wait_for_each_other(
    open_registry: Callable[[], Registry],
) -> None:
    registries = [open_registry() for _ in range(4)]

    def write(number: int) -> None:
        for count in range(25):
            registries[number].keys.create(f"writer-{number}", f"key {count}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert len(registries[0].keys.all()) == 100
    assert len(registries[0].audit.page(AuditQuery(limit=1_000))) == 100


def test_one_of_two_that_want_a_name_gets_it(open_registry: Callable[[], Registry]) -> None:
    registries = [open_registry() for _ in range(4)]

    def create(number: int) -> bool:
        try:
            registries[number].providers.create(f"writer-{number}", ProviderDraft("acme"))
        except AlreadyThereError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(create, range(4))) == 1
