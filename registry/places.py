"""Places: points of the city, each with a district, that devices stand at."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection, RowMapping, insert, select, update

from registry.checks import check_place
from registry.database import Database
from registry.device_writes import touch_devices
from registry.effective import PLACE_DISTRICT
from registry.errors import AlreadyThereError, NotThereError
from registry.locating import find_districts
from registry.records import PlaceDraft, PlaceRecord
from registry.tables import DeviceRow, PlaceRow

__all__ = ["Places"]

COLUMNS = (
    PlaceRow.name,
    PlaceRow.title,
    PlaceRow.lat,
    PlaceRow.lon,
    PlaceRow.district,
    PlaceRow.timezone,
    PlaceRow.address,
    PLACE_DISTRICT.label("in_district"),
    PlaceRow.created_us,
    PlaceRow.updated_us,
)


class Places:
    """Reads and changes of places. A place is the city's: it has no provider and no scope."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, *, after: str | None, limit: int) -> list[PlaceRecord]:
        """Return places by name, at most `limit`, behind `after`."""
        statement = select(*COLUMNS).order_by(PlaceRow.name).limit(limit)
        if after is not None:
            statement = statement.where(PlaceRow.name > after)
        with self._database.reading() as connection:
            return [_record(row) for row in connection.execute(statement).mappings()]

    def get(self, name: str) -> PlaceRecord:
        """Return one place.

        Raises:
            NotThereError: If nobody registered it.
        """
        with self._database.reading() as connection:
            return _get(connection, name)

    def create(self, actor: str, draft: PlaceDraft) -> PlaceRecord:
        """Register a place.

        Raises:
            InvalidFactError: If a field cannot be so.
            AlreadyThereError: If the name is taken.
        """
        check_place(draft)
        with self._database.changing(actor) as change:
            statement = select(PlaceRow.name).where(PlaceRow.name == draft.name)
            if change.connection.execute(statement).first() is not None:
                raise AlreadyThereError(kind="place", name=draft.name)
            (district,) = find_districts(change.connection, [(draft.lat, draft.lon)])
            change.connection.execute(
                insert(PlaceRow).values(
                    **msgspec.structs.asdict(draft),
                    found_district=district,
                    created_us=change.now_us,
                    updated_us=change.now_us,
                )
            )
            change.note("place.created", draft.name)
            return _get(change.connection, draft.name)

    def change(self, actor: str, name: str, fields: Mapping[str, object]) -> PlaceRecord:
        """Change fields of a place; its devices without a position of their own move with it.

        Raises:
            NotThereError: If there is none.
            InvalidFactError: If a field cannot be so.
        """
        with self._database.changing(actor) as change:
            found = _get(change.connection, name)
            wanted = msgspec.structs.replace(found, **fields, name=name)
            check_place(wanted)
            (district,) = find_districts(change.connection, [(wanted.lat, wanted.lon)])
            statement = update(PlaceRow).where(PlaceRow.name == name).values(**fields)
            change.connection.execute(
                statement.values(found_district=district, updated_us=change.now_us)
            )
            touch_devices(change, DeviceRow.place == name)
            change.note("place.changed", name, ", ".join(sorted(fields)))
            return _get(change.connection, name)


def _get(connection: Connection, name: str) -> PlaceRecord:
    statement = select(*COLUMNS).where(PlaceRow.name == name)
    row = connection.execute(statement).mappings().first()
    if row is None:
        raise NotThereError(kind="place", name=name)
    return _record(row)


def _record(row: RowMapping) -> PlaceRecord:
    return msgspec.convert(dict(row), PlaceRecord)
