"""The registry: relational facts in one database, opened once by the composition root."""

from pathlib import Path

from city.access import ShardRule, ShardRules
from city.clock import Clock
from registry.audit import AuditLog
from registry.calibrations import Calibrations
from registry.changes import changes_since
from registry.database import ACCESS, Database
from registry.devices import Devices
from registry.districts import Districts
from registry.facts import Changes
from registry.hardware import HardwareBook
from registry.keys import Keys
from registry.maintenance import MaintenanceBook
from registry.migrate import migrate
from registry.places import Places
from registry.profiles import Profiles
from registry.providers import Providers
from registry.routes import OptionsFault, Routes, anything
from registry.sites import Sites
from registry.users import Users

__all__ = ["Registry"]

CHANGES_MAX = 10_000


class Registry:
    """Reads and changes of every fact. Synchronous, and safe to use from several threads.

    Attributes:
        database: Where they are; other tables of the same database use it too.
        providers, places, districts, profiles, devices, hardware, maintenance, calibrations,
            routes, users, keys, audit: One for each kind of fact.
        sites: Where devices stand, for computations.
    """

    def __init__(self, database: Database, options_fault: OptionsFault = anything) -> None:
        self.database = database
        self.providers = Providers(database)
        self.places = Places(database)
        self.districts = Districts(database)
        self.profiles = Profiles(database)
        self.devices = Devices(database)
        self.calibrations = Calibrations(database)
        self.hardware = HardwareBook(database)
        self.maintenance = MaintenanceBook(database)
        self.routes = Routes(database, options_fault)
        self.users = Users(database)
        self.keys = Keys(database)
        self.audit = AuditLog(database)
        self.sites = Sites(database)

    @classmethod
    def open(cls, url: str, clock: Clock, options_fault: OptionsFault = anything) -> "Registry":
        """Open a database and bring it to this program's version.

        Args:
            url: SQLAlchemy URL; `sqlite:////path/to/file` makes the file.
            clock: For the instants of changes.
            options_fault: Says what is wrong with the options of a route.

        Raises:
            RegistryVersionError: If a newer version of madina has made the database.
            sqlalchemy.exc.SQLAlchemyError: If it cannot be opened.
        """
        database = Database(url, clock)
        try:
            migrate(database)
        except BaseException:
            database.close()
            raise
        return cls(database, options_fault)

    def changes(self, since: int, limit: int = CHANGES_MAX) -> Changes:
        """Return facts that changed after a revision, oldest change first; 0 is the beginning.

        Args:
            since: `Changes.revision` of the call before.
            limit: At most so many facts; ask again while the answer is not `complete`.
        """
        return changes_since(self.database, since, limit)

    def accept(self, devices: list[tuple[str, str]], actor: str = "ingest") -> int:
        """Make devices (provider and id) active that are pending or unknown; return how many.

        Doing it again changes nothing. Retired devices stay retired.

        Raises:
            InvalidFactError: If one cannot be registered under its name; none is then accepted.
        """
        return self.devices.accept(actor, dict.fromkeys(devices, ""))

    def access_revision(self) -> int:
        """Return a number that grows with each change of users or routes."""
        return self.database.counter(ACCESS)

    def shard_rules(self) -> ShardRules:
        """Return the routes that name the levels which decide the shard."""
        routes = [each for each in self.routes.all() if each.enabled and each.levels]
        return ShardRules(tuple(ShardRule(each.pattern, each.levels) for each in routes))

    def copy(self, target: Path) -> bool:
        """Write all of it into a new file; False where it is on a server, which has its own tools.

        Raises:
            RegistryAwayError: Not now; nothing of the copy is left.
        """
        return self.database.copy(target)

    def close(self) -> None:
        """Close the database."""
        self.database.close()
