"""Writing devices in bulk: the same few statements whether it is one or a hundred thousand."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import bindparam, insert, select, update

from registry.database import Change
from registry.errors import NotThereError
from registry.providers import ensure_providers
from registry.records import DeviceDraft, ImportResult
from registry.tables import DeviceRow, PlaceRow

__all__ = ["accept_devices", "put_devices"]

# SQLite takes 32,766 parameters in a statement; smaller lists are planned faster.
IDS_AT_ONCE = 1_000

FIELDS = DeviceDraft.__struct_fields__
COLUMNS = tuple(getattr(DeviceRow, field) for field in FIELDS)

UPDATE = (
    update(DeviceRow)
    .where(DeviceRow.provider == bindparam("of_provider"), DeviceRow.id == bindparam("of_id"))
    .values({field: bindparam(f"new_{field}") for field in (*FIELDS[2:], "revision", "updated_us")})
)


def put_devices(change: Change, drafts: Sequence[DeviceDraft], *, replace: bool) -> ImportResult:
    """Insert devices, and update those that differ where `replace`; the last of equals wins.

    Raises:
        NotThereError: If a place is not registered.
    """
    wanted = {(each.provider, each.id): each for each in drafts}
    _check_places(change, {each.place for each in drafts if each.place is not None})
    ensure_providers(change, (provider for provider, _ in wanted))
    found = _find(change, wanted)
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


def accept_devices(change: Change, names: Sequence[tuple[str, str]]) -> int:
    """Make devices active that are pending or unknown; return how many."""
    wanted = set(names)
    ensure_providers(change, (provider for provider, _ in wanted))
    found = _find(change, wanted)
    fresh = [DeviceDraft(*name) for name in sorted(wanted - found.keys())]
    pending = [each for each in found.values() if each.status == "pending"]
    _insert(change, fresh)
    _update(change, [msgspec.structs.replace(each, status="active") for each in pending])
    return len(fresh) + len(pending)


def _find(change: Change, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], DeviceDraft]:
    found: dict[tuple[str, str], DeviceDraft] = {}
    for provider, group in groupby(sorted(names), key=itemgetter(0)):
        ids = [device for _, device in group]
        for start in range(0, len(ids), IDS_AT_ONCE):
            statement = select(*COLUMNS).where(
                DeviceRow.provider == provider, DeviceRow.id.in_(ids[start : start + IDS_AT_ONCE])
            )
            for row in change.connection.execute(statement).mappings():
                draft = msgspec.convert(dict(row), DeviceDraft)
                found[draft.provider, draft.id] = draft
    return found


def _insert(change: Change, drafts: Sequence[DeviceDraft]) -> None:
    if not drafts:
        return
    stamps = {"created_us": change.now_us, "updated_us": change.now_us}
    rows: list[dict[str, Any]] = [
        msgspec.structs.asdict(draft) | stamps | {"revision": revision, "tags": list(draft.tags)}
        for draft, revision in zip(drafts, change.revisions(len(drafts)), strict=True)
    ]
    change.connection.execute(insert(DeviceRow), rows)


def _update(change: Change, drafts: Sequence[DeviceDraft]) -> None:
    if not drafts:
        return
    rows: list[dict[str, Any]] = [
        {f"new_{field}": getattr(draft, field) for field in FIELDS[2:]}
        | {"of_provider": draft.provider, "of_id": draft.id}
        | {"new_revision": revision, "new_updated_us": change.now_us}
        | {"new_tags": list(draft.tags)}
        for draft, revision in zip(drafts, change.revisions(len(drafts)), strict=True)
    ]
    change.connection.execute(UPDATE, rows)


def _check_places(change: Change, names: set[str]) -> None:
    if not names:
        return
    known = set(change.connection.execute(select(PlaceRow.name)).scalars())
    for name in sorted(names - known):
        raise NotThereError(kind="place", name=name)
