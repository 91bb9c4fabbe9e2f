"""`GET /v1/ledger`: what came in, what became of it, and the difference, which is 0."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from city.instants import to_text
from city.ledger import Balance
from services.asking import (
    Cursor,
    Document,
    Instant,
    answer,
    decode_cursor,
    encode_cursor,
    instant,
)
from services.authority import Reader, Running
from services.ledger import GroupedBalance
from services.problems import PROBLEMS
from store.interface import LedgerQuery

__all__ = [
    "BalanceDocument",
    "DifferenceDocument",
    "GroupedDocument",
    "LedgerItem",
    "LedgerParameters",
    "MessagesDocument",
    "ObservationsDocument",
    "balance_document",
    "read_ledger",
    "router",
]

router = APIRouter(tags=["ledger"], responses=PROBLEMS)

NAME_MAX = 64
Name = Annotated[str | None, Field(max_length=NAME_MAX)]


class MessagesDocument(Document):
    """`received = accepted + quarantined + duplicate + pending`."""

    received: int
    accepted: int
    quarantined: int
    duplicate: int
    pending: int


class ObservationsDocument(Document):
    """`decoded = stored + duplicate + rejected`."""

    decoded: int
    stored: int
    duplicate: int
    rejected: int


class DifferenceDocument(Document):
    """Left side minus right side."""

    messages: int
    observations: int


class BalanceDocument(Document):
    """One balance."""

    messages: MessagesDocument
    observations: ObservationsDocument
    difference: DifferenceDocument


class LedgerItem(BalanceDocument):
    """The balance of one minute, provider and route."""

    start: str
    provider: str
    route: str


class GroupedDocument(BalanceDocument):
    """The balance of the whole range, and of one day of its minutes; `next` is the day before."""

    items: list[LedgerItem]
    next: str | None


class LedgerParameters(Document):
    """Which part of the ledger."""

    since: Instant = None
    until: Instant = None
    provider: Name = None
    route: Name = None
    group: Literal["minute"] | None = None
    cursor: Cursor = None

    def query(self) -> LedgerQuery:
        """Return what the store is asked."""
        since_us, until_us = instant("since", self.since), instant("until", self.until)
        return LedgerQuery(since_us, until_us, self.provider, self.route)


@router.get("/v1/ledger", response_model=BalanceDocument | GroupedDocument)
async def read_ledger(
    request: Request,
    running: Running,
    caller: Reader,
    asked: Annotated[LedgerParameters, Query()],
) -> Response:
    """Return the balance; with `group=minute` also by minute, provider and route, a day a page.

    Messages that nobody has read have no provider, route or minute yet: grouped they stand under
    the route `unread`, and a question that names a provider or a route leaves them out.
    """
    if asked.group is None:
        balance = await running.ledger.balance(caller.scope, asked.query())
        return answer(request, balance_document(balance))
    before_us = decode_cursor(asked.cursor, int)
    page = await running.ledger.by_minute(caller.scope, asked.query(), before_us)
    document = GroupedDocument(
        **_members(balance_document(page.balance)),
        items=[_item(item) for item in page.items],
        next=None if page.before_us is None else encode_cursor(page.before_us),
    )
    return answer(request, document)


def balance_document(balance: Balance) -> BalanceDocument:
    """Write a balance."""
    return BalanceDocument.model_validate(
        {
            "messages": balance.messages,
            "observations": balance.observations,
            "difference": balance.difference,
        },
        from_attributes=True,
    )


def _item(item: GroupedBalance) -> LedgerItem:
    return LedgerItem(
        **_members(balance_document(item.balance)),
        start=to_text(item.start_us),
        provider=item.provider,
        route=item.route,
    )


def _members(document: BalanceDocument) -> dict[str, Any]:
    return {name: getattr(document, name) for name in BalanceDocument.model_fields}
