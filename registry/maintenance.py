"""Maintenance: when devices are being worked on, from when until when, and who said so."""

from collections import defaultdict

import msgspec
from sqlalchemy import Connection, RowMapping, Select, delete, insert, or_, select

from city.instants import to_text
from city.pauses import END_US, Pauses, merged_pauses
from city.scope import Scope
from registry.database import Also, Change, Database, nothing_else
from registry.errors import InvalidFactError, NotThereError
from registry.records import MaintenanceDraft, MaintenanceRecord
from registry.tables import DeviceRow, MaintenanceRow

__all__ = ["MaintenanceBook", "read_pauses"]

COLUMNS = tuple(getattr(MaintenanceRow, field) for field in MaintenanceRecord.__struct_fields__)
# As of every note of a fact.
NOTE_MAX = 200


class MaintenanceBook:
    """Reads and changes of maintenance."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self, scope: Scope, device: tuple[str, str] | None, *, after: int, limit: int
    ) -> list[MaintenanceRecord]:
        """Return maintenance of all devices or of one, oldest first, behind the id `after`."""
        statement = _visible(scope).where(MaintenanceRow.id > after)
        if device is not None:
            statement = statement.where(
                MaintenanceRow.provider == device[0], MaintenanceRow.device == device[1]
            )
        with self._database.reading() as connection:
            rows = connection.execute(statement.order_by(MaintenanceRow.id).limit(limit))
            return [_record(row) for row in rows.mappings()]

    def get(self, scope: Scope, number: int) -> MaintenanceRecord:
        """Return one maintenance.

        Raises:
            NotThereError: If there is none or the scope does not admit its provider.
        """
        with self._database.reading() as connection:
            return _get(connection, scope, number)

    def pauses(self, since_us: int) -> dict[tuple[str, str], Pauses]:
        """Return when devices (provider, id) were or are worked on, where it ended since then."""
        with self._database.reading() as connection:
            return read_pauses(connection, since_us)

    def create(
        self, actor: str, draft: MaintenanceDraft, also: Also = nothing_else
    ) -> MaintenanceRecord:
        """Register a maintenance, and what follows from it in the same transaction.

        Raises:
            InvalidFactError: If it ends before it begins, or the note is too long.
            NotThereError: If nobody registered the device.
        """
        _check(draft)
        with self._database.changing(actor) as change:
            _check_device(change, draft)
            statement = insert(MaintenanceRow).values(
                **msgspec.structs.asdict(draft), created_us=change.now_us
            )
            made = change.connection.execute(statement.returning(MaintenanceRow.id)).scalar_one()
            # Whoever keeps what devices are like reads it again.
            change.revisions()
            change.note("maintenance.created", f"{draft.provider}/{draft.device}", _words(draft))
            also(change)
            return _get(change.connection, Scope(), made)

    def remove(self, actor: str, scope: Scope, number: int, also: Also = nothing_else) -> None:
        """Take a maintenance back: what was missing then is missed, and what follows from that.

        Raises:
            NotThereError: If there is none or the scope does not admit its provider.
        """
        with self._database.changing(actor) as change:
            found = _get(change.connection, scope, number)
            change.connection.execute(delete(MaintenanceRow).where(MaintenanceRow.id == number))
            change.revisions()
            change.note("maintenance.removed", f"{found.provider}/{found.device}", _words(found))
            also(change)


def read_pauses(connection: Connection, since_us: int = 0) -> dict[tuple[str, str], Pauses]:
    """Return when devices (provider, id) were or are worked on, where it ended since then."""
    statement = select(*COLUMNS).where(
        or_(MaintenanceRow.until_us.is_(None), MaintenanceRow.until_us > since_us)
    )
    found = defaultdict[tuple[str, str], list[tuple[int, int]]](list)
    for row in connection.execute(statement).mappings():
        each = _record(row)
        until_us = END_US if each.until_us is None else each.until_us
        found[each.provider, each.device].append((each.from_us, until_us))
    return {name: merged_pauses(pauses) for name, pauses in found.items()}


def _check(draft: MaintenanceDraft) -> None:
    if draft.until_us is not None and draft.until_us <= draft.from_us:
        raise InvalidFactError(field="until", words="it is not after its beginning")
    if len(draft.note) > NOTE_MAX:
        raise InvalidFactError(field="note", words=f"at most {NOTE_MAX} characters")


def _check_device(change: Change, draft: MaintenanceDraft) -> None:
    known = select(DeviceRow.id).where(
        DeviceRow.provider == draft.provider, DeviceRow.id == draft.device
    )
    if change.connection.execute(known).first() is None:
        raise NotThereError(kind="device", name=f"{draft.provider}/{draft.device}")


def _words(draft: MaintenanceDraft) -> str:
    until = "further notice" if draft.until_us is None else to_text(draft.until_us)
    return f"{to_text(draft.from_us)} until {until}"


def _get(connection: Connection, scope: Scope, number: int) -> MaintenanceRecord:
    statement = _visible(scope).where(MaintenanceRow.id == number)
    row = connection.execute(statement).mappings().first()
    if row is None:
        raise NotThereError(kind="maintenance", name=str(number))
    return _record(row)


def _visible(scope: Scope) -> Select[*tuple[object, ...]]:
    statement = select(*COLUMNS)
    if scope.providers is None:
        return statement
    return statement.where(MaintenanceRow.provider.in_(scope.providers))


def _record(row: RowMapping) -> MaintenanceRecord:
    return msgspec.convert(dict(row), MaintenanceRecord)
