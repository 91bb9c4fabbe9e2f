"""Keeps the bucket `madina_access` as the registry says: users and shard rules, for gateways.

What the bucket holds is read once a connection; after that only what changed is written, so any
number of services may keep the same bucket.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import nats.errors
import structlog
from nats.js.api import StorageType
from nats.js.errors import NotFoundError
from nats.js.kv import KeyValue
from sqlalchemy.exc import SQLAlchemyError

from city.access import ROUTES_KEY, USER_PREFIX, encode_access, user_key
from city.subjects import ACCESS_BUCKET
from services.threads import TooBusyError

if TYPE_CHECKING:
    from nats.aio.client import Client

    from registry.registry import Registry
    from services.threads import Threads

__all__ = ["AccessBucket", "access_values"]

log = structlog.get_logger(__name__)

# Another process may have changed the registry; gateways know within a second.
LOOK_EVERY_S = 0.3
READ_TIMEOUT_S = 5.0
RETRY_S = 1.0


class AccessBucket:
    """Writes the bucket; a tenant of the link."""

    def __init__(self, registry: Registry, threads: Threads, *, replicas: int = 1) -> None:
        self._registry = registry
        self._replicas = replicas
        self._threads = threads
        self._changed = asyncio.Event()

    def look(self) -> None:
        """Look at the registry now."""
        self._changed.set()

    def bereft(self, words: str) -> None:
        """Learn that there is no connection: gateways keep what they know."""

    async def attend(self, client: Client) -> None:
        """Keep the bucket until the connection ends."""
        while True:
            try:
                await self._keep(client)
            except (nats.errors.Error, TimeoutError) as error:
                # Others live on this connection: trouble with the bucket must not end it.
                log.warning("access_bucket.failed", cause=str(error) or type(error).__name__)
                await asyncio.sleep(RETRY_S)

    async def _keep(self, client: Client) -> None:
        bucket = await _bucket(client, self._replicas)
        held = await _read(bucket)
        written = -1
        while True:
            try:
                revision = await self._threads.run(self._registry.access_revision)
                if revision != written:
                    wanted = await self._threads.run(access_values, self._registry)
                    await _write(bucket, held, wanted)
                    written = revision
            except (SQLAlchemyError, TooBusyError) as error:
                log.warning("access_bucket.deferred", cause=str(error) or "busy")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._changed.wait()
            self._changed.clear()


def access_values(registry: Registry) -> dict[str, bytes]:
    """Return what the bucket has to hold. Blocking."""
    values = {user_key(entry.user): encode_access(entry) for entry in registry.users.entries()}
    values[ROUTES_KEY] = encode_access(registry.shard_rules())
    return values


async def _bucket(client: Client, replicas: int) -> KeyValue:
    jetstream = client.jetstream()  # pyright: ignore[reportUnknownMemberType] - nats-py
    try:
        return await jetstream.key_value(ACCESS_BUCKET)
    except NotFoundError:
        return await jetstream.create_key_value(  # pyright: ignore[reportUnknownMemberType] - same
            bucket=ACCESS_BUCKET, history=1, storage=StorageType.FILE, replicas=replicas
        )


async def _read(bucket: KeyValue) -> dict[str, bytes]:
    """Return what the bucket holds; None in the watch ends it."""
    watcher = await bucket.watch(">")  # pyright: ignore[reportUnknownMemberType] - nats-py
    held: dict[str, bytes] = {}
    try:
        while isinstance(entry := await watcher.updates(READ_TIMEOUT_S), KeyValue.Entry):
            if entry.operation is None and entry.value is not None:
                held[entry.key] = entry.value
    finally:
        await watcher.stop()
    return held


async def _write(bucket: KeyValue, held: dict[str, bytes], wanted: dict[str, bytes]) -> None:
    """Bring the bucket to what is wanted, and `held` with it; leave what is not ours."""
    for key, value in wanted.items():
        if held.get(key) != value:
            await bucket.put(key, value)
            held[key] = value
    for key in [key for key in held if key.startswith(USER_PREFIX) and key not in wanted]:
        await bucket.delete(key)
        del held[key]
