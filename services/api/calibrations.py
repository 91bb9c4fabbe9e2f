"""`/v1/calibrations`: what corrects a device's values, and from when until when."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from city.instants import to_text
from registry.records import CalibrationDraft, CalibrationRecord
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
    "CalibrationBody",
    "CalibrationDocument",
    "CalibrationPage",
    "CalibrationParameters",
    "create_calibration",
    "list_calibrations",
    "remove_calibration",
    "router",
]

router = APIRouter(prefix="/v1/calibrations", tags=["calibrations"], responses=PROBLEMS)

LIMIT = 100

Number = Annotated[int, Path(ge=1, le=NUMBER_MAX)]


class CalibrationBody(Document):
    """Corrected = factor x value + offset, in the unit of the series.

    Attributes:
        device: `provider/device`, or the id where one provider has it.
        valid_until: Excluded; null: until further notice.
    """

    device: str
    quantity: str
    valid_from: str
    valid_until: str | None = None
    factor: float = 1.0
    offset: float = 0.0
    note: str = ""


class CalibrationDocument(CalibrationBody):
    """A calibration as it is registered."""

    id: int
    created_at: str


class CalibrationPage(Document):
    """Calibrations, oldest first, and where to go on."""

    items: list[CalibrationDocument]
    next: str | None


class CalibrationParameters(Document):
    """Of which device; of all where none is named."""

    device: str | None = None
    limit: Limit = LIMIT
    cursor: Cursor = None


@router.get("", response_model=CalibrationPage)
async def list_calibrations(
    request: Request,
    running: Running,
    caller: Reader,
    asked: Annotated[CalibrationParameters, Query()],
) -> Response:
    """List calibrations, oldest first."""
    registry, name = running.parts.registry, None
    if asked.device is not None:
        device = await running.threads.run(registry.devices.find, caller.scope, asked.device)
        name = (device.provider, device.id)
    found = await running.threads.run(
        registry.calibrations.page,
        caller.scope,
        name,
        after=decode_cursor(asked.cursor, int) or 0,
        limit=asked.limit + 1,
    )
    shown = found[: asked.limit]
    following = encode_cursor(shown[-1].id) if len(found) > len(shown) else None
    items = [_document(each) for each in shown]
    return answer(request, CalibrationPage(items=items, next=following))


@router.post("", response_model=CalibrationDocument, status_code=HTTPStatus.CREATED)
async def create_calibration(
    request: Request, running: Running, caller: Changer, body: CalibrationBody
) -> Response:
    """Register a calibration; stored values stay as they were sent."""
    registry = running.parts.registry
    from_us = instant("valid_from", body.valid_from)
    assert from_us is not None, "it was given"
    until_us = instant("valid_until", body.valid_until)
    device = await running.threads.run(registry.devices.find, caller.scope, body.device)
    draft = CalibrationDraft(
        provider=device.provider,
        device=device.id,
        quantity=body.quantity,
        valid_from_us=from_us,
        valid_until_us=until_us,
        factor=body.factor,
        offset=body.offset,
        note=body.note,
    )
    record = await running.threads.run(registry.calibrations.create, caller.actor, draft)
    return answer(request, _document(record), HTTPStatus.CREATED)


@router.delete("/{calibration}", status_code=HTTPStatus.NO_CONTENT)
async def remove_calibration(running: Running, caller: Changer, calibration: Number) -> None:
    """Withdraw a calibration."""
    calibrations = running.parts.registry.calibrations
    await running.threads.run(calibrations.remove, caller.actor, caller.scope, calibration)


def _document(record: CalibrationRecord) -> CalibrationDocument:
    return CalibrationDocument(
        id=record.id,
        device=f"{record.provider}/{record.device}",
        quantity=record.quantity,
        valid_from=to_text(record.valid_from_us),
        valid_until=text_or_none(record.valid_until_us),
        factor=record.factor,
        offset=record.offset,
        note=record.note,
        created_at=to_text(record.created_us),
    )
