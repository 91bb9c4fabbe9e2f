"""Profiles: what devices of one make have in common, said once."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from registry.checks import check_profile
from registry.database import Change, Database
from registry.device_writes import touch_devices
from registry.errors import AlreadyThereError, InvalidFactError, NotThereError
from registry.records import ProfileDraft, ProfileRecord
from registry.tables import DeviceRow, ProfileRow

__all__ = ["Profiles"]

FIELDS = ProfileDraft.__struct_fields__
COLUMNS = (
    *(getattr(ProfileRow, field) for field in FIELDS),
    ProfileRow.created_us,
    ProfileRow.updated_us,
)


class Profiles:
    """Reads and changes of profiles. They are the city's: they have no provider and no scope."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[ProfileRecord]:
        """Return every profile by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(*COLUMNS).order_by(ProfileRow.name)).mappings()
            return [_record(row) for row in rows]

    def get(self, name: str) -> ProfileRecord:
        """Return one profile.

        Raises:
            NotThereError: If nobody registered it.
        """
        with self._database.reading() as connection:
            return _get(connection, name)

    def create(self, actor: str, draft: ProfileDraft) -> ProfileRecord:
        """Register a profile.

        Raises:
            InvalidFactError: If a field cannot be so.
            AlreadyThereError: If the name is taken.
        """
        check_profile(draft)
        with self._database.changing(actor) as change:
            statement = select(ProfileRow.name).where(ProfileRow.name == draft.name)
            if change.connection.execute(statement).first() is not None:
                raise AlreadyThereError(kind="profile", name=draft.name)
            change.connection.execute(
                insert(ProfileRow).values(
                    **_columns(draft), created_us=change.now_us, updated_us=change.now_us
                )
            )
            change.note("profile.created", draft.name)
            return _get(change.connection, draft.name)

    def change(self, actor: str, name: str, fields: Mapping[str, object]) -> ProfileRecord:
        """Change fields of a profile; its devices follow where they say nothing themselves.

        Raises:
            NotThereError: If there is none.
            InvalidFactError: If a field cannot be so.
        """
        with self._database.changing(actor) as change:
            found = msgspec.structs.replace(_get(change.connection, name), **fields, name=name)
            draft = ProfileDraft(*(getattr(found, field) for field in FIELDS))
            check_profile(draft)
            statement = update(ProfileRow).where(ProfileRow.name == name)
            change.connection.execute(statement.values(**_columns(draft), updated_us=change.now_us))
            touch_devices(change, DeviceRow.profile == name)
            change.note("profile.changed", name, ", ".join(sorted(fields)))
            return _get(change.connection, name)

    def remove(self, actor: str, name: str) -> None:
        """Remove a profile that no device has.

        Raises:
            NotThereError: If there is none.
            InvalidFactError: If a device has it.
        """
        with self._database.changing(actor) as change:
            _get(change.connection, name)
            _check_unused(change, name)
            change.connection.execute(delete(ProfileRow).where(ProfileRow.name == name))
            change.note("profile.removed", name)


def _check_unused(change: Change, name: str) -> None:
    statement = select(DeviceRow.provider, DeviceRow.id).where(DeviceRow.profile == name).limit(1)
    used = change.connection.execute(statement).first()
    if used is not None:
        words = f"{used[0]}/{used[1]} has the profile {name!r}: give it another one first"
        raise InvalidFactError(field="name", words=words)


def _columns(draft: ProfileDraft) -> dict[str, object]:
    columns: dict[str, object] = msgspec.structs.asdict(draft)
    return columns | {"quantities": _limits(draft)}


def _limits(draft: ProfileDraft) -> dict[str, dict[str, object]]:
    """Return the limits of each quantity, those that nobody said left out."""
    return {
        quantity: {
            name: value
            for name, value in msgspec.structs.asdict(limits).items()
            if value is not None
        }
        for quantity, limits in draft.quantities.items()
    }


def _get(connection: Connection, name: str) -> ProfileRecord:
    statement = select(*COLUMNS).where(ProfileRow.name == name)
    row = connection.execute(statement).mappings().first()
    if row is None:
        raise NotThereError(kind="profile", name=name)
    return _record(row)


def _record(row: RowMapping) -> ProfileRecord:
    return msgspec.convert(dict(row), ProfileRecord)
