"""MQTT users: providers and devices that may publish, and what gateways have to know of them."""

from collections.abc import Iterator

import msgspec
from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from city.access import AccessEntry, new_entry, new_secret
from city.scope import Scope
from registry.checks import check_device, check_provider, check_user_name
from registry.database import Change, Database
from registry.errors import AlreadyThereError, NotThereError
from registry.providers import ensure_providers
from registry.records import DeviceDraft, ProviderDraft, UserRecord
from registry.tables import RouteRow, UserRow

__all__ = ["Users"]

FIELDS = UserRecord.__struct_fields__
COLUMNS = tuple(getattr(UserRow, field) for field in FIELDS)
ROWS_AT_ONCE = 5_000


class Users:
    """Reads and changes of MQTT users."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, scope: Scope, *, after: str | None, limit: int) -> list[UserRecord]:
        """Return users by name, at most `limit`, behind `after`."""
        statement = select(*COLUMNS).order_by(UserRow.name).limit(limit)
        if scope.providers is not None:
            statement = statement.where(UserRow.provider.in_(scope.providers))
        if after is not None:
            statement = statement.where(UserRow.name > after)
        with self._database.reading() as connection:
            return [_record(row) for row in connection.execute(statement).mappings()]

    def get(self, scope: Scope, name: str) -> UserRecord:
        """Return one user.

        Raises:
            NotThereError: If there is none or the scope does not admit its provider.
        """
        with self._database.reading() as connection:
            return _get(connection, scope, name)

    def create(
        self, actor: str, name: str, *, provider: str, device: str | None = None
    ) -> tuple[UserRecord, str]:
        """Make a user; return it and its secret, which nobody can ask for again.

        Raises:
            InvalidFactError: If the name, the provider or the device cannot be so.
            AlreadyThereError: If the name is taken.
        """
        check_user_name(name)
        check_provider(ProviderDraft(provider))
        if device is not None:
            check_device(DeviceDraft(provider, device))
        secret = new_secret()
        entry = new_entry(name, secret, provider=provider, device=device)
        with self._database.changing(actor) as change:
            taken = select(UserRow.name).where(UserRow.name == name)
            if change.connection.execute(taken).first() is not None:
                raise AlreadyThereError(kind="user", name=name)
            ensure_providers(change, [provider])
            _insert(change, entry)
            change.note("user.created", name, f"{provider}/{device}" if device else provider)
            return _get(change.connection, Scope(), name), secret

    def renew(self, actor: str, scope: Scope, name: str) -> tuple[UserRecord, str]:
        """Give a user another secret; the old one opens nothing any more.

        Raises:
            NotThereError: If there is none.
        """
        secret = new_secret()
        with self._database.changing(actor) as change:
            found = _get(change.connection, scope, name)
            entry = new_entry(name, secret, provider=found.provider, device=found.device)
            fields = {"salt": entry.salt, "secret_sha256": entry.secret_sha256}
            _update(change, name, fields)
            change.note("user.renewed", name)
            return _get(change.connection, scope, name), secret

    def disable(self, actor: str, scope: Scope, name: str, *, disabled: bool) -> UserRecord:
        """Lock a user out, or let it in again.

        Raises:
            NotThereError: If there is none.
        """
        with self._database.changing(actor) as change:
            _get(change.connection, scope, name)
            _update(change, name, {"disabled": disabled})
            change.note("user.disabled" if disabled else "user.enabled", name)
            return _get(change.connection, scope, name)

    def remove(self, actor: str, scope: Scope, name: str) -> None:
        """Remove a user.

        Raises:
            NotThereError: If there is none.
        """
        with self._database.changing(actor) as change:
            _get(change.connection, scope, name)
            change.connection.execute(delete(UserRow).where(UserRow.name == name))
            change.access_changed()
            change.note("user.removed", name)

    def entries(self) -> Iterator[AccessEntry]:
        """Return what gateways have to know of every user, by name."""
        after = ""
        with self._database.reading() as connection:
            topics = _topics(connection)
            statement = select(UserRow.__table__).order_by(UserRow.name).limit(ROWS_AT_ONCE)
            while True:
                rows = connection.execute(statement.where(UserRow.name > after)).mappings().all()
                for row in rows:
                    yield _entry(row, topics.get(row["provider"], ()))
                if len(rows) < ROWS_AT_ONCE:
                    return
                after = rows[-1]["name"]


def _topics(connection: Connection) -> dict[str, tuple[str, ...]]:
    """Return the patterns of each provider's own routes."""
    statement = (
        select(RouteRow.provider, RouteRow.pattern)
        .where(RouteRow.enabled, RouteRow.removed.is_(False), RouteRow.provider.is_not(None))
        .order_by(RouteRow.name)
    )
    found: dict[str, tuple[str, ...]] = {}
    for provider, pattern in connection.execute(statement):
        if provider is not None:
            found[provider] = (*found.get(provider, ()), pattern)
    return found


def _entry(row: RowMapping, topics: tuple[str, ...]) -> AccessEntry:
    return AccessEntry(
        user=row["name"],
        provider=row["provider"],
        device=row["device"],
        salt=row["salt"],
        secret_sha256=row["secret_sha256"],
        # A route may read the device from a payload: one device could speak for all others.
        topics=topics if row["device"] is None else (),
        disabled=row["disabled"],
    )


def _insert(change: Change, entry: AccessEntry) -> None:
    change.access_changed()
    change.connection.execute(
        insert(UserRow).values(
            name=entry.user,
            provider=entry.provider,
            device=entry.device,
            salt=entry.salt,
            secret_sha256=entry.secret_sha256,
            disabled=False,
            created_us=change.now_us,
            updated_us=change.now_us,
        )
    )


def _update(change: Change, name: str, fields: dict[str, str] | dict[str, bool]) -> None:
    change.access_changed()
    statement = update(UserRow).where(UserRow.name == name)
    change.connection.execute(statement.values(**fields, updated_us=change.now_us))


def _get(connection: Connection, scope: Scope, name: str) -> UserRecord:
    statement = select(*COLUMNS).where(UserRow.name == name)
    row = connection.execute(statement).mappings().first()
    if row is None or not scope.admits(row["provider"]):
        raise NotThereError(kind="user", name=name)
    return _record(row)


def _record(row: RowMapping) -> UserRecord:
    return msgspec.convert(dict(row), UserRecord)
