"""`GET /v1/live`: observations as they are stored, as server-sent events."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import Field
from sse_starlette import EventSourceResponse, ServerSentEvent

from services.api.observations import observation_document
from services.asking import Document
from services.authority import Reader, Running
from services.live import TooManyWatchersError, Wish
from services.problems import PROBLEMS, ProblemError

__all__ = ["LiveParameters", "read_live", "router"]

router = APIRouter(tags=["observations"], responses=PROBLEMS)

NAME_MAX = 200
# Proxies close what is silent for a minute.
COMMENT_EVERY_S = 15
# What a browser that lost the stream waits before it comes again.
RETRY_MS = 2_000
# What comes meanwhile is sent together.
PAUSE_S = 0.25

Name = Annotated[str | None, Field(max_length=NAME_MAX)]


class LiveParameters(Document):
    """What narrows it."""

    provider: Name = None
    device: Name = None
    quantity: Name = None

    def wish(self, caller: Reader) -> Wish:
        """Return what the caller wants to see."""
        provider, separator, device = (self.device or "").partition("/")
        if separator:
            return Wish(caller.scope, provider, device, self.quantity)
        return Wish(caller.scope, self.provider, self.device, self.quantity)


@router.get(
    "/v1/live",
    response_class=EventSourceResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def read_live(
    running: Running,
    caller: Reader,
    asked: Annotated[LiveParameters, Query()],
) -> Response:
    """Send observations while they are stored; who reads too slowly is told how many it lost."""
    events = _events(running, asked.wish(caller))
    # Watching begins before the answer does: what is stored from now on is in it.
    first = await anext(events)
    return EventSourceResponse(_behind(first, events), ping=COMMENT_EVERY_S)


async def _behind(
    first: ServerSentEvent, events: AsyncGenerator[ServerSentEvent]
) -> AsyncGenerator[ServerSentEvent]:
    async with contextlib.aclosing(events):
        yield first
        async for event in events:
            yield event


async def _events(running: Running, wish: Wish) -> AsyncGenerator[ServerSentEvent]:
    try:
        with running.state.feed.watching(wish) as watcher:
            yield ServerSentEvent(comment="watching", retry=RETRY_MS)
            while not watcher.ended:
                lost, observations = await watcher.take()
                if lost:
                    yield _event("lost", {"lost": lost})
                for seen in observations:
                    members = observation_document(seen).model_dump()
                    yield _event("observation", members | {"kind": seen.kind})
                await asyncio.sleep(PAUSE_S)
    except TooManyWatchersError as error:
        detail = "as many watch as may"
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE, "busy", detail, mend="come again"
        ) from error


def _event(name: str, members: Mapping[str, object]) -> ServerSentEvent:
    return ServerSentEvent(event=name, data=msgspec.json.encode(members).decode())
