"""`/v1/keys`: keys of the API beside the admin key; shown when made, and never again."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from city.instants import to_text
from registry.records import KeyRecord
from services.asking import Document, answer
from services.authority import Admin, Running
from services.problems import PROBLEMS

__all__ = [
    "KeyBody",
    "KeyDocument",
    "KeyPage",
    "NewKeyDocument",
    "create_key",
    "list_keys",
    "remove_key",
    "router",
]

router = APIRouter(prefix="/v1/keys", tags=["keys"], responses=PROBLEMS)


class KeyBody(Document):
    """What a key is called, and where it may send if it may do nothing else.

    Attributes:
        provider: Only to routes of this provider.
        route: Only to this route; such a key may sign instead of being sent.
    """

    name: str
    provider: str | None = None
    route: str | None = None


class KeyDocument(KeyBody):
    """A key; what opens is nowhere."""

    id: str
    created_at: str


class NewKeyDocument(KeyDocument):
    """A key that was made just now, with what opens."""

    key: str


class KeyPage(Document):
    """Every key, oldest first."""

    items: list[KeyDocument]
    next: None = None


@router.get("", response_model=KeyPage)
async def list_keys(request: Request, running: Running, caller: Admin) -> Response:
    """List keys."""
    assert caller.admin, "keys are everybody's: only the admin key sees them"
    found = await running.threads.run(running.parts.registry.keys.all)
    return answer(request, KeyPage(items=[_document(each) for each in found]))


@router.post("", response_model=NewKeyDocument, status_code=HTTPStatus.CREATED)
async def create_key(request: Request, running: Running, caller: Admin, body: KeyBody) -> Response:
    """Make a key."""
    limits = body.provider is not None or body.route is not None
    record, secret = await running.threads.run(
        running.parts.registry.keys.create,
        caller.actor,
        body.name,
        provider=body.provider,
        route=body.route,
        derived=running.senders.secret_of if limits else None,
    )
    document = NewKeyDocument(**_document(record).model_dump(), key=secret)
    return answer(request, document, HTTPStatus.CREATED)


@router.delete("/{key}", status_code=HTTPStatus.NO_CONTENT)
async def remove_key(running: Running, caller: Admin, key: str) -> None:
    """Revoke a key, by its id."""
    await running.threads.run(running.parts.registry.keys.remove, caller.actor, key)


def _document(record: KeyRecord) -> KeyDocument:
    return KeyDocument(
        id=record.id,
        name=record.name,
        provider=record.provider,
        route=record.route,
        created_at=to_text(record.created_us),
    )
