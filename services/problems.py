"""What the API answers when it cannot do what was asked: problem details (RFC 9457), one shape.

`type` is `urn:madina:problem:CODE`; the words name what is wrong and what mends it.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DataError, SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from registry.errors import (
    AlreadyThereError,
    AmbiguousDeviceError,
    InvalidFactError,
    NotThereError,
)
from services.log_view import LogAwayError
from services.threads import TooBusyError
from store.errors import StoreBusyError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import FastAPI
    from starlette.requests import Request

__all__ = ["PROBLEMS", "Problem", "ProblemError", "answer_problems"]

log = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 1
# Faults of a request that are named one by one.
FAULTS_MAX: Final = 20
# More of what was sent is not repeated.
WORDS_MAX: Final = 500


class Problem(BaseModel):
    """RFC 9457, and members that say what it was about."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str = Field(description="urn:madina:problem:CODE")
    title: str
    status: int
    detail: str
    mend: str | None = Field(None, description="what to do about it")
    field: str | None = Field(None, description="which member or parameter of the request")


# What every operation may answer beside its own; for the API's description.
PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    family: {
        "description": words,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for family, words in (("4XX", "what was asked cannot be done"), ("5XX", "not now"))
}


class ProblemError(Exception):
    """A request that cannot be answered; becomes its answer.

    Args:
        status: HTTP status.
        code: Last part of the type.
        detail: Words for people.
        mend: What to do about it.
        members: What it was about.
    """

    def __init__(
        self, status: HTTPStatus, code: str, detail: str, *, mend: str = "", **members: object
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.mend = mend
        self.members = members

    def response(self) -> Response:
        """Return the answer."""
        body: dict[str, object] = {
            "type": f"urn:madina:problem:{self.code}",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail[:WORDS_MAX],
        }
        if self.mend:
            body["mend"] = self.mend
        headers: dict[str, str] = {}
        if self.status is HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = 'Bearer realm="madina"'
        if self.status is HTTPStatus.SERVICE_UNAVAILABLE:
            headers["Retry-After"] = str(RETRY_AFTER_S)
        if self.status is HTTPStatus.TOO_MANY_REQUESTS:
            headers["Retry-After"] = str(self.members.get("retry_after_s", RETRY_AFTER_S))
        content = msgspec.json.encode(body | self.members)
        return Response(content, int(self.status), headers, media_type=MEDIA_TYPE)


def answer_problems(app: FastAPI) -> None:
    """Make an application answer every error that we know in this shape, and any other as 500."""
    app.add_exception_handler(ProblemError, _answer(_itself))
    app.add_exception_handler(RequestValidationError, _answer(_from_validation))
    app.add_exception_handler(HTTPException, _answer(_from_http))
    app.add_exception_handler(Exception, _defect)
    for kind, explain in _EXPLAIN.items():
        app.add_exception_handler(kind, _answer(explain))


def _answer(
    explain: Callable[[Any], ProblemError],
) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(_request: Request, error: Exception) -> Response:
        return explain(error).response()

    return handle


async def _defect(request: Request, error: Exception) -> Response:
    """Tell nothing of the inside to who asked, and all of it to the log."""
    log.error("request.failed", path=request.url.path, exc_info=error)
    detail = "a defect of madina; its log says more"
    return ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", detail).response()


def _itself(error: ProblemError) -> ProblemError:
    return error


def _not_there(error: NotThereError) -> ProblemError:
    mend = f"GET /v1/{error.kind}s lists what there is"
    members = {"kind": error.kind, "name": error.name}
    return ProblemError(HTTPStatus.NOT_FOUND, "not_found", str(error), mend=mend, **members)


def _already_there(error: AlreadyThereError) -> ProblemError:
    mend = "change it with PATCH, or take another name"
    members = {"kind": error.kind, "name": error.name}
    return ProblemError(HTTPStatus.CONFLICT, "already_there", str(error), mend=mend, **members)


def _ambiguous(error: AmbiguousDeviceError) -> ProblemError:
    return ProblemError(
        HTTPStatus.CONFLICT,
        "ambiguous_device",
        str(error),
        mend="name it provider/device",
        device=error.device,
        providers=list(error.providers),
    )


def _invalid(error: InvalidFactError) -> ProblemError:
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", str(error), field=error.field, mend=error.words
    )


def _from_validation(error: RequestValidationError) -> ProblemError:
    faults = [
        {"field": ".".join(map(str, fault["loc"][1:])) or str(fault["loc"][0]), "words": words}
        for fault in error.errors()[:FAULTS_MAX]
        if (words := str(fault["msg"])[:WORDS_MAX])
    ]
    first = faults[0] if faults else {"field": "", "words": "the request cannot be read"}
    detail = f"{first['field']}: {first['words']}"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return ProblemError(
        status, "invalid", detail, field=first["field"], errors=faults, mend="see /docs"
    )


def _from_http(error: HTTPException) -> ProblemError:
    status = HTTPStatus(error.status_code)
    too_large = status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "too_large" if too_large else status.name.lower()
    return ProblemError(status, code, error.detail or status.description, mend="see /docs")


def _too_busy(_error: TooBusyError) -> ProblemError:
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE, "busy", "too many requests wait", mend="come again"
    )


def _store_busy(error: StoreBusyError) -> ProblemError:
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "store_busy", str(error), mend="come again")


def _log_away(error: LogAwayError) -> ProblemError:
    detail = f"the log does not answer: {error}"
    mend = "GET /readyz says what is wrong"
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "log_away", detail, mend=mend)


def _not_storable(error: DataError) -> ProblemError:
    detail = f"no database can hold that: {str(error.orig).splitlines()[0]}"
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", detail, mend="leave the character out"
    )


def _registry_away(error: SQLAlchemyError) -> ProblemError:
    log.error("registry.failed", cause=str(error))
    detail = "the registry's database does not do what was asked now"
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE, "registry_away", detail, mend="come again; the log says why"
    )


_EXPLAIN: Final[dict[type[Exception], Callable[[Any], ProblemError]]] = {
    NotThereError: _not_there,
    AlreadyThereError: _already_there,
    AmbiguousDeviceError: _ambiguous,
    InvalidFactError: _invalid,
    TooBusyError: _too_busy,
    StoreBusyError: _store_busy,
    LogAwayError: _log_away,
    DataError: _not_storable,
    SQLAlchemyError: _registry_away,
}
