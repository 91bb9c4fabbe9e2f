"""Devices: who they are, whether they are active, where they stand."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, Select, func, or_, select, tuple_

from city.scope import Scope
from registry.checks import check_device
from registry.database import Database
from registry.device_merging import merged, planned
from registry.device_writes import accept_devices, find_devices, put_devices
from registry.effective import DEVICE, DISTRICT, KIND
from registry.errors import AlreadyThereError, AmbiguousDeviceError, NotThereError
from registry.facts import DeviceStatus
from registry.records import (
    DeviceCounts,
    DeviceDraft,
    DeviceQuery,
    DeviceRecord,
    ImportResult,
    PlannedDevice,
)
from registry.tables import DeviceRow

__all__ = ["Devices"]

FIELDS = DeviceDraft.__struct_fields__
COLUMNS = (
    *(getattr(DeviceRow, field) for field in FIELDS),
    DISTRICT.label("in_district"),
    DeviceRow.created_us,
    DeviceRow.updated_us,
)
# Enough to tell a person which ones there are.
NAMESAKES_MAX = 10


class Devices:
    """Reads and changes of devices."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, scope: Scope, query: DeviceQuery) -> list[DeviceRecord]:
        """Return devices by provider and id, at most `query.limit`."""
        statement = _visible(scope).order_by(DeviceRow.provider, DeviceRow.id).limit(query.limit)
        for column, wanted in (
            (DeviceRow.provider, query.provider),
            (KIND, query.kind),
            (DeviceRow.status, query.status),
            (DISTRICT, query.district),
        ):
            if wanted is not None:
                statement = statement.where(column == wanted)
        if query.text:
            statement = statement.where(
                or_(
                    DeviceRow.id.icontains(query.text, autoescape=True),
                    DeviceRow.name.icontains(query.text, autoescape=True),
                )
            )
        if query.after is not None:
            statement = statement.where(tuple_(DeviceRow.provider, DeviceRow.id) > query.after)
        with self._database.reading() as connection:
            return [_record(row) for row in connection.execute(statement).mappings()]

    def get(self, scope: Scope, provider: str, device: str) -> DeviceRecord:
        """Return one device.

        Raises:
            NotThereError: If nobody registered it or the scope does not admit it.
        """
        with self._database.reading() as connection:
            return _get(connection, scope, provider, device)

    def find(self, scope: Scope, name: str) -> DeviceRecord:
        """Return the device of a name: `provider/device`, or the id where one provider has it.

        Raises:
            NotThereError: If nobody registered it or the scope does not admit it.
            AmbiguousDeviceError: If several providers have the id.
        """
        provider, separator, device = name.partition("/")
        if separator:
            return self.get(scope, provider, device)
        statement = _visible(scope).where(DeviceRow.id == name).limit(NAMESAKES_MAX)
        statement = statement.order_by(DeviceRow.provider)
        with self._database.reading() as connection:
            found = [_record(row) for row in connection.execute(statement).mappings()]
        if not found:
            raise NotThereError(kind="device", name=name)
        if len(found) > 1:
            providers = tuple(each.provider for each in found)
            raise AmbiguousDeviceError(device=name, providers=providers)
        return found[0]

    def counts(self, scope: Scope) -> DeviceCounts:
        """Return how many devices there are by status."""
        statement = select(DeviceRow.status, func.count()).group_by(DeviceRow.status)
        if scope.providers is not None:
            statement = statement.where(DeviceRow.provider.in_(scope.providers))
        with self._database.reading() as connection:
            rows = connection.execute(statement)
            found = {row.status: row[1] for row in rows}
        return msgspec.convert(found, DeviceCounts)

    def create(self, actor: str, draft: DeviceDraft) -> DeviceRecord:
        """Register a device, and its provider where nobody has.

        Raises:
            InvalidFactError: If a field cannot be so.
            NotThereError: If its place is not registered.
            AlreadyThereError: If the provider has such a device.
        """
        check_device(draft)
        name = f"{draft.provider}/{draft.id}"
        with self._database.changing(actor) as change:
            if put_devices(change, [draft], replace=False).created == 0:
                raise AlreadyThereError(kind="device", name=name)
            change.note("device.created", name)
            return _get(change.connection, Scope(), draft.provider, draft.id)

    def put(self, actor: str, drafts: list[DeviceDraft]) -> ImportResult:
        """Register or replace many devices, all or none; equal ones stay as they are.

        Raises:
            InvalidFactError: If a field of one cannot be so.
            NotThereError: If the place of one is not registered.
        """
        for draft in drafts:
            check_device(draft)
        with self._database.changing(actor) as change:
            result = put_devices(change, drafts, replace=True)
            if result.created or result.changed:
                detail = f"{result.created} created, {result.changed} changed"
                change.note("devices.imported", f"{len(drafts)} devices", detail)
            return result

    def plan(self, items: Sequence[Mapping[str, object]]) -> list[PlannedDevice]:
        """Return what `merge` would make of each item, and what is wrong with it; nothing changes.

        Args:
            items: Fields of a device each, `provider` and `id` among them.
        """
        with self._database.reading() as connection:
            return planned(connection, items)

    def merge(
        self, actor: str, items: Sequence[Mapping[str, object]]
    ) -> tuple[ImportResult, list[DeviceDraft]]:
        """Register devices, and change the fields that are given of those registered, all or none.

        Returns:
            What became of them, and how they are now.

        Raises:
            InvalidFactError: If a field of one cannot be so.
            NotThereError: If the place or profile of one is not registered.
        """
        with self._database.changing(actor) as change:
            drafts = merged(change.connection, items)
            for draft in drafts:
                check_device(draft)
            result = put_devices(change, drafts, replace=True)
            if result.created or result.changed:
                detail = f"{result.created} created, {result.changed} changed"
                change.note("devices.imported", f"{len(drafts)} devices", detail)
            return result, drafts

    def statuses(self, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], DeviceStatus]:
        """Return the status of those of some devices (provider and id) that are registered."""
        with self._database.reading() as connection:
            found = find_devices(connection, names)
        return {name: each.status for name, each in found.items()}

    def accept(self, actor: str, kinds: Mapping[tuple[str, str], str]) -> int:
        """Make devices active that are pending or that nobody registered; the others stay.

        Args:
            actor: Who did it, for the audit log.
            kinds: Provider and id of each, and the kind of those that have none; may be empty.

        Returns:
            How many became active.

        Raises:
            InvalidFactError: If one cannot be registered under its name.
        """
        for (provider, device), kind in kinds.items():
            check_device(DeviceDraft(provider, device, kind=kind))
        with self._database.changing(actor) as change:
            accepted = accept_devices(change, kinds)
            if accepted == 1 and len(kinds) == 1:
                change.note("device.accepted", "/".join(next(iter(kinds))))
            elif accepted:
                change.note("devices.accepted", f"{accepted} devices")
            return accepted

    def change(
        self, actor: str, scope: Scope, name: tuple[str, str], fields: Mapping[str, object]
    ) -> DeviceRecord:
        """Change fields of a device.

        Raises:
            NotThereError: If there is no such device, or no such place.
            InvalidFactError: If a field cannot be so.
        """
        with self._database.changing(actor) as change:
            found = _get(change.connection, scope, *name)
            wanted = msgspec.structs.replace(found, **fields, provider=name[0], id=name[1])
            draft = DeviceDraft(*(getattr(wanted, field) for field in FIELDS))
            check_device(draft)
            if put_devices(change, [draft], replace=True).changed:
                change.note("device.changed", "/".join(name), ", ".join(sorted(fields)))
            return _get(change.connection, scope, *name)


def _visible(scope: Scope) -> Select[*tuple[Any, ...]]:
    statement = select(*COLUMNS).select_from(DEVICE)
    if scope.providers is None:
        return statement
    return statement.where(DeviceRow.provider.in_(scope.providers))


def _get(connection: Connection, scope: Scope, provider: str, device: str) -> DeviceRecord:
    statement = _visible(scope).where(DeviceRow.provider == provider, DeviceRow.id == device)
    row = connection.execute(statement).mappings().first()
    if row is None:
        raise NotThereError(kind="device", name=f"{provider}/{device}")
    return _record(row)


def _record(row: RowMapping) -> DeviceRecord:
    return msgspec.convert(dict(row), DeviceRecord)
