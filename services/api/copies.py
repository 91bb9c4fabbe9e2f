"""`/v1/copies`: copies of store and registry, for `madina backup`; admin key only."""

from http import HTTPStatus
from typing import Literal

import msgspec
from fastapi import APIRouter, Request, Response

from services.asking import Document, answer
from services.authority import Admin, Running
from services.copying import CopyBusyError, CopyState, NoCopyError
from services.problems import PROBLEMS, ProblemError

__all__ = ["CopyDocument", "make_copy", "read_copy", "router"]

router = APIRouter(prefix="/v1/copies", tags=["copies"], responses=PROBLEMS)


class CopyDocument(Document):
    """How far a copy is.

    Attributes:
        folder: Where it is made, on the machine of the platform.
        share: How much of it is there, 0 to 1.
        words: Why it failed; empty where it did not.
    """

    id: str
    state: Literal["running", "done", "failed"]
    folder: str
    share: float
    words: str


@router.post("", response_model=CopyDocument, status_code=HTTPStatus.ACCEPTED)
async def make_copy(request: Request, running: Running, caller: Admin) -> Response:
    """Begin a copy of store and registry at one instant; messages are applied meanwhile."""
    try:
        begun = running.copying.begin()
    except NoCopyError as error:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "no_copy",
            "store and registry of this process are kept by servers",
            mend="use the servers' own tools: docs/backup.md",
        ) from error
    except CopyBusyError as error:
        detail = "another copy is being made"
        raise ProblemError(HTTPStatus.CONFLICT, "copy_busy", detail, mend="come again") from error
    audit = running.parts.registry.audit
    await running.threads.run(audit.write, caller.actor, "copy.begun", begun.id)
    return answer(request, _document(begun), HTTPStatus.ACCEPTED)


@router.get("/{copy}", response_model=CopyDocument)
async def read_copy(request: Request, running: Running, caller: Admin, copy: str) -> Response:
    """Return how far a copy is."""
    assert caller.admin, "a copy holds everything: only the admin key sees where it is"
    state = running.copying.state(copy)
    if state is None:
        detail = f"there is no copy {copy!r}"
        raise ProblemError(HTTPStatus.NOT_FOUND, "not_found", detail, mend="begin another one")
    return answer(request, _document(state))


def _document(state: CopyState) -> CopyDocument:
    return CopyDocument(**msgspec.structs.asdict(state))
