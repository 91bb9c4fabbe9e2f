"""`/v1/districts`: outlines of the city's parts; a position inside one is in that district."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field

from city.instants import to_text
from registry.records import DistrictDraft, DistrictRecord
from services.api.device_documents import ImportDocument
from services.asking import Document, answer
from services.authority import Changer, Running
from services.problems import PROBLEMS

__all__ = [
    "DistrictBody",
    "DistrictDocument",
    "DistrictList",
    "DistrictsBody",
    "list_districts",
    "put_districts",
    "read_district",
    "remove_district",
    "router",
]

router = APIRouter(prefix="/v1/districts", tags=["districts"], responses=PROBLEMS)

MANY = 10_000

Geometry = Annotated[
    dict[str, Any], Field(description="GeoJSON Polygon or MultiPolygon, longitude first")
]


class DistrictBody(Document):
    """A part of the city and its outline."""

    name: str
    geometry: Geometry
    title: str = ""
    population: int | None = None


class DistrictDocument(DistrictBody):
    """A district as it is registered."""

    created_at: str
    updated_at: str


class DistrictList(Document):
    """Every district by name, with its outline."""

    items: list[DistrictDocument]
    next: None = None


class DistrictsBody(Document):
    """Districts to register or replace; those that are not named stay."""

    items: Annotated[list[DistrictBody], Field(max_length=MANY)]


@router.get("", response_model=DistrictList)
async def list_districts(request: Request, running: Running) -> Response:
    """List districts by name."""
    found = await running.threads.run(running.parts.registry.districts.all)
    return answer(request, DistrictList(items=[_document(each) for each in found]))


@router.put("", response_model=ImportDocument)
async def put_districts(
    request: Request, running: Running, caller: Changer, body: DistrictsBody
) -> Response:
    """Register or replace districts, all or none; devices and places are looked up again."""
    drafts = [DistrictDraft(**each.model_dump()) for each in body.items]
    result = await running.threads.run(running.parts.registry.districts.put, caller.actor, drafts)
    return answer(request, ImportDocument.model_validate(result, from_attributes=True))


@router.get("/{name}", response_model=DistrictDocument)
async def read_district(request: Request, running: Running, name: str) -> Response:
    """Return one district."""
    found = await running.threads.run(running.parts.registry.districts.get, name)
    return answer(request, _document(found))


@router.delete("/{name}", status_code=HTTPStatus.NO_CONTENT)
async def remove_district(running: Running, caller: Changer, name: str) -> None:
    """Remove a district; what stood in it by its position stands in none."""
    await running.threads.run(running.parts.registry.districts.remove, caller.actor, name)


def _document(record: DistrictRecord) -> DistrictDocument:
    return DistrictDocument(
        name=record.name,
        geometry=record.geometry,
        title=record.title,
        population=record.population,
        created_at=to_text(record.created_us),
        updated_at=to_text(record.updated_us),
    )
