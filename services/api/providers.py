"""`/v1/providers`: departments and suppliers that run devices."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from city.instants import to_text
from registry.errors import AlreadyThereError
from registry.records import ProviderDraft, ProviderRecord
from services.asking import Cursor, Document, Limit, answer, decode_cursor, encode_cursor
from services.authority import Changer, Reader, Running
from services.problems import PROBLEMS

__all__ = [
    "NewProviderDocument",
    "ProviderBody",
    "ProviderChange",
    "ProviderDocument",
    "ProviderPage",
    "ProviderParameters",
    "change_provider",
    "create_provider",
    "list_providers",
    "read_provider",
    "router",
]

router = APIRouter(prefix="/v1/providers", tags=["providers"], responses=PROBLEMS)

LIMIT = 100


class ProviderBody(Document):
    """A department or supplier; `contact` is words for people."""

    name: str
    title: str = ""
    contact: str = ""


class ProviderChange(Document):
    """Members that change; the others stay."""

    title: str = ""
    contact: str = ""


class ProviderDocument(ProviderBody):
    """A provider as it is registered."""

    created_at: str
    updated_at: str


class NewProviderDocument(ProviderDocument):
    """A provider and the secret of its MQTT user, which nobody can ask for again.

    `secret` is null where there is a user of that name already.
    """

    user: str
    secret: str | None


class ProviderPage(Document):
    """Providers by name, and where to go on."""

    items: list[ProviderDocument]
    next: str | None


class ProviderParameters(Document):
    """Which page."""

    limit: Limit = LIMIT
    cursor: Cursor = None


@router.get("", response_model=ProviderPage)
async def list_providers(
    request: Request,
    running: Running,
    caller: Reader,
    asked: Annotated[ProviderParameters, Query()],
) -> Response:
    """List providers by name."""
    found = await running.threads.run(
        running.parts.registry.providers.page,
        caller.scope,
        after=decode_cursor(asked.cursor, str),
        limit=asked.limit + 1,
    )
    shown = found[: asked.limit]
    following = encode_cursor(shown[-1].name) if len(found) > len(shown) else None
    page = ProviderPage(items=[_document(each) for each in shown], next=following)
    return answer(request, page)


@router.post("", response_model=NewProviderDocument, status_code=HTTPStatus.CREATED)
async def create_provider(
    request: Request, running: Running, caller: Changer, body: ProviderBody
) -> Response:
    """Register a provider and an MQTT user of its name; the secret is shown this once."""
    registry = running.parts.registry
    draft = ProviderDraft(**body.model_dump())
    record = await running.threads.run(registry.providers.create, caller.actor, draft)
    try:
        _, secret = await running.threads.run(
            registry.users.create, caller.actor, record.name, provider=record.name
        )
    except AlreadyThereError:
        secret = None
    running.access.look()
    document = NewProviderDocument(
        **_document(record).model_dump(), user=record.name, secret=secret
    )
    return answer(request, document, HTTPStatus.CREATED)


@router.get("/{name}", response_model=ProviderDocument)
async def read_provider(request: Request, running: Running, caller: Reader, name: str) -> Response:
    """Return one provider."""
    found = await running.threads.run(running.parts.registry.providers.get, caller.scope, name)
    return answer(request, _document(found))


@router.patch("/{name}", response_model=ProviderDocument)
async def change_provider(
    request: Request, running: Running, caller: Changer, name: str, body: ProviderChange
) -> Response:
    """Change members of a provider."""
    found = await running.threads.run(
        running.parts.registry.providers.change,
        caller.actor,
        caller.scope,
        name,
        body.model_dump(exclude_unset=True),
    )
    return answer(request, _document(found))


def _document(record: ProviderRecord) -> ProviderDocument:
    return ProviderDocument(
        name=record.name,
        title=record.title,
        contact=record.contact,
        created_at=to_text(record.created_us),
        updated_at=to_text(record.updated_us),
    )
