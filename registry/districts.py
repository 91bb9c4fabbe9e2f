"""Districts: outlines of the city's parts; what stands inside one is in it."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute

from registry.checks import check_district
from registry.database import Change, Database
from registry.device_writes import touch_devices
from registry.errors import NotThereError
from registry.locating import find_districts
from registry.records import DistrictDraft, DistrictRecord, ImportResult
from registry.tables import DeviceRow, DistrictRow, PlaceRow

__all__ = ["Districts"]

FIELDS = DistrictDraft.__struct_fields__
COLUMNS = (
    *(getattr(DistrictRow, field) for field in FIELDS),
    DistrictRow.created_us,
    DistrictRow.updated_us,
)
MOVE_PLACES = (
    update(PlaceRow)
    .where(PlaceRow.name == bindparam("of_name"))
    .values(found_district=bindparam("new_district"))
)
MOVE_DEVICES = (
    update(DeviceRow)
    .where(DeviceRow.provider == bindparam("of_provider"), DeviceRow.id == bindparam("of_id"))
    .values(found_district=bindparam("new_district"), revision=bindparam("new_revision"))
)
PLACES_AT_ONCE = 1_000


class Districts:
    """Reads and changes of districts. They are the city's: they have no provider and no scope."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[DistrictRecord]:
        """Return every district by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(*COLUMNS).order_by(DistrictRow.name)).mappings()
            return [_record(row) for row in rows]

    def get(self, name: str) -> DistrictRecord:
        """Return one district.

        Raises:
            NotThereError: If nobody registered it.
        """
        with self._database.reading() as connection:
            return _get(connection, name)

    def put(self, actor: str, drafts: Sequence[DistrictDraft]) -> ImportResult:
        """Register or replace districts, all or none; devices and places inside are in them.

        Raises:
            InvalidFactError: If a field of one cannot be so.
        """
        for draft in drafts:
            check_district(draft)
        wanted = {draft.name: draft for draft in drafts}
        with self._database.changing(actor) as change:
            rows = change.connection.execute(select(*COLUMNS)).mappings()
            known = {row["name"]: _draft(_record(row)) for row in rows}
            fresh = [each for name, each in wanted.items() if name not in known]
            other = [each for name, each in wanted.items() if known.get(name, each) != each]
            for draft in other:
                _update(change, draft)
            for draft in fresh:
                _insert(change, draft)
            if fresh or other:
                _find_again(change)
                names = ", ".join(sorted(each.name for each in (*fresh, *other)))
                detail = f"{len(fresh)} created, {len(other)} changed: {names}"
                change.note("districts.imported", f"{len(wanted)} districts", detail)
        return ImportResult(len(fresh), len(other), len(wanted) - len(fresh) - len(other))

    def remove(self, actor: str, name: str) -> None:
        """Remove a district; what stood in it stands in none, where nobody said so by hand.

        Raises:
            NotThereError: If there is none.
        """
        with self._database.changing(actor) as change:
            _get(change.connection, name)
            change.connection.execute(delete(DistrictRow).where(DistrictRow.name == name))
            _find_again(change)
            change.note("district.removed", name)


def _find_again(change: Change) -> None:
    """Find the districts of every position again; devices that are elsewhere now are read again."""
    places = _moved(change, (PlaceRow.name,), PlaceRow)
    if places:
        rows = [{"of_name": name, "new_district": district} for (name,), district in places]
        change.connection.execute(MOVE_PLACES, rows)
    for start in range(0, len(places), PLACES_AT_ONCE):
        names = [name for (name,), _ in places[start : start + PLACES_AT_ONCE]]
        touch_devices(change, DeviceRow.place.in_(names))
    devices = _moved(change, (DeviceRow.provider, DeviceRow.id), DeviceRow)
    if devices:
        revisions = change.revisions(len(devices))
        rows = [
            {"of_provider": provider, "of_id": device}
            | {"new_district": district, "new_revision": revision}
            for ((provider, device), district), revision in zip(devices, revisions, strict=True)
        ]
        change.connection.execute(MOVE_DEVICES, rows)


def _moved(
    change: Change,
    key: Sequence[InstrumentedAttribute[str]],
    table: type[PlaceRow | DeviceRow],
) -> list[tuple[tuple[str, ...], str | None]]:
    """Return the keys of what is in another district than it was, and which."""
    statement = select(table.found_district, table.lat, table.lon, *key)
    rows = change.connection.execute(statement.where(table.lat.is_not(None))).all()
    districts = find_districts(change.connection, [(row[1], row[2]) for row in rows])
    return [
        (tuple(row[3:]), district)
        for row, district in zip(rows, districts, strict=True)
        if district != row[0]
    ]


def _update(change: Change, draft: DistrictDraft) -> None:
    statement = update(DistrictRow).where(DistrictRow.name == draft.name)
    change.connection.execute(
        statement.values(**msgspec.structs.asdict(draft), updated_us=change.now_us)
    )


def _insert(change: Change, draft: DistrictDraft) -> None:
    change.connection.execute(
        insert(DistrictRow).values(
            **msgspec.structs.asdict(draft), created_us=change.now_us, updated_us=change.now_us
        )
    )


def _get(connection: Connection, name: str) -> DistrictRecord:
    statement = select(*COLUMNS).where(DistrictRow.name == name)
    row = connection.execute(statement).mappings().first()
    if row is None:
        raise NotThereError(kind="district", name=name)
    return _record(row)


def _draft(record: DistrictRecord) -> DistrictDraft:
    return DistrictDraft(*(getattr(record, field) for field in FIELDS))


def _record(row: RowMapping) -> DistrictRecord:
    return msgspec.convert(dict(row), DistrictRecord)
