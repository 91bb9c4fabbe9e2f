"""What ingest has to read again: the facts behind a revision, oldest change first."""

from sqlalchemy import Connection, select

from registry.database import FACTS, Database
from registry.effective import DEVICE, DISTRICT, INTERVAL, KIND, LAT, LON
from registry.facts import Changes, Device, Hardware, Provider, Route
from registry.route_facts import ROUTES, route_fact
from registry.tables import CounterRow, DeviceRow, HardwareRow, ProviderRow, RouteRow

__all__ = ["changes_since"]

DEVICES = select(
    DeviceRow.provider,
    DeviceRow.id,
    KIND,
    DeviceRow.name,
    DeviceRow.status,
    INTERVAL,
    LAT,
    LON,
    DISTRICT,
    DeviceRow.revision,
    DeviceRow.created_us,
).select_from(DEVICE)

HARDWARE = select(
    HardwareRow.id,
    HardwareRow.provider,
    HardwareRow.device,
    HardwareRow.hardware,
    HardwareRow.from_us,
    HardwareRow.until_us,
    HardwareRow.revision,
)

PROVIDERS = select(ProviderRow.name, ProviderRow.title, ProviderRow.revision)


def changes_since(database: Database, since: int, limit: int) -> Changes:
    """Return facts whose revision is beyond `since`, at most `limit` in all."""
    assert limit > 0, "a page holds something"
    with database.reading() as connection:
        # Before the rows: a change that commits in between is then read again, not missed.
        statement = select(CounterRow.value).where(CounterRow.name == FACTS)
        newest = connection.execute(statement).scalar_one()
        if newest <= since:
            return Changes(revision=newest, newest=newest)
        providers = _providers(connection, since, limit)
        devices = _devices(connection, since, limit)
        routes = _routes(connection, since, limit)
        hardware = _hardware(connection, since, limit)
    kinds = (providers, devices, routes, hardware)
    revisions = sorted(each.revision for kind in kinds for each in kind)
    last = revisions[limit - 1] if len(revisions) > limit else newest
    if len(revisions) == limit:
        last = revisions[-1]
    return Changes(
        revision=last,
        newest=newest,
        providers=tuple(each for each in providers if each.revision <= last),
        devices=tuple(each for each in devices if each.revision <= last),
        routes=tuple(each for each in routes if each.revision <= last),
        hardware=tuple(each for each in hardware if each.revision <= last),
    )


def _providers(connection: Connection, since: int, limit: int) -> list[Provider]:
    statement = PROVIDERS.where(ProviderRow.revision > since).order_by(ProviderRow.revision)
    return [Provider(*row) for row in connection.execute(statement.limit(limit))]


def _devices(connection: Connection, since: int, limit: int) -> list[Device]:
    statement = DEVICES.where(DeviceRow.revision > since).order_by(DeviceRow.revision)
    return [Device(*row) for row in connection.execute(statement.limit(limit))]


def _routes(connection: Connection, since: int, limit: int) -> list[Route]:
    statement = ROUTES.where(RouteRow.revision > since).order_by(RouteRow.revision)
    return [route_fact(row) for row in connection.execute(statement.limit(limit)).mappings()]


def _hardware(connection: Connection, since: int, limit: int) -> list[Hardware]:
    statement = HARDWARE.where(HardwareRow.revision > since).order_by(HardwareRow.revision)
    return [Hardware(*row) for row in connection.execute(statement.limit(limit))]
