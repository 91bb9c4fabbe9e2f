"""`/v1/routes`: which topics are read by which codec, for which provider."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import Field

from city.instants import to_text
from registry.records import RouteDraft, RouteRecord
from services.asking import Document, answer
from services.authority import Changer, Running
from services.problems import PROBLEMS

__all__ = [
    "RouteBody",
    "RouteChange",
    "RouteDocument",
    "RoutePage",
    "RouteRules",
    "change_route",
    "create_route",
    "list_routes",
    "read_route",
    "remove_route",
    "router",
]

router = APIRouter(prefix="/v1/routes", tags=["routes"], responses=PROBLEMS)


class RouteRules(Document):
    """What a route may say beside its pattern and codec.

    Attributes:
        provider: Whose devices send there; null: the codec takes it from the topic.
        recorded: Times are believed however old they are: recorded data.
        timezone: IANA zone of times without an offset; null: the city's.
        options: For the codec.
        levels: Topic levels that decide the shard, the first is 1.
    """

    provider: str | None = None
    recorded: bool = False
    timezone: str | None = None
    enabled: bool = True
    options: dict[str, Any] = Field(default_factory=dict)
    levels: tuple[int, ...] = ()


class RouteBody(RouteRules):
    """A route; `pattern` is an MQTT topic filter."""

    name: str
    pattern: str
    codec: str


class RouteChange(RouteRules):
    """Members that change; the others stay."""

    pattern: str = ""
    codec: str = ""


class RouteDocument(RouteBody):
    """A route as it is registered."""

    created_at: str
    updated_at: str


class RoutePage(Document):
    """Every route by name; a city has tens, so there is one page."""

    items: list[RouteDocument]
    next: None = None


@router.get("", response_model=RoutePage)
async def list_routes(request: Request, running: Running) -> Response:
    """List routes by name."""
    found = await running.threads.run(running.parts.registry.routes.all)
    return answer(request, RoutePage(items=[_document(each) for each in found]))


@router.post("", response_model=RouteDocument, status_code=HTTPStatus.CREATED)
async def create_route(
    request: Request, running: Running, caller: Changer, body: RouteBody
) -> Response:
    """Register a route; ingest follows it within a second."""
    draft = RouteDraft(**body.model_dump())
    record = await running.threads.run(running.parts.registry.routes.create, caller.actor, draft)
    running.access.look()
    return answer(request, _document(record), HTTPStatus.CREATED)


@router.get("/{name}", response_model=RouteDocument)
async def read_route(request: Request, running: Running, name: str) -> Response:
    """Return one route."""
    found = await running.threads.run(running.parts.registry.routes.get, name)
    return answer(request, _document(found))


@router.patch("/{name}", response_model=RouteDocument)
async def change_route(
    request: Request, running: Running, caller: Changer, name: str, body: RouteChange
) -> Response:
    """Change members of a route; what it parked can be replayed then."""
    found = await running.threads.run(
        running.parts.registry.routes.change,
        caller.actor,
        name,
        body.model_dump(exclude_unset=True),
    )
    running.access.look()
    return answer(request, _document(found))


@router.delete("/{name}", status_code=HTTPStatus.NO_CONTENT)
async def remove_route(running: Running, caller: Changer, name: str) -> None:
    """Remove a route: messages of its pattern are parked from now on."""
    await running.threads.run(running.parts.registry.routes.remove, caller.actor, name)
    running.access.look()


def _document(record: RouteRecord) -> RouteDocument:
    return RouteDocument(
        name=record.name,
        pattern=record.pattern,
        codec=record.codec,
        provider=record.provider,
        recorded=record.recorded,
        timezone=record.timezone,
        enabled=record.enabled,
        options=record.options,
        levels=record.levels,
        created_at=to_text(record.created_us),
        updated_at=to_text(record.updated_us),
    )
