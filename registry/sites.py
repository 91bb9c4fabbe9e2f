"""Where devices stand: what areas a device belongs to, and by whose clock its days are."""

import msgspec
from sqlalchemy import select

from city.corrections import Corrections
from city.pauses import Pauses
from city.traits import Traits, traits_of
from registry.calibrations import read_corrections
from registry.database import FACTS, Database
from registry.effective import DEVICE, DISTRICT, INTERVAL, KIND, TIMEZONE
from registry.maintenance import read_pauses
from registry.tables import CounterRow, DeviceRow

__all__ = ["Site", "SiteList", "Sites"]


class Site(msgspec.Struct, frozen=True):
    """One device that is not retired, and where it is.

    Attributes:
        interval_s: How often it should report; None where nobody said.
        district: As said, else by its position, else its place's.
        timezone: Its own, else its place's zone; None: the city's.
        pauses: When it was or is being worked on.
        traits: What its tags say that indicators need.
        corrections: What calibrations make of its values.
    """

    provider: str
    device: str
    kind: str
    interval_s: float | None
    place: str | None
    district: str | None
    timezone: str | None
    pauses: Pauses = ()
    traits: Traits = {}
    corrections: Corrections = ()


class SiteList(msgspec.Struct, frozen=True):
    """Every site, and the revision of the registry at which this was so."""

    revision: int
    sites: tuple[Site, ...]


class Sites:
    """Reads all sites at once; again only where a fact has changed since."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: SiteList | None = None

    def all(self) -> SiteList:
        """Return every site as it is now."""
        known = self._known
        if known is not None and known.revision == self._database.counter(FACTS):
            return known
        statement = (
            select(
                DeviceRow.provider,
                DeviceRow.id,
                KIND,
                INTERVAL,
                DeviceRow.place,
                DISTRICT,
                TIMEZONE,
                DeviceRow.tags,
            )
            .select_from(DEVICE)
            .where(DeviceRow.status != "retired")
            .order_by(DeviceRow.provider, DeviceRow.id)
        )
        revision = select(CounterRow.value).where(CounterRow.name == FACTS)
        with self._database.reading() as connection:
            # The revision first: a change in between is seen twice rather than never.
            at = connection.execute(revision).scalar_one()
            pauses = read_pauses(connection)
            corrections = read_corrections(connection)
            rows = connection.execute(statement)
            sites = tuple(
                Site(
                    name,
                    device,
                    kind,
                    interval_s,
                    place,
                    district,
                    zone,
                    pauses=pauses.get((name, device), ()),
                    traits=traits_of(tags),
                    corrections=corrections.get((name, device), ()),
                )
                for name, device, kind, interval_s, place, district, zone, tags in rows
            )
        self._known = SiteList(at, sites)
        return self._known
