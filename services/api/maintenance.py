"""`/v1/maintenance`: when devices are being worked on; what is missing then is not missed."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from city.instants import to_text
from city.pauses import END_US
from registry.database import Change
from registry.records import MaintenanceDraft, MaintenanceRecord
from services.asking import (
    NUMBER_MAX,
    Cursor,
    Document,
    Limit,
    answer,
    decode_cursor,
    encode_cursor,
    instant,
    text_or_none,
)
from services.authority import Changer, Reader, Running
from services.problems import PROBLEMS

__all__ = [
    "MaintenanceBody",
    "MaintenanceDocument",
    "MaintenancePage",
    "MaintenanceParameters",
    "create_maintenance",
    "list_maintenance",
    "remove_maintenance",
    "router",
]

router = APIRouter(prefix="/v1/maintenance", tags=["devices"], responses=PROBLEMS)

LIMIT = 100

Number = Annotated[int, Path(ge=1, le=NUMBER_MAX)]


class MaintenanceBody(Document):
    """A device is being worked on.

    Attributes:
        device: `provider/device`, or the id where one provider has it.
        until: Excluded; null: until further notice.
    """

    device: str
    since: str
    until: str | None = None
    note: str = ""


class MaintenanceDocument(MaintenanceBody):
    """A maintenance as it is registered."""

    id: int
    created_at: str


class MaintenancePage(Document):
    """Maintenance, oldest first, and where to go on."""

    items: list[MaintenanceDocument]
    next: str | None


class MaintenanceParameters(Document):
    """Of which device; of all where none is named."""

    device: str | None = None
    limit: Limit = LIMIT
    cursor: Cursor = None


@router.get("", response_model=MaintenancePage)
async def list_maintenance(
    request: Request,
    running: Running,
    caller: Reader,
    asked: Annotated[MaintenanceParameters, Query()],
) -> Response:
    """List maintenance, oldest first."""
    registry, name = running.parts.registry, None
    if asked.device is not None:
        device = await running.threads.run(registry.devices.find, caller.scope, asked.device)
        name = (device.provider, device.id)
    found = await running.threads.run(
        registry.maintenance.page,
        caller.scope,
        name,
        after=decode_cursor(asked.cursor, int) or 0,
        limit=asked.limit + 1,
    )
    shown = found[: asked.limit]
    following = encode_cursor(shown[-1].id) if len(found) > len(shown) else None
    items = [_document(each) for each in shown]
    return answer(request, MaintenancePage(items=items, next=following))


@router.post("", response_model=MaintenanceDocument, status_code=HTTPStatus.CREATED)
async def create_maintenance(
    request: Request, running: Running, caller: Changer, body: MaintenanceBody
) -> Response:
    """Say that a device is being worked on; what is published of that time is computed again."""
    registry = running.parts.registry
    from_us = instant("since", body.since)
    assert from_us is not None, "it was given"
    until_us = instant("until", body.until)
    device = await running.threads.run(registry.devices.find, caller.scope, body.device)
    draft = MaintenanceDraft(device.provider, device.id, from_us, until_us, body.note)
    also = await _restating(running, draft)
    record = await running.threads.run(registry.maintenance.create, caller.actor, draft, also)
    return answer(request, _document(record), HTTPStatus.CREATED)


@router.delete("/{maintenance}", status_code=HTTPStatus.NO_CONTENT)
async def remove_maintenance(running: Running, caller: Changer, maintenance: Number) -> None:
    """Take a maintenance back: what was missing then is missed again."""
    book = running.parts.registry.maintenance
    found = await running.threads.run(book.get, caller.scope, maintenance)
    also = await _restating(running, found)
    await running.threads.run(book.remove, caller.actor, caller.scope, maintenance, also)


async def _restating(
    running: Running, named: MaintenanceDraft | MaintenanceRecord
) -> Callable[[Change], None]:
    until_us = END_US if named.until_us is None else named.until_us
    device = (named.provider, named.device)
    changing = running.indicators.device_changing
    return await running.threads.run(changing, device, named.from_us, until_us)


def _document(record: MaintenanceRecord) -> MaintenanceDocument:
    return MaintenanceDocument(
        id=record.id,
        device=f"{record.provider}/{record.device}",
        since=to_text(record.from_us),
        until=text_or_none(record.until_us),
        note=record.note,
        created_at=to_text(record.created_us),
    )
