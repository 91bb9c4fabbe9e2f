"""Bring a database to this program's version when it is opened. The scripts ship in the wheel."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from registry.database import Database
from registry.errors import RegistryVersionError

__all__ = ["migrate"]

SCRIPTS = Path(__file__).parent / "migrations"


def migrate(database: Database) -> None:
    """Apply the migrations that are missing, all of them or none.

    Raises:
        RegistryVersionError: If a newer version of madina has made the database.
    """
    configuration = Config()
    configuration.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(configuration)
    head = scripts.get_current_head()
    assert head is not None, "the migrations ship with the program"
    with database.reading() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found == head:
        return
    if found is not None and found not in {each.revision for each in scripts.walk_revisions()}:
        raise RegistryVersionError(found=found, known=head)
    with database.changing("madina") as change:
        configuration.attributes["connection"] = change.connection
        configuration.attributes["now_us"] = change.now_us
        command.upgrade(configuration, "head")
