"""The access bucket, followed on a real server: made late, changed, damaged, made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from nats.aio.client import Client
from nats.js.api import KeyValueConfig

from city.access import (
    LIMITS_KEY,
    ROUTES_KEY,
    AccessLimits,
    ShardRule,
    ShardRules,
    encode_access,
    new_entry,
    user_key,
)
from city.subjects import ACCESS_BUCKET
from gateway.access import Access
from link.nats_link import Link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from nats.js import JetStreamContext
    from nats.js.kv import KeyValue

    Beside = Callable[[Awaitable[None]], AbstractAsyncContextManager[None]]
    Eventually = Callable[[Callable[[], bool]], Awaitable[None]]

pytestmark = pytest.mark.live

ENTRY = new_entry("acme", "s", provider="acme")
RULES = ShardRules((ShardRule("spBv1.0/#", (2, 4)),))


class Listening:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.rules: list[ShardRules] = []
        self.limits: list[AccessLimits] = []
        self.users: list[str] = []

    def rules_changed(self, rules: ShardRules) -> None:
        self.rules.append(rules)

    def limits_changed(self, limits: AccessLimits) -> None:
        self.limits.append(limits)

    def user_changed(self, user: str) -> None:
        self.users.append(user)


@pytest.fixture
async def jetstream(nats_url: str) -> AsyncIterator[JetStreamContext]:
    client = Client()
    await client.connect(nats_url)
    yield client.jetstream()  # pyright: ignore[reportUnknownMemberType] - nats-py
    await client.close()


async def make_bucket(jetstream: JetStreamContext) -> KeyValue:
    config = KeyValueConfig(bucket=ACCESS_BUCKET)
    return await jetstream.create_key_value(config)  # pyright: ignore[reportUnknownMemberType] - nats-py


async def test_a_bucket_that_is_made_later_is_found_and_followed(
    nats_url: str, jetstream: JetStreamContext, beside: Beside, eventually: Eventually
) -> None:
    heard = Listening()
    access = Access(heard)
    async with beside(Link(nats_url, "gw", [access]).run()):
        assert not access.known
        bucket = await make_bucket(jetstream)
        await bucket.put(user_key("acme"), encode_access(ENTRY))
        await eventually(lambda: access.user("acme") == ENTRY)
        assert access.known
        await bucket.put(ROUTES_KEY, encode_access(RULES))
        await bucket.put(LIMITS_KEY, encode_access(AccessLimits(max_connections=3)))
        await bucket.delete(user_key("acme"))
        await eventually(lambda: access.user("acme") is None)
        assert heard.rules == [RULES]
        assert heard.limits == [AccessLimits(max_connections=3)]
        assert heard.users == ["acme", "acme"]


async def test_what_cannot_be_read_locks_out_one_user_and_nobody_else(
    nats_url: str, jetstream: JetStreamContext, beside: Beside, eventually: Eventually
) -> None:
    bucket = await make_bucket(jetstream)
    await bucket.put(user_key("broken"), b"{")
    await bucket.put("user.no-hexadecimal", b"{}")
    await bucket.put(ROUTES_KEY, b"[")
    await bucket.put(user_key("acme"), encode_access(ENTRY))
    heard = Listening()
    access = Access(heard)
    async with beside(Link(nats_url, "gw", [access]).run()):
        await eventually(lambda: access.known)
        assert access.user("broken") is None
        assert access.user("acme") == ENTRY
        assert heard.rules == []


async def test_users_stay_known_while_there_is_no_connection(
    nats_url: str, jetstream: JetStreamContext, beside: Beside, eventually: Eventually
) -> None:
    bucket = await make_bucket(jetstream)
    await bucket.put(user_key("acme"), encode_access(ENTRY))
    access = Access(Listening())
    async with beside(Link(nats_url, "gw", [access]).run()):
        await eventually(lambda: access.known)
    access.bereft("gone")
    assert access.user("acme") == ENTRY
    await bucket.delete(user_key("acme"))
    async with beside(Link(nats_url, "gw", [access]).run()):
        await eventually(lambda: access.user("acme") is None)
