"""`/healthz`: the process does its work; `/readyz`: the whole platform does."""

from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Request, Response

from services.asking import Document, answer
from services.authority import Running
from services.health import Part, reasons_of

__all__ = [
    "HealthDocument",
    "ReadyDocument",
    "ReasonDocument",
    "read_health",
    "read_ready",
    "reason_documents",
    "router",
]

router = APIRouter(tags=["health"])


class HealthDocument(Document):
    """Whether this process does its work."""

    healthy: bool
    words: str


class ReasonDocument(Document):
    """Something that is not well."""

    part: Part
    level: Literal["error", "warning"]
    words: str


class ReadyDocument(Document):
    """Whether messages can come in and get through, and why not."""

    ready: bool
    reasons: list[ReasonDocument]


@router.get("/healthz", response_model=HealthDocument, responses={503: {"model": HealthDocument}})
async def read_health(request: Request, running: Running) -> Response:
    """Say whether the process does its work; 503 where it has to be started again."""
    status = HTTPStatus.SERVICE_UNAVAILABLE if running.failed else HTTPStatus.OK
    document = HealthDocument(healthy=not running.failed, words=running.failed)
    return answer(request, document, status)


@router.get("/readyz", response_model=ReadyDocument, responses={503: {"model": ReadyDocument}})
async def read_ready(request: Request, running: Running) -> Response:
    """Say whether the platform is ready; 503 and the reasons where it is not."""
    ready, reasons = reason_documents(running)
    status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return answer(request, ReadyDocument(ready=ready, reasons=reasons), status)


def reason_documents(running: Running) -> tuple[bool, list[ReasonDocument]]:
    """Return whether the platform is ready, and everything that is not well."""
    reasons = reasons_of(running)
    ready = all(reason.level != "error" for reason in reasons)
    return ready, [ReasonDocument.model_validate(each, from_attributes=True) for each in reasons]
