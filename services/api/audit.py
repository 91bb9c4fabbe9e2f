"""`GET /v1/audit`: who changed what, newest first."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from city.instants import to_text
from registry.records import AuditQuery, AuditRecord
from services.asking import (
    Cursor,
    Document,
    Instant,
    Limit,
    answer,
    decode_cursor,
    encode_cursor,
    instant,
)
from services.authority import Changer, Running
from services.problems import PROBLEMS

__all__ = ["AuditDocument", "AuditPage", "AuditParameters", "list_audit", "router"]

router = APIRouter(tags=["audit"], responses=PROBLEMS)

LIMIT = 100
NAME_MAX = 300
Name = Annotated[str | None, Field(max_length=NAME_MAX)]


class AuditDocument(Document):
    """One change."""

    id: int
    time: str
    actor: str
    action: str
    subject: str
    detail: str


class AuditPage(Document):
    """Changes, newest first, and where to go on."""

    items: list[AuditDocument]
    next: str | None


class AuditParameters(Document):
    """Which changes: `since` is included, `until` is not."""

    actor: Name = None
    subject: Name = None
    since: Instant = None
    until: Instant = None
    limit: Limit = LIMIT
    cursor: Cursor = None


@router.get("/v1/audit", response_model=AuditPage)
async def list_audit(
    request: Request, running: Running, caller: Changer, asked: Annotated[AuditParameters, Query()]
) -> Response:
    """List changes, newest first. Needs a key: it names people."""
    assert caller.scope.providers is None, "the log of changes has no providers to narrow it by"
    query = AuditQuery(
        actor=asked.actor,
        subject=asked.subject,
        since_us=instant("since", asked.since),
        until_us=instant("until", asked.until),
        before=decode_cursor(asked.cursor, int),
        limit=asked.limit + 1,
    )
    found = await running.threads.run(running.parts.registry.audit.page, query)
    shown = found[: asked.limit]
    following = encode_cursor(shown[-1].id) if len(found) > len(shown) else None
    return answer(request, AuditPage(items=[_document(each) for each in shown], next=following))


def _document(record: AuditRecord) -> AuditDocument:
    return AuditDocument(
        id=record.id,
        time=to_text(record.time_us),
        actor=record.actor,
        action=record.action,
        subject=record.subject,
        detail=record.detail,
    )
