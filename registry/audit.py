"""Reading the audit log; it is written by the changes themselves (`registry.database.Change`)."""

import msgspec
from sqlalchemy import select

from registry.database import Database
from registry.records import AuditQuery, AuditRecord
from registry.tables import AuditRow

__all__ = ["AuditLog"]

COLUMNS = tuple(getattr(AuditRow, field) for field in AuditRecord.__struct_fields__)


class AuditLog:
    """Who changed what."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, query: AuditQuery) -> list[AuditRecord]:
        """Return changes, newest first, at most `query.limit`."""
        statement = select(*COLUMNS).order_by(AuditRow.id.desc()).limit(query.limit)
        if query.actor is not None:
            statement = statement.where(AuditRow.actor == query.actor)
        if query.subject is not None:
            statement = statement.where(AuditRow.subject == query.subject)
        if query.since_us is not None:
            statement = statement.where(AuditRow.time_us >= query.since_us)
        if query.until_us is not None:
            statement = statement.where(AuditRow.time_us < query.until_us)
        if query.before is not None:
            statement = statement.where(AuditRow.id < query.before)
        with self._database.reading() as connection:
            rows = connection.execute(statement).mappings()
            return [msgspec.convert(dict(row), AuditRecord) for row in rows]

    def write(self, actor: str, action: str, subject: str, detail: str = "") -> None:
        """Note something that changed no fact: a replay, a drop."""
        with self._database.changing(actor) as change:
            change.note(action, subject, detail)
