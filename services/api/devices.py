"""`/v1/devices`: who they are; registering or accepting one back-fills what it sent before."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from registry.records import DeviceQuery
from services.api.device_choice import Name, chosen_devices, requests_of, take_up_requests
from services.api.device_documents import (
    AcceptBody,
    AcceptedDocument,
    DeviceBody,
    DeviceChange,
    DeviceDocument,
    DevicePage,
    DeviceParameters,
    DevicesBody,
    ImportDocument,
    PlanBody,
    PlanDocument,
    PlannedDocument,
    device_document,
    device_draft,
)
from services.asking import answer, decode_cursor, encode_cursor
from services.authority import Caller, Changer, Reader, Running
from services.problems import PROBLEMS

__all__ = [
    "accept_devices",
    "change_device",
    "create_device",
    "list_devices",
    "merge_devices",
    "plan_devices",
    "put_devices",
    "read_device",
    "router",
]

router = APIRouter(prefix="/v1/devices", tags=["devices"], responses=PROBLEMS)


@router.get("", response_model=DevicePage)
async def list_devices(
    request: Request,
    running: Running,
    caller: Reader,
    asked: Annotated[DeviceParameters, Query()],
) -> Response:
    """List devices by provider and id."""
    query = DeviceQuery(
        provider=asked.provider,
        kind=asked.kind,
        status=asked.status,
        district=asked.district,
        text=asked.text,
        after=decode_cursor(asked.cursor, tuple[str, str]),
        limit=asked.limit + 1,
    )
    found = await running.threads.run(running.parts.registry.devices.page, caller.scope, query)
    shown = found[: asked.limit]
    last = (shown[-1].provider, shown[-1].id) if len(found) > len(shown) else None
    items = [device_document(each) for each in shown]
    return answer(request, DevicePage(items=items, next=last and encode_cursor(last)))


@router.post("", response_model=DeviceDocument, status_code=HTTPStatus.CREATED)
async def create_device(
    request: Request, running: Running, caller: Changer, body: DeviceBody
) -> Response:
    """Register a device."""
    devices = running.parts.registry.devices
    record = await running.threads.run(devices.create, caller.actor, device_draft(body))
    if record.status == "active":
        await _back_fill(running, caller, {(record.provider, record.id)})
    return answer(request, device_document(record), HTTPStatus.CREATED)


@router.put("", response_model=ImportDocument)
async def put_devices(
    request: Request, running: Running, caller: Changer, body: DevicesBody
) -> Response:
    """Register or replace many devices, all or none."""
    drafts = [device_draft(each) for each in body.items]
    devices = running.parts.registry.devices
    result = await running.threads.run(devices.put, caller.actor, drafts)
    active = {(each.provider, each.id) for each in drafts if each.status == "active"}
    if result.created or result.changed:
        await _back_fill(running, caller, active)
    document = ImportDocument.model_validate(result, from_attributes=True)
    return answer(request, document)


@router.post("/plan", response_model=PlanDocument)
async def plan_devices(
    request: Request, running: Running, caller: Changer, body: PlanBody
) -> Response:
    """Return what `PATCH /v1/devices` would make of many devices; nothing is changed."""
    assert caller.actor, "whoever may change devices may know which there are"
    devices = running.parts.registry.devices
    found = await running.threads.run(devices.plan, body.items)
    items = [PlannedDocument.model_validate(each, from_attributes=True) for each in found]
    return answer(request, PlanDocument(items=items))


@router.patch("", response_model=ImportDocument)
async def merge_devices(
    request: Request, running: Running, caller: Changer, body: PlanBody
) -> Response:
    """Register devices, and change the members that are given of known ones, all or none."""
    devices = running.parts.registry.devices
    result, drafts = await running.threads.run(devices.merge, caller.actor, body.items)
    if result.created or result.changed:
        active = {(each.provider, each.id) for each in drafts if each.status == "active"}
        await _back_fill(running, caller, active)
    return answer(request, ImportDocument.model_validate(result, from_attributes=True))


@router.post("/accept", response_model=AcceptedDocument)
async def accept_devices(
    request: Request, running: Running, caller: Changer, body: AcceptBody
) -> Response:
    """Make devices active that are pending or unknown; what they sent is taken up again."""
    kinds = await running.threads.run(chosen_devices, running.parts, caller.scope, body)
    devices = running.parts.registry.devices
    accepted = await running.threads.run(devices.accept, caller.actor, kinds)
    # Also when all were active already: a replay that did not get through can be asked for again.
    wanted = await running.threads.run(take_up_requests, running.parts, caller.scope, set(kinds))
    for requests in wanted:
        await running.replayer.replay(caller.actor, requests)
    return answer(request, AcceptedDocument(accepted=accepted, chosen=len(kinds)))


@router.get("/{device:path}", response_model=DeviceDocument)
async def read_device(request: Request, running: Running, caller: Reader, device: str) -> Response:
    """Return one device, by `provider/device` or by the id where one provider has it."""
    found = await running.threads.run(running.parts.registry.devices.find, caller.scope, device)
    return answer(request, device_document(found))


@router.patch("/{device:path}", response_model=DeviceDocument)
async def change_device(
    request: Request, running: Running, caller: Changer, device: str, body: DeviceChange
) -> Response:
    """Change members of a device."""
    devices = running.parts.registry.devices
    found = await running.threads.run(devices.find, caller.scope, device)
    record = await running.threads.run(
        devices.change,
        caller.actor,
        caller.scope,
        (found.provider, found.id),
        body.model_dump(exclude_unset=True),
    )
    if record.status == "active" and found.status != "active":
        await _back_fill(running, caller, {(record.provider, record.id)})
    return answer(request, device_document(record))


async def _back_fill(running: Running, caller: Caller, names: set[Name]) -> None:
    """Have the parked messages of devices taken up again, as soon as the log answers."""
    for requests in requests_of(names):
        await running.replayer.replay_soon(caller.actor, requests)
