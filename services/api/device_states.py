"""`/v1/device-states`: which devices report, are late, are silent, or were never heard."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from city.instants import to_text
from services.asking import (
    Cursor,
    Document,
    Limit,
    answer,
    decode_cursor,
    encode_cursor,
    text_or_none,
)
from services.authority import Reader, Running
from services.fleet import DeviceStatus, Name, StatusQuery
from services.problems import PROBLEMS
from services.silence import State

__all__ = [
    "DeviceStateDocument",
    "DeviceStatePage",
    "DeviceStateParameters",
    "list_device_states",
    "router",
]

router = APIRouter(prefix="/v1/device-states", tags=["devices"], responses=PROBLEMS)

LIMIT = 100


class DeviceStateDocument(Document):
    """An active device and its state.

    Attributes:
        state: By receive time: `late` after 1.5 of its intervals, `silent` after 3.
        since: When the state began; null for one that reports.
        state_by_event_time, since_by_event_time: The same by the times of its observations.
        offline_since: When its network said that it is gone (Sparkplug's deaths); null where it did
            not, or it is back.
        maintained: It is being worked on now (`/v1/maintenance`); such time is no silence.
        last_received, last_observed: Arrival and time of its newest observation.
    """

    device: str
    kind: str
    name: str
    state: State
    since: str | None
    state_by_event_time: State
    since_by_event_time: str | None
    offline_since: str | None
    maintained: bool
    last_received: str | None
    last_observed: str | None
    expected_interval_s: float | None


class DeviceStatePage(Document):
    """Devices with their states by provider and id, and where to go on; `time` is the present."""

    time: str
    items: list[DeviceStateDocument]
    next: str | None


class DeviceStateParameters(Document):
    """Which devices; the state is that by receive time, `offline` that of its network."""

    state: State | None = None
    offline: bool | None = None
    provider: str | None = None
    kind: str | None = None
    limit: Limit = LIMIT
    cursor: Cursor = None


@router.get("", response_model=DeviceStatePage)
async def list_device_states(
    request: Request,
    running: Running,
    caller: Reader,
    asked: Annotated[DeviceStateParameters, Query()],
) -> Response:
    """List active devices with their states, from what is kept beside the requests."""
    state, now_us = running.state, running.parts.clock.now_us()
    query = StatusQuery(
        state=asked.state,
        offline=asked.offline,
        provider=asked.provider,
        kind=asked.kind,
        scope=caller.scope,
        after=decode_cursor(asked.cursor, tuple[str, str]),
        limit=asked.limit + 1,
    )
    last = (state.latest.heard, state.latest.observed)
    found = await running.threads.run(state.fleet.page, query, state.fleet_look, last, now_us)
    shown = found[: asked.limit]
    following = encode_cursor(_name(shown[-1])) if len(found) > len(shown) else None
    items = [_document(each) for each in shown]
    return answer(request, DeviceStatePage(time=to_text(now_us), items=items, next=following))


def _name(each: DeviceStatus) -> Name:
    return each.device.provider, each.device.id


def _document(each: DeviceStatus) -> DeviceStateDocument:
    return DeviceStateDocument(
        device="/".join(_name(each)),
        kind=each.device.kind,
        name=each.device.name,
        state=each.status.state,
        since=text_or_none(each.status.since_us),
        state_by_event_time=each.by_event_time.state,
        since_by_event_time=text_or_none(each.by_event_time.since_us),
        offline_since=text_or_none(each.offline_us),
        maintained=each.maintained,
        last_received=text_or_none(each.received_us),
        last_observed=text_or_none(each.observed_us),
        expected_interval_s=each.device.expected_interval_s,
    )
