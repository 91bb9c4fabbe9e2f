"""`/v1/observations`: what is stored of a device, and the newest value of each series."""

from itertools import islice
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from city.instants import to_text
from city.live import LiveObservation
from services.asking import (
    Cursor,
    Document,
    Instant,
    Limit,
    answer,
    decode_cursor,
    encode_cursor,
    instant,
    text_or_none,
)
from services.authority import Reader, Running
from services.problems import PROBLEMS
from store.interface import ObservationQuery, StoredObservation

__all__ = [
    "LatestParameters",
    "ObservationDocument",
    "ObservationPage",
    "ObservationParameters",
    "observation_document",
    "read_latest",
    "read_observations",
    "router",
]

router = APIRouter(tags=["observations"], responses=PROBLEMS)

DEVICE_MAX = 200
QUANTITY_MAX = 64
LIMIT = 1_000
LIMIT_MAX = 10_000
LATEST_LIMIT = 100

DeviceName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=DEVICE_MAX,
        description="`provider/device`, or the bare id where one provider has it",
    ),
]
Quantity = Annotated[str | None, Field(max_length=QUANTITY_MAX)]


class ObservationDocument(Document):
    """One device, one quantity, one value, one time."""

    device: str
    quantity: str
    value: float | int | bool | str
    unit: str | None
    time: str
    end: str | None
    flag: int
    received_at: str
    metadata: dict[str, Any] | None


class ObservationPage(Document):
    """Observations, and where to go on."""

    items: list[ObservationDocument]
    next: str | None


class ObservationParameters(Document):
    """Which observations: `from` is included, `to` is not."""

    device: DeviceName
    quantity: Quantity = None
    start: Annotated[Instant, Field(alias="from")] = None
    to: Instant = None
    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX)] = LIMIT
    cursor: Cursor = None


class LatestParameters(Document):
    """Whose newest values; by default everybody's."""

    device: DeviceName | None = None
    quantity: Quantity = None
    provider: Annotated[str | None, Field(max_length=QUANTITY_MAX)] = None
    limit: Limit = LATEST_LIMIT
    cursor: Cursor = None


@router.get("/v1/observations", response_model=ObservationPage)
async def read_observations(
    request: Request,
    running: Running,
    caller: Reader,
    asked: Annotated[ObservationParameters, Query()],
) -> Response:
    """Return observations of one device by time; conflicts among them say so in `metadata`."""
    devices = running.parts.registry.devices
    device = await running.threads.run(devices.find, caller.scope, asked.device)
    query = ObservationQuery(
        provider=device.provider,
        device=device.id,
        quantity=asked.quantity,
        from_us=instant("from", asked.start),
        to_us=instant("to", asked.to),
        limit=asked.limit + 1,
        after=decode_cursor(asked.cursor, tuple[int, int]),
    )
    found = await running.threads.run(running.parts.store.observations, caller.scope, query)
    rows, last = _page(found, asked.limit)
    items = [_stored_document(row) for row in rows]
    page = ObservationPage(items=items, next=None if last is None else encode_cursor(last))
    return answer(request, page)


@router.get("/v1/observations/latest", response_model=ObservationPage)
async def read_latest(
    request: Request,
    running: Running,
    caller: Reader,
    asked: Annotated[LatestParameters, Query()],
) -> Response:
    """Return the newest value of each series, by device; `limit` counts devices."""
    latest = running.state.latest
    if asked.device is not None:
        devices = running.parts.registry.devices
        device = await running.threads.run(devices.find, caller.scope, asked.device)
        names = [(device.provider, device.id)]
    else:
        after = decode_cursor(asked.cursor, tuple[str, str])
        wanted = (
            name
            for name in latest.devices(caller.scope, after)
            if asked.provider in {None, name[0]}
        )
        names = list(islice(wanted, asked.limit + 1))
    shown = names[: asked.limit]
    items = [
        observation_document(each)
        for name in shown
        for each in latest.of(name)
        if asked.quantity in {None, each.quantity}
    ]
    following = encode_cursor(shown[-1]) if len(names) > len(shown) else None
    return answer(request, ObservationPage(items=items, next=following))


def observation_document(seen: LiveObservation) -> ObservationDocument:
    """Write an observation."""
    return ObservationDocument(
        device=f"{seen.provider}/{seen.device}",
        quantity=seen.quantity,
        value=seen.value,
        unit=seen.unit,
        time=to_text(seen.time_us),
        end=text_or_none(seen.end_us),
        flag=seen.flag,
        received_at=to_text(seen.received_us),
        metadata=_members(seen.metadata),
    )


def _stored_document(row: StoredObservation) -> ObservationDocument:
    return ObservationDocument(
        device=f"{row.provider}/{row.device}",
        quantity=row.quantity,
        value=row.value,
        unit=row.unit,
        time=to_text(row.time_us),
        end=text_or_none(row.end_us),
        flag=row.flag,
        received_at=to_text(row.received_us),
        metadata=_members(row.metadata),
    )


def _members(metadata: str | None) -> dict[str, Any] | None:
    return None if metadata is None else msgspec.json.decode(metadata, type=dict[str, Any])


def _page(
    found: list[StoredObservation], limit: int
) -> tuple[list[StoredObservation], tuple[int, int] | None]:
    """Cut an answer behind the last whole (time, series); conflicts stay beside their first value.

    Returns:
        The rows, and the position of the last where more follow.
    """
    seen = 0
    last: tuple[int, int] | None = None
    for index, row in enumerate(found):
        position = (row.time_us, row.series)
        if position == last:
            continue
        if seen == limit:
            return found[:index], last
        seen += 1
        last = position
    return found, None
