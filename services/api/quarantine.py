"""`/v1/quarantine`: messages that were not accepted, with their bytes and the rule's words."""

import base64
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from city.instants import to_text
from city.replay import ReplayRequest, encode_request
from services.asking import Cursor, Document, answer, decode_cursor, encode_cursor
from services.authority import Changer, Reader, Running
from services.problems import PROBLEMS, ProblemError
from store.interface import QuarantineEntry, QuarantineQuery

__all__ = [
    "EntryDocument",
    "QuarantinePage",
    "QuarantineParameters",
    "ReasonEntry",
    "SelectionBody",
    "ToldDocument",
    "drop_quarantine",
    "list_quarantine",
    "read_quarantine",
    "replay_quarantine",
    "router",
]

router = APIRouter(prefix="/v1/quarantine", tags=["quarantine"], responses=PROBLEMS)

LIMIT = 50
# Each may carry 64 KiB.
LIMIT_MAX = 200
NAME_MAX = 200
IDS_MAX = 1_000
ANY = "any"

Name = Annotated[str | None, Field(max_length=NAME_MAX)]


class ReasonEntry(Document):
    """Why one observation of an accepted message was rejected."""

    reason: str
    quantity: str


class EntryDocument(Document):
    """A message with its bytes.

    Attributes:
        state: `held` waits for a person; `partial` was accepted but for the observations in
            `reasons`; `replayed` and `dropped` are done.
        words: For people: what is wrong, and where.
        payload: Base64, at most the first 64 KiB; `length` and `sha256` are of the whole.
        flags: QoS in the two lowest bits, then retain, DUP and will.
    """

    id: str
    state: Literal["held", "partial", "replayed", "dropped"]
    reason: str
    words: str
    reasons: list[ReasonEntry]
    codec: str
    route: str
    topic: str
    provider: str
    device: str
    client: str
    flags: int
    received_at: str
    resolved_at: str | None
    content_type: str
    length: int
    sha256: str
    payload: str


class QuarantinePage(Document):
    """Entries, newest first, and where to go on; `held` counts all that wait, by reason."""

    items: list[EntryDocument]
    next: str | None
    held: dict[str, int]


class QuarantineParameters(Document):
    """Which entries; by default those that wait."""

    state: Literal["held", "partial", "replayed", "dropped", "any"] = "held"
    reason: Name = None
    provider: Name = None
    device: Name = None
    route: Name = None
    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX)] = LIMIT
    cursor: Cursor = None


class SelectionBody(Document):
    """Which entries; every member narrows it, and one at least is needed."""

    ids: Annotated[tuple[str, ...] | None, Field(max_length=IDS_MAX)] = None
    reason: Name = None
    provider: Name = None
    device: Name = None
    route: Name = None

    def request(self) -> ReplayRequest:
        """Return what shards are told.

        Raises:
            ProblemError: 422, if nothing narrows it: everything at once is nobody's intention.
        """
        request = ReplayRequest(**self.model_dump())
        if request == ReplayRequest():
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "invalid",
                "nothing says which entries",
                mend="give ids, reason, provider, device or route",
                field="ids",
            )
        return request


class ToldDocument(Document):
    """How many shards were told; each resolves its entries in the order of its log."""

    shards: int


@router.get("", response_model=QuarantinePage)
async def list_quarantine(
    request: Request,
    running: Running,
    caller: Reader,
    asked: Annotated[QuarantineParameters, Query()],
) -> Response:
    """List entries, newest first."""
    query = QuarantineQuery(
        state=None if asked.state == ANY else asked.state,
        reason=asked.reason,
        provider=asked.provider,
        device=asked.device,
        route=asked.route,
        limit=asked.limit + 1,
        before=decode_cursor(asked.cursor, str),
    )
    store = running.parts.store
    found = await running.threads.run(store.quarantine, caller.scope, query)
    held = await running.threads.run(store.quarantine_counts, caller.scope)
    shown = found[: asked.limit]
    page = QuarantinePage(
        items=[_document(each) for each in shown],
        next=encode_cursor(shown[-1].id) if len(found) > len(shown) else None,
        held=held,
    )
    return answer(request, page)


@router.get("/{entry}", response_model=EntryDocument)
async def read_quarantine(
    request: Request, running: Running, caller: Reader, entry: str
) -> Response:
    """Return one entry."""
    query = QuarantineQuery(state=None, ids=(entry,), limit=1)
    found = await running.threads.run(running.parts.store.quarantine, caller.scope, query)
    if not found:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "not_found",
            f"there is no entry {entry!r}",
            mend="GET /v1/quarantine lists what there is",
            kind="entry",
            name=entry,
        )
    return answer(request, _document(found[0]))


@router.post("/replay", response_model=ToldDocument, status_code=HTTPStatus.ACCEPTED)
async def replay_quarantine(
    request: Request, running: Running, caller: Changer, body: SelectionBody
) -> Response:
    """Take entries up again; what is accepted now is counted once, what is not stays held."""
    wanted = body.request()
    await running.replayer.replay(caller.actor, [wanted])
    await _note(running, caller, "quarantine.replayed", wanted)
    return answer(request, ToldDocument(shards=running.parts.shards), HTTPStatus.ACCEPTED)


@router.post("/drop", response_model=ToldDocument, status_code=HTTPStatus.ACCEPTED)
async def drop_quarantine(
    request: Request, running: Running, caller: Changer, body: SelectionBody
) -> Response:
    """Give entries up; they stay readable and stay counted as quarantined."""
    wanted = body.request()
    await running.replayer.drop(caller.actor, [wanted])
    await _note(running, caller, "quarantine.dropped", wanted)
    return answer(request, ToldDocument(shards=running.parts.shards), HTTPStatus.ACCEPTED)


async def _note(running: Running, caller: Changer, action: str, wanted: ReplayRequest) -> None:
    detail = encode_request(wanted)
    audit = running.parts.registry.audit
    await running.threads.run(audit.write, caller.actor, action, "quarantine", detail)


def _document(entry: QuarantineEntry) -> EntryDocument:
    return EntryDocument(
        id=entry.id,
        state=entry.state,
        reason=entry.reason,
        words=entry.words,
        reasons=[ReasonEntry(reason=why, quantity=what) for why, what in entry.reasons],
        codec=entry.codec,
        route=entry.route,
        topic=entry.topic,
        provider=entry.provider,
        device=entry.device,
        client=entry.client,
        flags=entry.flags,
        received_at=to_text(entry.received_us),
        resolved_at=to_text(entry.resolved_us) if entry.resolved_us else None,
        content_type=entry.content_type,
        length=entry.length,
        sha256=entry.sha256,
        payload=base64.b64encode(entry.payload).decode(),
    )
