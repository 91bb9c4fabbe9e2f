"""Keys of the API beside the admin key: made and revoked by people, kept as hashes.

A key is a token of 256 random bits that we generate; nobody can guess one, so plain SHA-256 finds
it by its hash. One that signs is derived from its id and a secret that is in no database: a
signature can be checked, and whoever reads the database can forge none.
"""

import hashlib
import secrets
from collections.abc import Callable

import msgspec
from sqlalchemy import Connection, delete, insert, select

from city.access import new_secret
from registry.database import Database
from registry.errors import InvalidFactError, NotThereError
from registry.records import KeyRecord
from registry.tables import KeyRow, ProviderRow, RouteRow

__all__ = ["Keys"]

ID_BYTES = 8
NAME_MAX = 200
KEYS_MAX = 1_000
# Each of them is tried on a signature.
SIGNING_MAX = 16
COLUMNS = tuple(getattr(KeyRow, field) for field in KeyRecord.__struct_fields__)


class Keys:
    """Reads and changes of keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[KeyRecord]:
        """Return every key, oldest first."""
        statement = select(*COLUMNS).order_by(KeyRow.created_us, KeyRow.id).limit(KEYS_MAX)
        with self._database.reading() as connection:
            rows = connection.execute(statement).mappings()
            return [msgspec.convert(dict(row), KeyRecord) for row in rows]

    def create(
        self,
        actor: str,
        name: str,
        *,
        provider: str | None = None,
        route: str | None = None,
        derived: Callable[[str], str] | None = None,
    ) -> tuple[KeyRecord, str]:
        """Make a key; return it and its secret, which nobody can ask for again.

        Args:
            actor: Who makes it.
            name: Who or what it is for.
            provider: It may only send, to routes of this provider.
            route: It may only send, to this route.
            derived: Makes the secret from the id; None: it is random.

        Raises:
            InvalidFactError: If the name is empty or too long.
            NotThereError: If there is no such provider or route.
        """
        if not 0 < len(name) <= NAME_MAX or not name.isprintable():
            raise InvalidFactError(field="name", words=f"1 to {NAME_MAX} printable characters")
        identifier = secrets.token_hex(ID_BYTES)
        secret = new_secret() if derived is None else derived(identifier)
        with self._database.changing(actor) as change:
            _check_scope(change.connection, provider, route)
            record = KeyRecord(identifier, name, change.now_us, provider, route)
            row = msgspec.structs.asdict(record) | {"secret_sha256": _hash(secret)}
            change.connection.execute(insert(KeyRow).values(**row))
            change.note("key.created", record.id, _described(record))
        return record, secret

    def remove(self, actor: str, key: str) -> None:
        """Revoke a key.

        Raises:
            NotThereError: If there is none.
        """
        with self._database.changing(actor) as change:
            removed = change.connection.execute(delete(KeyRow).where(KeyRow.id == key))
            if removed.rowcount == 0:
                raise NotThereError(kind="key", name=key)
            change.note("key.removed", key)

    def signing(self, route: str) -> list[KeyRecord]:
        """Return the keys that may only send to one route: those that sign for it."""
        statement = select(*COLUMNS).where(KeyRow.route == route).limit(SIGNING_MAX)
        with self._database.reading() as connection:
            rows = connection.execute(statement).mappings()
            return [msgspec.convert(dict(row), KeyRecord) for row in rows]

    def find(self, secret: str) -> KeyRecord | None:
        """Return the key of a secret; None where there is none."""
        statement = select(*COLUMNS).where(KeyRow.secret_sha256 == _hash(secret))
        with self._database.reading() as connection:
            row = connection.execute(statement).mappings().first()
        return None if row is None else msgspec.convert(dict(row), KeyRecord)


def _check_scope(connection: Connection, provider: str | None, route: str | None) -> None:
    named = (
        ("provider", provider, select(ProviderRow.name).where(ProviderRow.name == provider)),
        (
            "route",
            route,
            select(RouteRow.name).where(RouteRow.name == route, RouteRow.removed.is_(False)),
        ),
    )
    for kind, name, statement in named:
        if name is not None and connection.execute(statement).first() is None:
            raise NotThereError(kind=kind, name=name)


def _described(record: KeyRecord) -> str:
    scope = [
        f"{kind} {name}"
        for kind, name in (("provider", record.provider), ("route", record.route))
        if name is not None
    ]
    return f"{record.name} (sends only: {', '.join(scope)})" if scope else record.name


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
