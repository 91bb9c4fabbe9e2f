"""Who asks: nobody in particular for reading; the admin key or a key of the API for changes."""

import hmac
from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from city.scope import EVERYTHING, Scope
from services.problems import ProblemError
from services.running import Services

__all__ = ["WITHOUT_KEY", "Admin", "Caller", "Changer", "Reader", "Running", "Viewer"]

# A key of ours has 43 characters.
KEY_MAX = 200
MEND = "send `Authorization: Bearer KEY` with the admin key of the data folder, or a key of the API"

_bearer = HTTPBearer(auto_error=False, description="admin key, or a key of the API")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


class Caller(msgspec.Struct, frozen=True):
    """Who asks.

    Attributes:
        actor: For the audit log.
        scope: Whose data the caller may see and change.
        admin: May make keys and users.
        exact: Gets figures of persons and households as they were computed.
    """

    actor: str
    scope: Scope = EVERYTHING
    admin: bool = False
    exact: bool = False

    def is_public(self, asked: bool) -> bool:  # noqa: FBT001 - it is what the request says
        """Say whether the caller gets what the public gets, or asked for that."""
        return asked or not self.exact


def _running(request: Request) -> Services:
    services = request.app.state.services
    assert isinstance(services, Services), "create_app puts it there"
    return services


Running = Annotated[Services, Depends(_running)]


def _reader() -> Caller:
    return Caller("anybody")


async def _changer(running: Running, bearer: Bearer) -> Caller:
    """Return who changes something.

    Raises:
        ProblemError: 401, if the key opens nothing; 403, if it may only send.
    """
    if bearer is None:
        status = HTTPStatus.UNAUTHORIZED
        raise ProblemError(status, "key_missing", "this call needs a key", mend=MEND)
    key = bearer.credentials[:KEY_MAX]
    if hmac.compare_digest(key.encode(), running.parts.admin_key.encode()):
        return Caller("admin", admin=True, exact=True)
    record = await running.threads.run(running.parts.registry.keys.find, key)
    if record is None:
        status = HTTPStatus.UNAUTHORIZED
        raise ProblemError(status, "key_unknown", "this key opens nothing", mend=MEND)
    if record.sends_only:
        detail = "this key may send messages and do nothing else"
        mend = "use the admin key, or a key that was made without provider and route"
        raise ProblemError(HTTPStatus.FORBIDDEN, "key_sends_only", detail, mend=mend)
    return Caller(f"key:{record.id}", exact=True)


Reader = Annotated[Caller, Depends(_reader)]
Changer = Annotated[Caller, Depends(_changer)]


async def _viewer(running: Running, bearer: Bearer) -> Caller:
    """Return who reads figures: the public has no key, and one that only sends opens nothing.

    Raises:
        ProblemError: 401, if the key opens nothing.
    """
    if bearer is None:
        return _reader()
    try:
        return await _changer(running, bearer)
    except ProblemError as problem:
        if problem.status != HTTPStatus.FORBIDDEN:
            raise
        return _reader()


Viewer = Annotated[Caller, Depends(_viewer)]
# For the description of calls that a viewer makes: FastAPI takes every key for a needed one.
WITHOUT_KEY: Final[dict[str, Any]] = {"security": [{}]}


def _admin(caller: Changer) -> Caller:
    """Return who uses the admin key.

    Raises:
        ProblemError: 403, if it is another one.
    """
    if not caller.admin:
        detail = f"{caller.actor} may not do this"
        mend = "use the admin key of the data folder"
        raise ProblemError(HTTPStatus.FORBIDDEN, "admin_only", detail, mend=mend)
    return caller


Admin = Annotated[Caller, Depends(_admin)]
