"""Providers: departments and suppliers that run devices."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, Select, insert, select, update

from city.scope import Scope
from registry.checks import check_provider
from registry.database import Change, Database
from registry.errors import AlreadyThereError, NotThereError
from registry.records import ProviderDraft, ProviderRecord
from registry.tables import ProviderRow

__all__ = ["Providers", "ensure_providers"]

COLUMNS = (
    ProviderRow.name,
    ProviderRow.title,
    ProviderRow.contact,
    ProviderRow.created_us,
    ProviderRow.updated_us,
)
NAMES_AT_ONCE = 500


class Providers:
    """Reads and changes of providers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, scope: Scope, *, after: str | None, limit: int) -> list[ProviderRecord]:
        """Return providers by name, at most `limit`, behind `after`."""
        statement = _visible(scope).order_by(ProviderRow.name).limit(limit)
        if after is not None:
            statement = statement.where(ProviderRow.name > after)
        with self._database.reading() as connection:
            return [_record(row) for row in connection.execute(statement).mappings()]

    def get(self, scope: Scope, name: str) -> ProviderRecord:
        """Return one provider.

        Raises:
            NotThereError: If nobody registered it or the scope does not admit it.
        """
        with self._database.reading() as connection:
            return _get(connection, scope, name)

    def create(self, actor: str, draft: ProviderDraft) -> ProviderRecord:
        """Register a provider.

        Raises:
            InvalidFactError: If a field cannot be so.
            AlreadyThereError: If the name is taken.
        """
        check_provider(draft)
        with self._database.changing(actor) as change:
            if _exists(change.connection, draft.name):
                raise AlreadyThereError(kind="provider", name=draft.name)
            _insert(change, draft)
            return _get(change.connection, Scope(), draft.name)

    def change(
        self, actor: str, scope: Scope, name: str, fields: Mapping[str, object]
    ) -> ProviderRecord:
        """Change `title` or `contact`.

        Raises:
            NotThereError: If there is none.
            InvalidFactError: If a field cannot be so.
        """
        with self._database.changing(actor) as change:
            found = _get(change.connection, scope, name)
            check_provider(msgspec.structs.replace(found, **fields, name=name))
            (revision,) = change.revisions()
            statement = update(ProviderRow).where(ProviderRow.name == name)
            change.connection.execute(
                statement.values(**fields, revision=revision, updated_us=change.now_us)
            )
            change.note("provider.changed", name, ", ".join(sorted(fields)))
            return _get(change.connection, scope, name)


def ensure_providers(change: Change, names: Iterable[str]) -> None:
    """Register the providers of these names that nobody has registered."""
    wanted = sorted(set(names))
    for start in range(0, len(wanted), NAMES_AT_ONCE):
        some = wanted[start : start + NAMES_AT_ONCE]
        statement = select(ProviderRow.name).where(ProviderRow.name.in_(some))
        known = set(change.connection.execute(statement).scalars())
        for name in some:
            if name not in known:
                check_provider(ProviderDraft(name))
                _insert(change, ProviderDraft(name))


def _insert(change: Change, draft: ProviderDraft) -> None:
    (revision,) = change.revisions()
    change.connection.execute(
        insert(ProviderRow).values(
            name=draft.name,
            title=draft.title,
            contact=draft.contact,
            revision=revision,
            created_us=change.now_us,
            updated_us=change.now_us,
        )
    )
    change.note("provider.created", draft.name)


def _visible(scope: Scope) -> Select[*tuple[Any, ...]]:
    statement = select(*COLUMNS)
    if scope.providers is None:
        return statement
    return statement.where(ProviderRow.name.in_(scope.providers))


def _exists(connection: Connection, name: str) -> bool:
    statement = select(ProviderRow.name).where(ProviderRow.name == name)
    return connection.execute(statement).first() is not None


def _get(connection: Connection, scope: Scope, name: str) -> ProviderRecord:
    statement = _visible(scope).where(ProviderRow.name == name)
    row = connection.execute(statement).mappings().first()
    if row is None:
        raise NotThereError(kind="provider", name=name)
    return _record(row)


def _record(row: RowMapping) -> ProviderRecord:
    return msgspec.convert(dict(row), ProviderRecord)
