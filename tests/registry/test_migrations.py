"""Opening a database: from nothing, again, by several at once, and one that is too new."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

from city.clock import SimulatedClock
from city.scope import EVERYTHING
from registry import result_tables
from registry.database import Database
from registry.errors import RegistryVersionError
from registry.migrate import SCRIPTS
from registry.registry import Registry
from registry.tables import Tables

EARLIER_FACTS = """
insert into providers values ('acme', '', '', 2, 1, 1);
insert into places (name, title, lat, lon, district, created_us, updated_us)
values ('square', 'Square', 47.1, 8.1, 'old-town', 1, 1);
insert into devices (provider, id, kind, name, status, expected_interval_s, lat, lon, district,
place, tags, revision, created_us, updated_us)
values ('acme', 'a', 'air', 'A', 'active', 60.0, null, null, null, 'square', '[]', 3, 1, 1);
update counters set value = 3 where name = 'facts'
"""


def test_migrations_make_every_table_as_the_code_sees_it(registry: Registry, url: str) -> None:
    assert result_tables.RevisionRow.__tablename__ in Tables.metadata.tables
    engine = create_engine(url)
    with engine.connect() as connection:
        looking = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(looking, Tables.metadata) == []
        made = inspect(connection)
        for table in Tables.metadata.sorted_tables:
            keys = made.get_pk_constraint(table.name)["constrained_columns"]
            assert keys == [column.name for column in table.primary_key]
    engine.dispose()


def test_a_new_database_has_the_native_route_and_no_device(registry: Registry) -> None:
    (route,) = registry.routes.all()
    assert (route.pattern, route.codec, route.provider) == ("madina/v1/+/+/up", "native", None)
    changes = registry.changes(0)
    assert [each.name for each in changes.routes] == ["native"]
    assert changes.complete
    assert not changes.devices


def test_what_was_written_is_there_when_it_is_opened_again(
    open_registry: Callable[[], Registry],
) -> None:
    open_registry().accept([("acme", "meter-7")])
    changes = open_registry().changes(0)
    assert [(each.provider, each.id) for each in changes.devices] == [("acme", "meter-7")]


def test_a_database_of_a_newer_version_is_refused_and_left_alone(
    open_registry: Callable[[], Registry], url: str, clock: SimulatedClock
) -> None:
    open_registry().close()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(RegistryVersionError) as refused:
        Registry.open(url, clock)
    assert (refused.value.found, refused.value.known) == ("9999", "0007")
    with engine.begin() as connection:
        kept = connection.execute(text("select version_num from alembic_version")).scalar_one()
    assert kept == "9999"
    engine.dispose()


@pytest.mark.parametrize("earlier", ["0001", "0002", "0003", "0004", "0005"])
def test_what_an_earlier_version_has_registered_is_kept(
    earlier: str, url: str, clock: SimulatedClock
) -> None:
    database = Database(url, clock)
    with database.changing("an earlier version") as change:
        configuration = Config()
        configuration.set_main_option("script_location", str(SCRIPTS))
        configuration.attributes["connection"] = change.connection
        configuration.attributes["now_us"] = change.now_us
        command.upgrade(configuration, earlier)
        for statement in EARLIER_FACTS.split(";"):
            change.connection.execute(text(statement))
    database.close()
    registry = Registry.open(url, clock)
    kept = registry.devices.get(EVERYTHING, "acme", "a")
    assert (kept.name, kept.in_district, kept.address, kept.profile) == ("A", "old-town", "", None)
    (told,) = registry.changes(2).devices
    assert (told.expected_interval_s, told.lat, told.district) == (60.0, 47.1, "old-town")
    registry.close()


def test_a_database_is_made_once_by_processes_that_start_together(
    url: str, clock: SimulatedClock
) -> None:
    def opened(_: int) -> int:
        registry = Registry.open(url, clock)
        try:
            return len(registry.routes.all())
        finally:
            registry.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(opened, range(4))) == [1, 1, 1, 1]
