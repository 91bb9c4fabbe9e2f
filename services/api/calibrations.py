"""`/v1/calibrations`: what corrects a device's values, and from when until when."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from city.instants import to_text
from registry.calibrations import correction_of
from registry.database import Change
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
from services.authority import Caller, Changer, Reader, Running
from services.preview import CalibrationChange
from services.problems import PROBLEMS
from services.running import Services

__all__ = [
    "CalibrationBody",
    "CalibrationDocument",
    "CalibrationPage",
    "CalibrationParameters",
    "PreviewDocument",
    "PreviewedDocument",
    "create_calibration",
    "list_calibrations",
    "preview_calibration",
    "preview_removal",
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


class PreviewedDocument(Document):
    """A published figure that would get a new revision, with the value that it would have."""

    indicator: str
    area: str
    grain: str
    start: str
    end: str
    value: float | None
    new_value: float | None


class PreviewDocument(Document):
    """What would change; figures of months and years that are made of these follow.

    Attributes:
        touched: Figures that are made of the observations of that time.
        computed: How many of them were computed for the preview, the newest.
    """

    touched: int
    computed: int
    changed: list[PreviewedDocument]


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
    """Register a calibration; what is published of its time is computed again.

    Stored values stay as they were sent.
    """
    draft = await _draft(running, caller, body)
    calibrations = running.parts.registry.calibrations
    also = await _restating(running, draft)
    record = await running.threads.run(calibrations.create, caller.actor, draft, also)
    return answer(request, _document(record), HTTPStatus.CREATED)


@router.post("/preview", response_model=PreviewDocument)
async def preview_calibration(
    request: Request, running: Running, caller: Changer, body: CalibrationBody
) -> Response:
    """Say what a calibration would change of what is published; nothing is changed."""
    draft = await _draft(running, caller, body)
    await running.threads.run(running.parts.registry.calibrations.check, draft)
    return await _previewed(request, running, draft, "come")


@router.get("/{calibration}/removal", response_model=PreviewDocument)
async def preview_removal(
    request: Request, running: Running, caller: Changer, calibration: Number
) -> Response:
    """Say what withdrawing a calibration would change; nothing is changed."""
    calibrations = running.parts.registry.calibrations
    found = await running.threads.run(calibrations.get, caller.scope, calibration)
    return await _previewed(request, running, found, "go")


@router.delete("/{calibration}", status_code=HTTPStatus.NO_CONTENT)
async def remove_calibration(running: Running, caller: Changer, calibration: Number) -> None:
    """Withdraw a calibration; what is published of its time is computed again."""
    calibrations = running.parts.registry.calibrations
    found = await running.threads.run(calibrations.get, caller.scope, calibration)
    also = await _restating(running, found)
    await running.threads.run(calibrations.remove, caller.actor, caller.scope, calibration, also)


async def _draft(running: Services, caller: Caller, body: CalibrationBody) -> CalibrationDraft:
    registry = running.parts.registry
    from_us = instant("valid_from", body.valid_from)
    assert from_us is not None, "it was given"
    until_us = instant("valid_until", body.valid_until)
    device = await running.threads.run(registry.devices.find, caller.scope, body.device)
    return CalibrationDraft(
        provider=device.provider,
        device=device.id,
        quantity=body.quantity,
        valid_from_us=from_us,
        valid_until_us=until_us,
        factor=body.factor,
        offset=body.offset,
        note=body.note,
    )


async def _restating(
    running: Services, named: CalibrationDraft | CalibrationRecord
) -> Callable[[Change], None]:
    correction = correction_of(named)
    return await running.threads.run(
        running.indicators.device_changing,
        (named.provider, named.device),
        correction.from_us,
        correction.until_us,
        correction.quantity,
    )


async def _previewed(
    request: Request,
    running: Services,
    named: CalibrationDraft | CalibrationRecord,
    does: Literal["come", "go"],
) -> Response:
    change = CalibrationChange((named.provider, named.device), correction_of(named), does)
    found = await running.threads.run(running.indicators.previewed, change)
    changed = [
        PreviewedDocument(
            indicator=each.before.indicator,
            area=each.before.area,
            grain=each.grain,
            start=to_text(each.before.start_us),
            end=to_text(each.before.end_us),
            value=each.before.value,
            new_value=each.after.value,
        )
        for each in found.changed
    ]
    document = PreviewDocument(touched=found.touched, computed=found.computed, changed=changed)
    return answer(request, document)


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
