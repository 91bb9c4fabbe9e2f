"""Routes: topic pattern to codec and provider."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, insert, select, update

from registry.checks import check_route
from registry.database import Change, Database
from registry.errors import AlreadyThereError, InvalidFactError, NotThereError
from registry.facts import Route
from registry.providers import ensure_providers
from registry.records import RouteDraft, RouteRecord
from registry.route_facts import ROUTES, route_fact
from registry.tables import RouteRow

__all__ = ["OptionsFault", "Routes", "anything"]

# Codec and options to what is wrong with them, in words; None where nothing is.
OptionsFault = Callable[[str, Mapping[str, Any]], str | None]

FIELDS = RouteDraft.__struct_fields__
COLUMNS = (
    *(getattr(RouteRow, field) for field in FIELDS),
    RouteRow.created_us,
    RouteRow.updated_us,
)


class Routes:
    """Reads and changes of routes. Routes are the platform's: they have no scope."""

    def __init__(self, database: Database, options_fault: OptionsFault) -> None:
        """Take who knows what options codecs have: the registry knows no codec."""
        self._database = database
        self._options_fault = options_fault

    def all(self) -> list[RouteRecord]:
        """Return every route by name; a city has tens."""
        statement = select(*COLUMNS).where(RouteRow.removed.is_(False)).order_by(RouteRow.name)
        with self._database.reading() as connection:
            return [_record(row) for row in connection.execute(statement).mappings()]

    def facts(self) -> list[Route]:
        """Return the routes that hold, as ingest sees them."""
        statement = ROUTES.where(RouteRow.enabled, RouteRow.removed.is_(False))
        with self._database.reading() as connection:
            return [route_fact(row) for row in connection.execute(statement).mappings()]

    def get(self, name: str) -> RouteRecord:
        """Return one route.

        Raises:
            NotThereError: If nobody registered it.
        """
        with self._database.reading() as connection:
            return _get(connection, name)

    def create(self, actor: str, draft: RouteDraft) -> RouteRecord:
        """Register a route; the name of a removed one may be used again.

        Raises:
            InvalidFactError: If a field cannot be so.
            AlreadyThereError: If the name is taken.
        """
        self._check(draft)
        with self._database.changing(actor) as change:
            taken = select(RouteRow.removed).where(RouteRow.name == draft.name)
            removed = change.connection.execute(taken).scalar_one_or_none()
            if removed is False:
                raise AlreadyThereError(kind="route", name=draft.name)
            if removed is None:
                _insert(change, draft)
            else:
                _write(change, draft.name, msgspec.structs.asdict(draft) | {"removed": False})
            change.note("route.created", draft.name, f"{draft.pattern} -> {draft.codec}")
            return _get(change.connection, draft.name)

    def change(self, actor: str, name: str, fields: Mapping[str, object]) -> RouteRecord:
        """Change fields of a route.

        Raises:
            NotThereError: If there is none.
            InvalidFactError: If a field cannot be so.
        """
        with self._database.changing(actor) as change:
            found = _get(change.connection, name)
            self._check(msgspec.structs.replace(found, **fields, name=name))
            _write(change, name, fields)
            change.note("route.changed", name, ", ".join(sorted(fields)))
            return _get(change.connection, name)

    def remove(self, actor: str, name: str) -> None:
        """Remove a route: messages of its pattern are parked from now on.

        Raises:
            NotThereError: If there is none.
        """
        with self._database.changing(actor) as change:
            _get(change.connection, name)
            _write(change, name, {"removed": True})
            change.note("route.removed", name)

    def _check(self, draft: RouteDraft) -> None:
        check_route(draft)
        words = self._options_fault(draft.codec, draft.options)
        if words is not None:
            raise InvalidFactError(field="options", words=words)


def anything(_codec: str, _options: Mapping[str, Any]) -> None:
    """Find no fault with any options."""


def _insert(change: Change, draft: RouteDraft) -> None:
    (revision,) = change.revisions()
    change.access_changed()
    if draft.provider is not None:
        ensure_providers(change, [draft.provider])
    change.connection.execute(
        insert(RouteRow).values(
            **msgspec.structs.asdict(draft) | {"levels": list(draft.levels)},
            removed=False,
            revision=revision,
            created_us=change.now_us,
            updated_us=change.now_us,
        )
    )


def _write(change: Change, name: str, fields: Mapping[str, object]) -> None:
    (revision,) = change.revisions()
    change.access_changed()
    provider = fields.get("provider")
    if isinstance(provider, str):
        ensure_providers(change, [provider])
    values = dict(fields)
    if "levels" in values:
        values["levels"] = list(msgspec.convert(values["levels"], tuple[int, ...]))
    change.connection.execute(
        update(RouteRow)
        .where(RouteRow.name == name)
        .values(**values, revision=revision, updated_us=change.now_us)
    )


def _get(connection: Connection, name: str) -> RouteRecord:
    statement = select(*COLUMNS).where(RouteRow.name == name, RouteRow.removed.is_(False))
    row = connection.execute(statement).mappings().first()
    if row is None:
        raise NotThereError(kind="route", name=name)
    return _record(row)


def _record(row: RowMapping) -> RouteRecord:
    return msgspec.convert(dict(row), RouteRecord)
