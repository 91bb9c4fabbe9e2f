"""Users, shard rules and limits from the access bucket, held in memory.

Services write the bucket (`city.access`). What was read stays valid while NATS is away: devices go
on connecting. Entries are kept as they came and read at log-in: a city has more users than log-ins.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Protocol

import msgspec
import nats.errors
import structlog
from nats.js.errors import NotFoundError
from nats.js.kv import KeyValue

from city.access import (
    LIMITS_KEY,
    ROUTES_KEY,
    USER_PREFIX,
    AccessEntry,
    AccessLimits,
    ShardRules,
    decode_entry,
    decode_limits,
    decode_routes,
    user_key,
)
from city.subjects import ACCESS_BUCKET

if TYPE_CHECKING:
    from nats.aio.client import Client

__all__ = ["Access", "AccessListener"]

log = structlog.get_logger(__name__)

# A bucket that services have not made yet is looked for again after this.
MISSING_S = 0.5
# A silent watch is compared with its bucket this often.
CHECK_S = 15.0


class AccessListener(Protocol):
    """Who acts on what the bucket says."""

    def rules_changed(self, rules: ShardRules) -> None:
        """Take the shard levels of routes."""
        ...

    def limits_changed(self, limits: AccessLimits) -> None:
        """Take limits that replace the settings."""
        ...

    def user_changed(self, user: str) -> None:
        """Look again at what a user may do: its entry has changed or gone."""
        ...


class Access:
    """What the bucket says; a tenant of the link, and `gateway.grants.Users`."""

    def __init__(self, listener: AccessListener) -> None:
        self._listener = listener
        self._values: dict[str, bytes] = {}
        self._revision = 0
        self._complete = False

    @property
    def known(self) -> bool:
        """Say whether the whole bucket has been read once."""
        return self._complete

    def user(self, name: str) -> AccessEntry | None:
        """Return a user's entry; None where there is none that can be read."""
        value = self._values.get(user_key(name))
        if value is None:
            return None
        try:
            return decode_entry(value)
        except msgspec.MsgspecError as error:
            log.warning("access_entry.refused", user=name, cause=str(error))
            return None

    def bereft(self, words: str) -> None:
        """Keep what is known: a log that is away locks nobody out."""

    async def attend(self, client: Client) -> None:
        """Follow the bucket until the connection ends; wait for it where there is none."""
        jetstream = client.jetstream()  # pyright: ignore[reportUnknownMemberType] - nats-py
        while True:
            try:
                await self._follow(await jetstream.key_value(ACCESS_BUCKET))
            except NotFoundError:
                await asyncio.sleep(MISSING_S)
            except nats.errors.Error as error:
                # Frames share this connection: trouble with the bucket must not end it.
                log.warning("access.lost", cause=str(error))
                await asyncio.sleep(MISSING_S)

    async def _follow(self, bucket: KeyValue) -> None:
        """Read the bucket and its changes; returns when the watch has missed some."""
        watcher = await bucket.watch(">")  # pyright: ignore[reportUnknownMemberType] - nats-py
        try:
            self._revision = 0
            self._replace(await self._read_all(watcher))
            while True:
                try:
                    entry = await watcher.updates(timeout=CHECK_S)
                except nats.errors.TimeoutError:
                    if await self._has_moved(bucket):
                        return
                    continue
                if isinstance(entry, KeyValue.Entry):
                    self._revision = entry.revision or 0
                    self._set(entry.key, _value(entry))
        finally:
            # On a connection that has ended this fails, and must not hide the cancellation.
            with contextlib.suppress(nats.errors.Error):
                await watcher.stop()

    async def _read_all(self, watcher: KeyValue.KeyWatcher) -> dict[str, bytes]:
        """Return what the bucket holds now; None in the watch ends it."""
        read: dict[str, bytes] = {}
        while isinstance(entry := await watcher.updates(timeout=CHECK_S), KeyValue.Entry):
            self._revision = max(self._revision, entry.revision or 0)
            value = _value(entry)
            if value is not None:
                read[entry.key] = value
        return read

    async def _has_moved(self, bucket: KeyValue) -> bool:
        """Say whether the bucket is another one, or further, than the watch has told."""
        status = await bucket.status()
        return status.stream_info.state.last_seq != self._revision

    def _replace(self, read: dict[str, bytes]) -> None:
        for key in self._values.keys() - read.keys():
            self._set(key, None)
        for key, value in read.items():
            if self._values.get(key) != value:
                self._set(key, value)
        self._complete = True
        log.info("access.read", entries=len(read))

    def _set(self, key: str, value: bytes | None) -> None:
        if value is None:
            self._values.pop(key, None)
        else:
            self._values[key] = value
        try:
            self._tell(key, value)
        except (msgspec.MsgspecError, ValueError) as error:
            log.warning("access_value.refused", key=key, cause=str(error))

    def _tell(self, key: str, value: bytes | None) -> None:
        if key == ROUTES_KEY:
            self._listener.rules_changed(decode_routes(value) if value else ShardRules())
        elif key == LIMITS_KEY:
            self._listener.limits_changed(decode_limits(value) if value else AccessLimits())
        elif key.startswith(USER_PREFIX):
            self._listener.user_changed(bytes.fromhex(key[len(USER_PREFIX) :]).decode())


def _value(entry: KeyValue.Entry) -> bytes | None:
    """Return the value; None where the key was deleted."""
    return entry.value if entry.operation is None else None
