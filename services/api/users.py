"""`/v1/users`: MQTT users; a secret is shown when it is made, and never again."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from city.instants import to_text
from registry.records import UserRecord
from services.asking import Cursor, Document, Limit, answer, decode_cursor, encode_cursor
from services.authority import Admin, Running
from services.problems import PROBLEMS

__all__ = [
    "SecretDocument",
    "UserBody",
    "UserChange",
    "UserDocument",
    "UserPage",
    "UserParameters",
    "change_user",
    "create_user",
    "list_users",
    "read_user",
    "remove_user",
    "renew_user",
    "router",
]

router = APIRouter(prefix="/v1/users", tags=["users"], responses=PROBLEMS)

LIMIT = 100


class UserBody(Document):
    """A user: a provider, or one device of it."""

    name: str
    provider: str
    device: str | None = None


class UserChange(Document):
    """Lock a user out, or let it in again."""

    disabled: bool


class UserDocument(UserBody):
    """A user as it is registered; the secret is nowhere."""

    disabled: bool
    created_at: str
    updated_at: str


class SecretDocument(UserDocument):
    """A user and its secret, which nobody can ask for again."""

    secret: str


class UserPage(Document):
    """Users by name, and where to go on."""

    items: list[UserDocument]
    next: str | None


class UserParameters(Document):
    """Which page."""

    limit: Limit = LIMIT
    cursor: Cursor = None


@router.get("", response_model=UserPage)
async def list_users(
    request: Request, running: Running, caller: Admin, asked: Annotated[UserParameters, Query()]
) -> Response:
    """List users by name."""
    found = await running.threads.run(
        running.parts.registry.users.page,
        caller.scope,
        after=decode_cursor(asked.cursor, str),
        limit=asked.limit + 1,
    )
    shown = found[: asked.limit]
    following = encode_cursor(shown[-1].name) if len(found) > len(shown) else None
    return answer(request, UserPage(items=[_document(each) for each in shown], next=following))


@router.post("", response_model=SecretDocument, status_code=HTTPStatus.CREATED)
async def create_user(
    request: Request, running: Running, caller: Admin, body: UserBody
) -> Response:
    """Make a user; gateways know it within a second."""
    record, secret = await running.threads.run(
        running.parts.registry.users.create,
        caller.actor,
        body.name,
        provider=body.provider,
        device=body.device,
    )
    running.access.look()
    return answer(request, _with_secret(record, secret), HTTPStatus.CREATED)


@router.post("/{name:path}/secret", response_model=SecretDocument)
async def renew_user(request: Request, running: Running, caller: Admin, name: str) -> Response:
    """Give a user another secret; the old one opens nothing within a second."""
    users = running.parts.registry.users
    record, secret = await running.threads.run(users.renew, caller.actor, caller.scope, name)
    running.access.look()
    return answer(request, _with_secret(record, secret))


@router.get("/{name:path}", response_model=UserDocument)
async def read_user(request: Request, running: Running, caller: Admin, name: str) -> Response:
    """Return one user."""
    found = await running.threads.run(running.parts.registry.users.get, caller.scope, name)
    return answer(request, _document(found))


@router.patch("/{name:path}", response_model=UserDocument)
async def change_user(
    request: Request, running: Running, caller: Admin, name: str, body: UserChange
) -> Response:
    """Lock a user out, or let it in again."""
    found = await running.threads.run(
        running.parts.registry.users.disable,
        caller.actor,
        caller.scope,
        name,
        disabled=body.disabled,
    )
    running.access.look()
    return answer(request, _document(found))


@router.delete("/{name:path}", status_code=HTTPStatus.NO_CONTENT)
async def remove_user(running: Running, caller: Admin, name: str) -> None:
    """Remove a user."""
    users = running.parts.registry.users
    await running.threads.run(users.remove, caller.actor, caller.scope, name)
    running.access.look()


def _document(record: UserRecord) -> UserDocument:
    return UserDocument(
        name=record.name,
        provider=record.provider,
        device=record.device,
        disabled=record.disabled,
        created_at=to_text(record.created_us),
        updated_at=to_text(record.updated_us),
    )


def _with_secret(record: UserRecord, secret: str) -> SecretDocument:
    return SecretDocument(**_document(record).model_dump(), secret=secret)
