"""`/v1/device-hardware`: devices that are replaced in their place, and what stood there before."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from city.instants import to_text
from registry.errors import NotThereError
from registry.records import HardwareDraft, HardwareRecord
from services.api.device_choice import requests_of
from services.asking import Document, answer, instant, text_or_none
from services.authority import Caller, Changer, Reader, Running
from services.problems import PROBLEMS, ProblemError

__all__ = [
    "HardwareBody",
    "HardwareDocument",
    "HardwareList",
    "HardwareParameters",
    "list_hardware",
    "replace_hardware",
    "router",
]

router = APIRouter(prefix="/v1/device-hardware", tags=["devices"], responses=PROBLEMS)


class HardwareBody(Document):
    """New hardware in a device's place.

    Attributes:
        device: `provider/device`, the id where one provider has it, or `provider/hardware` of what
            stands there now.
        hardware: The id that the new one sends, of the same provider.
        at: From which time of observations on.
    """

    device: str
    hardware: str
    at: str
    note: str = ""


class HardwareDocument(Document):
    """What stood in a device's place; null: since ever, or until further notice."""

    device: str
    hardware: str
    since: str | None
    until: str | None
    note: str
    recorded_at: str


class HardwareList(Document):
    """All that stood there, oldest first; empty for a device that was never replaced."""

    items: list[HardwareDocument]


class HardwareParameters(Document):
    """Of which device."""

    device: str


@router.get("", response_model=HardwareList)
async def list_hardware(
    request: Request,
    running: Running,
    caller: Reader,
    asked: Annotated[HardwareParameters, Query()],
) -> Response:
    """List what stood in a device's place, oldest first."""
    provider, device = await running.threads.run(_device, running, caller, asked.device)
    hardware = running.parts.registry.hardware
    found = await running.threads.run(hardware.of, caller.scope, provider, device)
    return answer(request, _list(found))


@router.post("", response_model=HardwareList, status_code=HTTPStatus.CREATED)
async def replace_hardware(
    request: Request, running: Running, caller: Changer, body: HardwareBody
) -> Response:
    """Put new hardware in a device's place; what it has sent is taken up into the same series."""
    at_us = instant("at", body.at)
    assert at_us is not None, "it was given"
    provider, device = await running.threads.run(_device, running, caller, body.device)
    named, separator, own = body.hardware.rpartition("/")
    if separator and named != provider:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid",
            f"{body.hardware!r} is not of {provider}",
            mend="hardware and device have the same provider",
            field="hardware",
        )
    draft = HardwareDraft(provider, device, own, at_us, body.note)
    hardware = running.parts.registry.hardware
    found = await running.threads.run(hardware.replace, caller.actor, draft)
    for requests in requests_of({(provider, device), (provider, own)}):
        await running.replayer.replay_soon(caller.actor, requests)
    return answer(request, _list(found), HTTPStatus.CREATED)


def _device(running: Running, caller: Caller, name: str) -> tuple[str, str]:
    """Return provider and id of a device, named by itself or by what stands in its place."""
    registry = running.parts.registry
    try:
        found = registry.devices.find(caller.scope, name)
    except NotThereError:
        provider, _, hardware = name.partition("/")
        return provider, registry.hardware.device_of(caller.scope, provider, hardware)
    return found.provider, found.id


def _list(found: list[HardwareRecord]) -> HardwareList:
    return HardwareList(
        items=[
            HardwareDocument(
                device=f"{each.provider}/{each.device}",
                hardware=f"{each.provider}/{each.hardware}",
                since=text_or_none(each.from_us),
                until=text_or_none(each.until_us),
                note=each.note,
                recorded_at=to_text(each.created_us),
            )
            for each in found
        ]
    )
