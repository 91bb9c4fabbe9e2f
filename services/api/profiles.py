"""`/v1/profiles`: what devices of one make have in common, said once."""

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import Field

from city.instants import to_text
from registry.records import ProfileDraft, ProfileRecord, QuantityLimits
from services.asking import Document, answer
from services.authority import Changer, Running
from services.problems import PROBLEMS

__all__ = [
    "LimitsBody",
    "ProfileBody",
    "ProfileChange",
    "ProfileDocument",
    "ProfileList",
    "change_profile",
    "create_profile",
    "list_profiles",
    "read_profile",
    "remove_profile",
    "router",
]

router = APIRouter(prefix="/v1/profiles", tags=["profiles"], responses=PROBLEMS)


class LimitsBody(Document):
    """What is known of a quantity; thresholds in `unit`, null where nobody said.

    Attributes:
        sensor_min, sensor_max: Beyond them a value fails.
        expected_min, expected_max: Beyond them a value is suspect.
        spike_suspect, spike_fail: Distance from the mean of both neighbours.
        rate_suspect, rate_fail: Change a second.
        flat_suspect_s, flat_fail_s: How long values may stay within `flat_tolerance`.
        detection_limit: Limit of detection.
    """

    unit: str | None = None
    sensor_min: float | None = None
    sensor_max: float | None = None
    expected_min: float | None = None
    expected_max: float | None = None
    spike_suspect: float | None = None
    spike_fail: float | None = None
    rate_suspect: float | None = None
    rate_fail: float | None = None
    flat_suspect_s: float | None = None
    flat_fail_s: float | None = None
    flat_tolerance: float | None = None
    detection_limit: float | None = None


class ProfileChange(Document):
    """Members that change; the others stay."""

    title: str = ""
    kind: str = ""
    expected_interval_s: float | None = None
    quantities: Annotated[dict[str, LimitsBody], Field(default_factory=dict)]


class ProfileBody(ProfileChange):
    """What devices of one make have in common; a device's own words win."""

    name: str


class ProfileDocument(ProfileBody):
    """A profile as it is registered."""

    created_at: str
    updated_at: str


class ProfileList(Document):
    """Every profile by name."""

    items: list[ProfileDocument]
    next: None = None


@router.get("", response_model=ProfileList)
async def list_profiles(request: Request, running: Running) -> Response:
    """List profiles by name."""
    found = await running.threads.run(running.parts.registry.profiles.all)
    return answer(request, ProfileList(items=[_document(each) for each in found]))


@router.post("", response_model=ProfileDocument, status_code=HTTPStatus.CREATED)
async def create_profile(
    request: Request, running: Running, caller: Changer, body: ProfileBody
) -> Response:
    """Register a profile."""
    draft = ProfileDraft(**_fields(body))
    profiles = running.parts.registry.profiles
    record = await running.threads.run(profiles.create, caller.actor, draft)
    return answer(request, _document(record), HTTPStatus.CREATED)


@router.get("/{name}", response_model=ProfileDocument)
async def read_profile(request: Request, running: Running, name: str) -> Response:
    """Return one profile."""
    found = await running.threads.run(running.parts.registry.profiles.get, name)
    return answer(request, _document(found))


@router.patch("/{name}", response_model=ProfileDocument)
async def change_profile(
    request: Request, running: Running, caller: Changer, name: str, body: ProfileChange
) -> Response:
    """Change members of a profile; its devices follow within a second."""
    profiles = running.parts.registry.profiles
    found = await running.threads.run(profiles.change, caller.actor, name, _fields(body))
    return answer(request, _document(found))


@router.delete("/{name}", status_code=HTTPStatus.NO_CONTENT)
async def remove_profile(running: Running, caller: Changer, name: str) -> None:
    """Remove a profile that no device has."""
    await running.threads.run(running.parts.registry.profiles.remove, caller.actor, name)


def _fields(body: ProfileChange) -> dict[str, Any]:
    fields = body.model_dump(exclude_unset=True)
    if "quantities" in fields:
        limits = body.quantities.items()
        fields["quantities"] = {name: QuantityLimits(**each.model_dump()) for name, each in limits}
    return fields


def _document(record: ProfileRecord) -> ProfileDocument:
    return ProfileDocument(
        name=record.name,
        title=record.title,
        kind=record.kind,
        expected_interval_s=record.expected_interval_s,
        quantities={
            name: LimitsBody(**msgspec.structs.asdict(each))
            for name, each in record.quantities.items()
        },
        created_at=to_text(record.created_us),
        updated_at=to_text(record.updated_us),
    )
