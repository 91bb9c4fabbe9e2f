"""Writing devices in bulk: the same few statements whether it is one or a hundred thousand."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, insert, select, update

from registry.database import Change
from registry.errors import NotThereError
from registry.hardware import check_not_installed
from registry.locating import find_districts
from registry.providers import ensure_providers
from registry.records import DeviceDraft, ImportResult
from registry.tables import DeviceRow, PlaceRow, ProfileRow

__all__ = ["accept_devices", "find_devices", "put_devices", "touch_devices"]

# SQLite takes 32,766 parameters in a statement; smaller lists are planned faster.
IDS_AT_ONCE = 1_000

FIELDS = DeviceDraft.__struct_fields__
COLUMNS = tuple(getattr(DeviceRow, field) for field in FIELDS)

UPDATE = (
    update(DeviceRow)
    .where(DeviceRow.provider == bindparam("of_provider"), DeviceRow.id == bindparam("of_id"))
    .values(
        {
            field: bindparam(f"new_{field}")
            for field in (*FIELDS[2:], "found_district", "revision", "updated_us")
        }
    )
)
TOUCH: Final = (
    update(DeviceRow)
    .where(DeviceRow.provider == bindparam("of_provider"), DeviceRow.id == bindparam("of_id"))
    .values(revision=bindparam("new_revision"))
)


def put_devices(change: Change, drafts: Sequence[DeviceDraft], *, replace: bool) -> ImportResult:
    """Insert devices, and update those that differ where `replace`; the last of equals wins.

    Raises:
        NotThereError: If a place or profile is not registered.
        InvalidFactError: If one is hardware in another device's place.
    """
    wanted = {(each.provider, each.id): each for each in drafts}
    _check_known(change, "place", {each.place for each in drafts if each.place is not None})
    _check_known(change, "profile", {each.profile for each in drafts if each.profile is not None})
    ensure_providers(change, (provider for provider, _ in wanted))
    found = find_devices(change.connection, wanted)
    check_not_installed(change, wanted.keys() - found.keys())
    fresh = [draft for name, draft in wanted.items() if name not in found]
    other = [draft for name, draft in wanted.items() if name in found and draft != found[name]]
    _insert(change, fresh)
    if replace:
        _update(change, other)
    return ImportResult(
        created=len(fresh),
        changed=len(other) if replace else 0,
        unchanged=len(wanted) - len(fresh) - len(other),
    )


def accept_devices(change: Change, kinds: Mapping[tuple[str, str], str]) -> int:
    """Make devices active that are pending or unknown; return how many.

    Args:
        change: Where it happens.
        kinds: Provider and id of each, and the kind of those that have none.
    """
    ensure_providers(change, (provider for provider, _ in kinds))
    found = find_devices(change.connection, kinds)
    check_not_installed(change, kinds.keys() - found.keys())
    fresh = [DeviceDraft(*name, kind=kinds[name]) for name in sorted(kinds.keys() - found.keys())]
    pending = [
        msgspec.structs.replace(each, status="active", kind=each.kind or kinds[name])
        for name, each in found.items()
        if each.status == "pending"
    ]
    _insert(change, fresh)
    _update(change, pending)
    return len(fresh) + len(pending)


def touch_devices(change: Change, condition: ColumnElement[bool]) -> None:
    """Give devices new revisions, so that ingest reads them again."""
    found = change.connection.execute(select(DeviceRow.provider, DeviceRow.id).where(condition))
    names = found.all()
    if names:
        rows = [
            {"of_provider": provider, "of_id": device, "new_revision": revision}
            for (provider, device), revision in zip(
                names, change.revisions(len(names)), strict=True
            )
        ]
        change.connection.execute(TOUCH, rows)


def find_devices(
    connection: Connection, names: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], DeviceDraft]:
    """Return those of some devices that are registered, by provider and id."""
    found: dict[tuple[str, str], DeviceDraft] = {}
    for provider, group in groupby(sorted(names), key=itemgetter(0)):
        ids = [device for _, device in group]
        for start in range(0, len(ids), IDS_AT_ONCE):
            statement = select(*COLUMNS).where(
                DeviceRow.provider == provider, DeviceRow.id.in_(ids[start : start + IDS_AT_ONCE])
            )
            for row in connection.execute(statement).mappings():
                draft = msgspec.convert(dict(row), DeviceDraft)
                found[draft.provider, draft.id] = draft
    return found


def _insert(change: Change, drafts: Sequence[DeviceDraft]) -> None:
    if not drafts:
        return
    stamps = {"created_us": change.now_us, "updated_us": change.now_us}
    revisions = change.revisions(len(drafts))
    rows: list[dict[str, Any]] = [
        msgspec.structs.asdict(draft)
        | stamps
        | {"revision": revision, "tags": list(draft.tags), "found_district": district}
        for draft, revision, district in zip(
            drafts, revisions, _districts(change, drafts), strict=True
        )
    ]
    change.connection.execute(insert(DeviceRow), rows)


def _update(change: Change, drafts: Sequence[DeviceDraft]) -> None:
    if not drafts:
        return
    rows: list[dict[str, Any]] = [
        {f"new_{field}": getattr(draft, field) for field in FIELDS[2:]}
        | {"of_provider": draft.provider, "of_id": draft.id}
        | {"new_revision": revision, "new_updated_us": change.now_us}
        | {"new_tags": list(draft.tags), "new_found_district": district}
        for draft, revision, district in zip(
            drafts, change.revisions(len(drafts)), _districts(change, drafts), strict=True
        )
    ]
    change.connection.execute(UPDATE, rows)


def _districts(change: Change, drafts: Sequence[DeviceDraft]) -> list[str | None]:
    return find_districts(change.connection, [(each.lat, each.lon) for each in drafts])


def _check_known(change: Change, kind: Literal["place", "profile"], names: set[str]) -> None:
    if not names:
        return
    column = PlaceRow.name if kind == "place" else ProfileRow.name
    known = set(change.connection.execute(select(column)).scalars())
    for name in sorted(names - known):
        raise NotThereError(kind=kind, name=name)
