"""Devices that are replaced in their place: new hardware, same series, and both are on record.

The device keeps its name, place and history; what the new hardware sends under its own id is stored
as the device's from an instant on. What is stored already stays as it is.
"""

from collections.abc import Iterable

import msgspec
from sqlalchemy import RowMapping, insert, select, update

from city.instants import to_text
from city.scope import Scope
from registry.checks import check_device
from registry.database import Change, Database
from registry.errors import InvalidFactError, NotThereError
from registry.records import DeviceDraft, HardwareDraft, HardwareRecord
from registry.tables import DeviceRow, HardwareRow

__all__ = ["HardwareBook", "check_not_installed"]

COLUMNS = tuple(getattr(HardwareRow, field) for field in HardwareRecord.__struct_fields__)
# As of every note of a fact.
NOTE_MAX = 200
BY_TIME = (HardwareRow.created_us, HardwareRow.id)


class HardwareBook:
    """Reads and changes of which hardware stood where."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, scope: Scope, provider: str, device: str) -> list[HardwareRecord]:
        """Return what stood in a device's place, oldest first; nothing: it was never replaced."""
        if not scope.admits(provider):
            return []
        statement = select(*COLUMNS).where(
            HardwareRow.provider == provider, HardwareRow.device == device
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement.order_by(*BY_TIME)).mappings()
            return [_record(row) for row in rows]

    def device_of(self, scope: Scope, provider: str, hardware: str) -> str:
        """Return in whose place some hardware stands now.

        Raises:
            NotThereError: If it stands nowhere, or the scope does not admit it.
        """
        statement = select(HardwareRow.device).where(
            HardwareRow.provider == provider,
            HardwareRow.hardware == hardware,
            HardwareRow.until_us.is_(None),
        )
        with self._database.reading() as connection:
            found = connection.execute(statement).scalar() if scope.admits(provider) else None
        if found is None:
            raise NotThereError(kind="device", name=f"{provider}/{hardware}")
        return found

    def replace(self, actor: str, draft: HardwareDraft) -> list[HardwareRecord]:
        """Put new hardware in a device's place; return all that stood there, oldest first.

        Raises:
            NotThereError: If nobody registered the device.
            InvalidFactError: If the hardware stands elsewhere or is a device of its own, or the
                instant is before the one that stands there came.
        """
        check_device(DeviceDraft(draft.provider, draft.hardware))
        if len(draft.note) > NOTE_MAX:
            raise InvalidFactError(field="note", words=f"at most {NOTE_MAX} characters")
        with self._database.changing(actor) as change:
            _check_device(change, draft)
            standing = _standing(change, draft)
            _check_free(change, draft)
            _end(change, draft, standing)
            _insert(change, draft, draft.hardware, from_us=draft.at_us, until_us=None)
            detail = f"{standing.hardware if standing else draft.device} -> {draft.hardware}"
            subject = f"{draft.provider}/{draft.device}"
            change.note("device.replaced", subject, f"{detail} from {to_text(draft.at_us)}")
        return self.of(Scope(), draft.provider, draft.device)


def check_not_installed(change: Change, names: Iterable[tuple[str, str]]) -> None:
    """Refuse to register hardware that stands in another device's place.

    Raises:
        InvalidFactError: If one of the devices (provider, id) is such.
    """
    statement = select(HardwareRow.provider, HardwareRow.hardware, HardwareRow.device).where(
        HardwareRow.until_us.is_(None), HardwareRow.hardware != HardwareRow.device
    )
    rows = change.connection.execute(statement)
    installed = {(row.provider, row.hardware): row.device for row in rows}
    for name in names if installed else ():
        if name in installed:
            words = f"{'/'.join(name)} stands in the place of {name[0]}/{installed[name]}"
            raise InvalidFactError(field="id", words=words)


def _check_device(change: Change, draft: HardwareDraft) -> None:
    statement = select(DeviceRow.id).where(
        DeviceRow.provider == draft.provider,
        DeviceRow.id.in_((draft.device, draft.hardware)),
    )
    found = set(change.connection.execute(statement).scalars())
    if draft.device not in found:
        raise NotThereError(kind="device", name=f"{draft.provider}/{draft.device}")
    if draft.hardware != draft.device and draft.hardware in found:
        words = f"{draft.provider}/{draft.hardware} is a device of its own, with its own series"
        raise InvalidFactError(field="hardware", words=words)


def _standing(change: Change, draft: HardwareDraft) -> HardwareRecord | None:
    """Return what stands there now; None for a device that was never replaced."""
    statement = select(*COLUMNS).where(
        HardwareRow.provider == draft.provider,
        HardwareRow.device == draft.device,
        HardwareRow.until_us.is_(None),
    )
    row = change.connection.execute(statement).mappings().first()
    found = None if row is None else _record(row)
    now = draft.device if found is None else found.hardware
    if now == draft.hardware:
        raise InvalidFactError(field="hardware", words="it stands there already")
    if found is not None and found.from_us is not None and draft.at_us <= found.from_us:
        words = f"{now} came at {to_text(found.from_us)}: name a later instant"
        raise InvalidFactError(field="at", words=words)
    return found


def _check_free(change: Change, draft: HardwareDraft) -> None:
    """Refuse hardware that stood somewhere at that time or later."""
    statement = select(*COLUMNS).where(
        HardwareRow.provider == draft.provider, HardwareRow.hardware == draft.hardware
    )
    for row in change.connection.execute(statement).mappings():
        other = _record(row)
        if other.until_us is None or other.until_us > draft.at_us:
            words = f"it stands in the place of {other.provider}/{other.device} at that time"
            raise InvalidFactError(field="hardware", words=words)


def _end(change: Change, draft: HardwareDraft, standing: HardwareRecord | None) -> None:
    """Write until when the one before stood there."""
    if standing is None:
        _insert(change, draft, draft.device, from_us=None, until_us=draft.at_us)
        return
    (revision,) = change.revisions()
    change.connection.execute(
        update(HardwareRow)
        .where(HardwareRow.id == standing.id)
        .values(until_us=draft.at_us, revision=revision)
    )


def _insert(
    change: Change,
    draft: HardwareDraft,
    hardware: str,
    *,
    from_us: int | None,
    until_us: int | None,
) -> None:
    (revision,) = change.revisions()
    change.connection.execute(
        insert(HardwareRow).values(
            provider=draft.provider,
            device=draft.device,
            hardware=hardware,
            from_us=from_us,
            until_us=until_us,
            note=draft.note if hardware == draft.hardware else "",
            revision=revision,
            created_us=change.now_us,
        )
    )


def _record(row: RowMapping) -> HardwareRecord:
    return msgspec.convert(dict(row), HardwareRecord)
