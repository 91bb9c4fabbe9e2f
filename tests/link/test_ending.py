"""A link ends when it is told to, although the client library may swallow a cancellation."""

import asyncio
import contextlib

import pytest
from nats.aio.client import Client

from link.nats_link import Link

pytestmark = pytest.mark.live

DONE_S = 10


class Deaf:
    """A tenant whose first cancellation is swallowed, as a flush of the client does it."""

    def __init__(self) -> None:
        self.here = asyncio.Event()

    async def attend(self, client: Client) -> None:
        self.here.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    def bereft(self, words: str) -> None:
        pass


async def test_a_tenant_that_has_not_heard_is_told_again(nats_url: str) -> None:
    deaf = Deaf()
    running = asyncio.ensure_future(Link(nats_url, "deaf", [deaf]).run())
    await asyncio.wait_for(deaf.here.wait(), DONE_S)
    running.cancel()
    done, _ = await asyncio.wait([running], timeout=DONE_S)
    assert done, "it goes on for ever"
    assert running.cancelled()
