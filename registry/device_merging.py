"""What a list of devices, each with some of its fields, would make of those that are registered."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection, select

from registry.checks import check_device, check_provider
from registry.device_writes import find_devices
from registry.errors import InvalidFactError
from registry.records import DeviceDraft, PlannedDevice, ProviderDraft
from registry.tables import PlaceRow, ProfileRow

__all__ = ["merged", "planned"]

FIELDS = DeviceDraft.__struct_fields__

Item = Mapping[str, object]
Known = dict[tuple[str, str], DeviceDraft]


def merged(connection: Connection, items: Sequence[Item]) -> list[DeviceDraft]:
    """Return devices as they would be: what an item does not say stays as it is.

    Raises:
        InvalidFactError: If a field is of another type.
    """
    known = find_devices(connection, map(_name, items))
    return [_merged(known, item) for item in items]


def planned(connection: Connection, items: Sequence[Item]) -> list[PlannedDevice]:
    """Return what would become of each item."""
    known = find_devices(connection, map(_name, items))
    places = set(connection.execute(select(PlaceRow.name)).scalars())
    profiles = set(connection.execute(select(ProfileRow.name)).scalars())
    found: list[PlannedDevice] = []
    for item in items:
        try:
            draft = _merged(known, item)
            check_provider(ProviderDraft(draft.provider))
            check_device(draft)
            _check_among(places, "place", draft.place)
            _check_among(profiles, "profile", draft.profile)
            found.append(_verdict(known.get(_name(item)), draft))
        except InvalidFactError as error:
            found.append(PlannedDevice("wrong", words=str(error)))
    return found


def _name(item: Item) -> tuple[str, str]:
    return str(item.get("provider", "")), str(item.get("id", ""))


def _merged(known: Known, item: Item) -> DeviceDraft:
    unknown = item.keys() - set(FIELDS)
    if unknown:
        raise InvalidFactError(field=min(unknown), words="a device has no such member")
    before = known.get(_name(item)) or DeviceDraft(*_name(item))
    try:
        return msgspec.convert({**msgspec.structs.asdict(before), **item}, DeviceDraft)
    except msgspec.ValidationError as error:
        words, _, path = str(error).partition(" - at `$.")
        raise InvalidFactError(field=path.rstrip("`") or "device", words=words) from error


def _check_among(known: set[str], field: str, name: str | None) -> None:
    if name is not None and name not in known:
        raise InvalidFactError(field=field, words=f"nobody has registered {name!r}")


def _verdict(before: DeviceDraft | None, draft: DeviceDraft) -> PlannedDevice:
    if before is None:
        return PlannedDevice("new")
    fields = [field for field in FIELDS if getattr(before, field) != getattr(draft, field)]
    return PlannedDevice("changed" if fields else "unchanged", tuple(fields))
