"""Keys of the API beside the admin key: made and revoked by people, kept as hashes.

A key is a token of 256 random bits that we generate; nobody can guess one, so plain SHA-256 finds
it by its hash.
"""

import hashlib
import secrets

import msgspec
from sqlalchemy import delete, insert, select

from city.access import new_secret
from registry.database import Database
from registry.errors import InvalidFactError, NotThereError
from registry.records import KeyRecord
from registry.tables import KeyRow

__all__ = ["Keys"]

ID_BYTES = 8
NAME_MAX = 200
KEYS_MAX = 1_000
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

    def create(self, actor: str, name: str) -> tuple[KeyRecord, str]:
        """Make a key; return it and its secret, which nobody can ask for again.

        Raises:
            InvalidFactError: If the name is empty or too long.
        """
        if not 0 < len(name) <= NAME_MAX or not name.isprintable():
            raise InvalidFactError(field="name", words=f"1 to {NAME_MAX} printable characters")
        secret = new_secret()
        with self._database.changing(actor) as change:
            record = KeyRecord(secrets.token_hex(ID_BYTES), name, change.now_us)
            row = msgspec.structs.asdict(record) | {"secret_sha256": _hash(secret)}
            change.connection.execute(insert(KeyRow).values(**row))
            change.note("key.created", record.id, name)
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

    def find(self, secret: str) -> KeyRecord | None:
        """Return the key of a secret; None where there is none."""
        statement = select(*COLUMNS).where(KeyRow.secret_sha256 == _hash(secret))
        with self._database.reading() as connection:
            row = connection.execute(statement).mappings().first()
        return None if row is None else msgspec.convert(dict(row), KeyRecord)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
