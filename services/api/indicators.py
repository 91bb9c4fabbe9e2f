"""`/v1/indicators`: definitions, published values, where they came from, computing again."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from city.clock import US_PER_MINUTE
from city.instants import to_text
from indicators.contracts import UnknownIndicatorError
from indicators.contracts.model import Contract
from indicators.privacy import exact
from indicators.results import ResultsQuery
from services.api.explanation_documents import (
    ExplanationDocument,
    LedgerDocument,
    LedgerLine,
    explanation_document,
)
from services.api.indicator_asking import (
    SHORT,
    areas_asked,
    bad_request,
    grain_asked,
    period_asked,
    time_asked,
)
from services.api.indicator_documents import (
    ComputeBody,
    ComputedDocument,
    ExplainParameters,
    IndicatorDocument,
    IndicatorPage,
    ValuesDocument,
    ValuesParameters,
    indicator_document,
    indicator_item,
    value_document,
)
from services.asking import answer, decode_cursor, encode_cursor, instant
from services.authority import WITHOUT_KEY, Caller, Changer, Running, Viewer
from services.indicators import Explained, TooMuchError
from services.log_view import LogAwayError
from services.problems import PROBLEMS, ProblemError
from services.running import Services
from store.interface import LedgerQuery, QuarantineQuery

__all__ = [
    "compute_values",
    "contract_asked",
    "explain_value",
    "list_indicators",
    "read_indicator",
    "read_values",
    "router",
]

router = APIRouter(prefix="/v1/indicators", tags=["indicators"], responses=PROBLEMS)

LEDGER_PROVIDERS = 20
HELD_COUNTED = 1_000


@router.get("", response_model=IndicatorPage)
async def list_indicators(request: Request, running: Running) -> Response:
    """List every indicator that is defined, in its newest version."""
    contracts = running.indicators.contracts
    items = [indicator_item(contracts.versions(name)[-1]) for name in contracts.ids()]
    return answer(request, IndicatorPage(items=items, next=None))


@router.get("/{indicator}", response_model=IndicatorDocument)
async def read_indicator(request: Request, running: Running, indicator: str) -> Response:
    """Return an indicator's definition, every version of it whole."""
    return answer(request, indicator_document(_versions(running, indicator)))


@router.get("/{indicator}/values", response_model=ValuesDocument, openapi_extra=WITHOUT_KEY)
async def read_values(
    request: Request,
    running: Running,
    caller: Viewer,
    indicator: str,
    asked: Annotated[ValuesParameters, Query()],
) -> Response:
    """Return published values; of one area also those whose window is not over, computed now.

    Without `from` and `to`: the last 7 civil days, or the last 24 hours. Without an area: those of
    every area.
    """
    contract = contract_asked(running, indicator, asked.version)
    grain = grain_asked(contract, asked.grain)
    city = await running.threads.run(running.indicators.city)
    areas = areas_asked(city, asked.area)
    one = areas[0] if len(areas) == 1 and areas[0].name != "*" else None
    zone = city.zone_of(one) if one else city.zone
    now_us = running.parts.clock.now_us()
    within = time_asked((asked.start, asked.to), grain, zone, now_us)
    query = ResultsQuery(
        contract.id,
        grain,
        version=asked.version,
        areas=tuple(map(str, areas)) or None,
        from_us=within.start_us,
        to_us=within.end_us,
        tz=zone.key if one and asked.as_of is None and grain not in SHORT else None,
        as_of_us=instant("asOf", asked.as_of),
        history=asked.include_history,
        after=decode_cursor(asked.cursor, tuple[str, int, int]),
        limit=asked.limit,
    )
    public = caller.is_public(asked.public)
    page = await running.threads.run(running.indicators.page, contract, query, public=public)
    rows = page.rows
    if one is not None and page.last is None and asked.as_of is None:
        shown = {(row.start_us, row.end_us) for row in rows}
        opened = await running.threads.run(
            running.indicators.open, contract, grain, one, within, public=public
        )
        rows += [row for row in opened if (row.start_us, row.end_us) not in shown]
    document = ValuesDocument(
        indicator=contract.id,
        version=contract.version,
        unit=contract.unit,
        values=[value_document(row, contract) for row in rows],
        next=None if page.last is None else encode_cursor(page.last),
    )
    return answer(request, document)


@router.get("/{indicator}/explain", response_model=ExplanationDocument, openapi_extra=WITHOUT_KEY)
async def explain_value(
    request: Request,
    running: Running,
    caller: Viewer,
    indicator: str,
    asked: Annotated[ExplainParameters, Query()],
) -> Response:
    """Return where a value came from, down to which observations were used and which not."""
    contract = contract_asked(running, indicator, None)
    grain = grain_asked(contract, asked.grain)
    city = await running.threads.run(running.indicators.city)
    (area,) = areas_asked(city, [asked.area])
    if area.name == "*":
        raise bad_request("area", "one value is explained at a time: name one area")
    window = period_asked(asked.period, grain, city.zone_of(area))
    found = await running.threads.run(
        running.indicators.explain,
        contract,
        grain,
        area,
        window,
        public=caller.is_public(asked.public),
    )
    ledger = await _ledger(running, caller, found)
    return answer(request, explanation_document(found, ledger))


@router.post("/{indicator}/compute", response_model=ComputedDocument)
async def compute_values(
    request: Request, running: Running, caller: Changer, indicator: str, body: ComputeBody
) -> Response:
    """Compute values again whose windows are over; what has changed becomes a new revision."""
    contract = contract_asked(running, indicator, None)
    grain = grain_asked(contract, body.grain)
    city = await running.threads.run(running.indicators.city)
    areas = areas_asked(city, body.area)
    if any(area.name == "*" for area in areas):
        raise bad_request("area", "name areas, or none for all of them")
    zone = city.zone_of(areas[0]) if len(areas) == 1 else city.zone
    now_us = running.parts.clock.now_us()
    within = time_asked((body.start, body.to), grain, zone, now_us)
    try:
        found = await running.threads.run(
            running.indicators.compute, contract, grain, areas, within, body.cause, caller.actor
        )
    except TooMuchError as error:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "too_much",
            str(error),
            mend="ask for a shorter period, or for one area after the other",
        ) from error
    document = ComputedDocument(
        indicator=contract.id,
        revised=len(found),
        values=[value_document(exact(each.row), contract) for each in found],
    )
    return answer(request, document)


def _versions(running: Services, indicator: str) -> list[Contract]:
    try:
        return running.indicators.contracts.versions(indicator)
    except UnknownIndicatorError as error:
        raise _unknown(error) from error


def contract_asked(running: Services, indicator: str, version: str | None) -> Contract:
    """Return a version of an indicator; its newest where none was named.

    Raises:
        ProblemError: 404, if nobody defined it.
    """
    versions = _versions(running, indicator)
    if version is None:
        return versions[-1]
    try:
        return running.indicators.contracts.get(indicator, version)
    except UnknownIndicatorError as error:
        raise _unknown(error) from error


def _unknown(error: UnknownIndicatorError) -> ProblemError:
    return ProblemError(
        HTTPStatus.NOT_FOUND,
        "not_found",
        str(error),
        mend="GET /v1/indicators lists what there is",
        kind="indicator",
        name=error.indicator,
    )


async def _ledger(running: Services, caller: Caller, found: Explained) -> LedgerDocument:
    """Return what came in during the minutes in which the inputs were received."""
    received = [each.received_us for each in found.inputs if each.received_us is not None]
    since_us = min((first for first, _ in received), default=found.window.start_us)
    until_us = max((last for _, last in received), default=found.window.end_us)
    since_us -= since_us % US_PER_MINUTE
    until_us += US_PER_MINUTE - until_us % US_PER_MINUTE
    providers = sorted({each.series.provider for each in found.inputs})[:LEDGER_PROVIDERS]
    lines: list[LedgerLine] = []
    for provider in providers:
        query = LedgerQuery(since_us, until_us, provider)
        counts = (await running.ledger.balance(caller.scope, query)).messages
        lines.append(
            LedgerLine(
                provider=provider,
                received=counts.received,
                accepted=counts.accepted,
                quarantined=counts.quarantined,
                duplicate=counts.duplicate,
            )
        )
    try:
        pending = (await running.ledger.balance(caller.scope, LedgerQuery())).messages.pending
    except LogAwayError:
        pending = None
    return LedgerDocument(
        since=to_text(since_us),
        until=to_text(until_us),
        providers=lines,
        held=await _held(running, caller, found),
        pending=pending,
    )


async def _held(running: Services, caller: Caller, found: Explained) -> dict[str, int]:
    """Return how many messages of the inputs' devices wait in quarantine, by device."""
    held: dict[str, int] = {}
    devices = sorted({(each.series.provider, each.series.device) for each in found.inputs})
    for provider, device in devices[:LEDGER_PROVIDERS]:
        query = QuarantineQuery(provider=provider, device=device, limit=HELD_COUNTED)
        entries = await running.threads.run(running.parts.store.quarantine, caller.scope, query)
        if entries:
            held[f"{provider}/{device}"] = len(entries)
    return held
