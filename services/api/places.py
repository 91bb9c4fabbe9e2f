"""`/v1/places`: points of the city, each with a district, that devices stand at."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from city.instants import to_text
from registry.records import PlaceDraft, PlaceRecord
from services.asking import Cursor, Document, Limit, answer, decode_cursor, encode_cursor
from services.authority import Changer, Running
from services.problems import PROBLEMS

__all__ = [
    "PlaceBody",
    "PlaceChange",
    "PlaceDocument",
    "PlacePage",
    "PlaceParameters",
    "change_place",
    "create_place",
    "list_places",
    "read_place",
    "router",
]

router = APIRouter(prefix="/v1/places", tags=["places"], responses=PROBLEMS)

LIMIT = 100


class PlaceChange(Document):
    """Members that change; the others stay. WGS 84 degrees.

    A district that is null is the one whose outline holds the position.
    """

    title: str = ""
    lat: float | None = None
    lon: float | None = None
    district: str | None = None
    timezone: str | None = None
    address: str = ""


class PlaceBody(PlaceChange):
    """A point of the city."""

    name: str


class PlaceDocument(PlaceBody):
    """A place as it is registered; `in_district` is the district that holds for it."""

    in_district: str | None
    created_at: str
    updated_at: str


class PlacePage(Document):
    """Places by name, and where to go on."""

    items: list[PlaceDocument]
    next: str | None


class PlaceParameters(Document):
    """Which page."""

    limit: Limit = LIMIT
    cursor: Cursor = None


@router.get("", response_model=PlacePage)
async def list_places(
    request: Request, running: Running, asked: Annotated[PlaceParameters, Query()]
) -> Response:
    """List places by name."""
    found = await running.threads.run(
        running.parts.registry.places.page,
        after=decode_cursor(asked.cursor, str),
        limit=asked.limit + 1,
    )
    shown = found[: asked.limit]
    following = encode_cursor(shown[-1].name) if len(found) > len(shown) else None
    return answer(request, PlacePage(items=[_document(each) for each in shown], next=following))


@router.post("", response_model=PlaceDocument, status_code=HTTPStatus.CREATED)
async def create_place(
    request: Request, running: Running, caller: Changer, body: PlaceBody
) -> Response:
    """Register a place."""
    draft = PlaceDraft(**body.model_dump())
    record = await running.threads.run(running.parts.registry.places.create, caller.actor, draft)
    return answer(request, _document(record), HTTPStatus.CREATED)


@router.get("/{name}", response_model=PlaceDocument)
async def read_place(request: Request, running: Running, name: str) -> Response:
    """Return one place."""
    return answer(
        request, _document(await running.threads.run(running.parts.registry.places.get, name))
    )


@router.patch("/{name}", response_model=PlaceDocument)
async def change_place(
    request: Request, running: Running, caller: Changer, name: str, body: PlaceChange
) -> Response:
    """Change members of a place; devices without a position of their own move with it."""
    found = await running.threads.run(
        running.parts.registry.places.change,
        caller.actor,
        name,
        body.model_dump(exclude_unset=True),
    )
    return answer(request, _document(found))


def _document(record: PlaceRecord) -> PlaceDocument:
    return PlaceDocument(
        name=record.name,
        title=record.title,
        lat=record.lat,
        lon=record.lon,
        district=record.district,
        timezone=record.timezone,
        address=record.address,
        in_district=record.in_district,
        created_at=to_text(record.created_us),
        updated_at=to_text(record.updated_us),
    )
