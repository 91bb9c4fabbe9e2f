"""Calibrations: what corrects a device's values, from when until when, and who said so.

Stored values stay as they were sent: a calibration says how indicators read them, and can be
withdrawn.
"""

from collections import defaultdict

import msgspec
from sqlalchemy import Connection, RowMapping, Select, delete, insert, or_, select

from city.corrections import Correction, Corrections
from city.instants import to_text
from city.pauses import END_US
from city.scope import Scope
from registry.checks import check_calibration
from registry.database import Also, Database, nothing_else
from registry.errors import InvalidFactError, NotThereError
from registry.records import CalibrationDraft, CalibrationRecord
from registry.tables import CalibrationRow, DeviceRow

__all__ = ["Calibrations", "correction_of", "read_corrections"]

FIELDS = CalibrationDraft.__struct_fields__
COLUMNS = (
    *(getattr(CalibrationRow, field) for field in FIELDS),
    CalibrationRow.id,
    CalibrationRow.created_us,
)


class Calibrations:
    """Reads and changes of calibrations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self, scope: Scope, device: tuple[str, str] | None, *, after: int, limit: int
    ) -> list[CalibrationRecord]:
        """Return calibrations, oldest first, of all devices or of one, behind the id `after`."""
        statement = _visible(scope).where(CalibrationRow.id > after)
        if device is not None:
            statement = statement.where(
                CalibrationRow.provider == device[0], CalibrationRow.device == device[1]
            )
        statement = statement.order_by(CalibrationRow.id).limit(limit)
        with self._database.reading() as connection:
            return [_record(row) for row in connection.execute(statement).mappings()]

    def get(self, scope: Scope, number: int) -> CalibrationRecord:
        """Return one calibration.

        Raises:
            NotThereError: If there is none or the scope does not admit its provider.
        """
        with self._database.reading() as connection:
            return _get(connection, scope, number)

    def check(self, draft: CalibrationDraft) -> None:
        """See whether a calibration could be registered.

        Raises:
            InvalidFactError: If a field cannot be so, or another one is valid in that time.
            NotThereError: If nobody registered the device.
        """
        check_calibration(draft)
        with self._database.reading() as connection:
            _check_device(connection, draft)
            _check_alone(connection, draft)

    def create(
        self, actor: str, draft: CalibrationDraft, also: Also = nothing_else
    ) -> CalibrationRecord:
        """Register a calibration, and what follows from it in the same transaction.

        Raises:
            InvalidFactError: If a field cannot be so, or another one is valid in that time.
            NotThereError: If nobody registered the device.
        """
        check_calibration(draft)
        with self._database.changing(actor) as change:
            _check_device(change.connection, draft)
            _check_alone(change.connection, draft)
            statement = insert(CalibrationRow).values(
                **msgspec.structs.asdict(draft), created_us=change.now_us
            )
            made = change.connection.execute(statement.returning(CalibrationRow.id)).scalar_one()
            words = f"{draft.quantity} x {draft.factor:g} + {draft.offset:g}"
            detail = f"{words} from {to_text(draft.valid_from_us)}"
            change.note("calibration.created", f"{draft.provider}/{draft.device}", detail)
            # Whoever keeps what devices are like reads it again.
            change.revisions()
            also(change)
            return _get(change.connection, Scope(), made)

    def remove(self, actor: str, scope: Scope, number: int, also: Also = nothing_else) -> None:
        """Withdraw a calibration, and what follows from that in the same transaction.

        Raises:
            NotThereError: If there is none or the scope does not admit its provider.
        """
        with self._database.changing(actor) as change:
            found = _get(change.connection, scope, number)
            change.connection.execute(delete(CalibrationRow).where(CalibrationRow.id == number))
            change.revisions()
            subject = f"{found.provider}/{found.device}"
            change.note("calibration.removed", subject, f"{number}: {found.quantity}")
            also(change)


def read_corrections(connection: Connection) -> dict[tuple[str, str], Corrections]:
    """Return what corrects the values of devices (provider, id)."""
    found = defaultdict[tuple[str, str], list[Correction]](list)
    for row in connection.execute(select(*COLUMNS)).mappings():
        each = _record(row)
        found[each.provider, each.device].append(correction_of(each))
    return {name: tuple(sorted(each)) for name, each in found.items()}


def correction_of(calibration: CalibrationDraft | CalibrationRecord) -> Correction:
    """Return what a calibration makes of values."""
    until_us = calibration.valid_until_us
    return Correction(
        quantity=calibration.quantity,
        from_us=calibration.valid_from_us,
        until_us=END_US if until_us is None else until_us,
        factor=calibration.factor,
        offset=calibration.offset,
    )


def _get(connection: Connection, scope: Scope, number: int) -> CalibrationRecord:
    statement = _visible(scope).where(CalibrationRow.id == number)
    row = connection.execute(statement).mappings().first()
    if row is None:
        raise NotThereError(kind="calibration", name=str(number))
    return _record(row)


def _check_device(connection: Connection, draft: CalibrationDraft) -> None:
    known = select(DeviceRow.id).where(
        DeviceRow.provider == draft.provider, DeviceRow.id == draft.device
    )
    if connection.execute(known).first() is None:
        raise NotThereError(kind="device", name=f"{draft.provider}/{draft.device}")


def _check_alone(connection: Connection, draft: CalibrationDraft) -> None:
    """Refuse two that are valid at once: nobody could say which of them holds."""
    statement = select(CalibrationRow.id).where(
        CalibrationRow.provider == draft.provider,
        CalibrationRow.device == draft.device,
        CalibrationRow.quantity == draft.quantity,
        or_(
            CalibrationRow.valid_until_us.is_(None),
            CalibrationRow.valid_until_us > draft.valid_from_us,
        ),
    )
    if draft.valid_until_us is not None:
        statement = statement.where(CalibrationRow.valid_from_us < draft.valid_until_us)
    other = connection.execute(statement.limit(1)).scalar()
    if other is not None:
        words = f"calibration {other} is valid in a part of that time: remove it first"
        raise InvalidFactError(field="valid_from", words=words)


def _visible(scope: Scope) -> Select[*tuple[object, ...]]:
    statement = select(*COLUMNS)
    if scope.providers is None:
        return statement
    return statement.where(CalibrationRow.provider.in_(scope.providers))


def _record(row: RowMapping) -> CalibrationRecord:
    return msgspec.convert(dict(row), CalibrationRecord)
