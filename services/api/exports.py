"""`/v1/indicators/{id}/export` and `/figure`: published values as files, and one with its proof."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from indicators.areas import Area
from indicators.contracts.model import Contract
from indicators.proof import write_proof
from indicators.results import ResultsQuery, Stored
from services.api.figure_asking import FigureParameters, FoundFigure, figure_asked, figure_members
from services.api.indicator_asking import areas_asked, grain_asked, time_asked
from services.api.indicator_documents import (
    AREAS_MAX,
    TIME_MAX,
    AreaName,
    Bound,
    GrainName,
    PublicOnly,
    ValueDocument,
    value_members,
)
from services.api.indicators import contract_asked
from services.asking import Document, answer, instant
from services.authority import WITHOUT_KEY, Running, Viewer
from services.exports import FORMATS, exported
from services.problems import PROBLEMS, ProblemError
from services.proofs import ProofError
from services.running import Services

__all__ = [
    "ExportParameters",
    "FigureDocument",
    "export_values",
    "prove_figure",
    "read_figure",
    "router",
]

router = APIRouter(prefix="/v1/indicators", tags=["indicators"], responses=PROBLEMS)

ROWS_AT_ONCE: Final = 2_000
FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {
            media.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}
            for media, _ in FORMATS.values()
        }
    }
}
PACKAGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}


class ExportParameters(Document):
    """Which values, as of `/values`; without `from` and `to` all that were ever published."""

    format: Literal["csv", "parquet", "package"] = "csv"
    area: Annotated[list[AreaName], Field(default_factory=list, max_length=AREAS_MAX)]
    grain: GrainName | None = None
    start: Annotated[Bound, Field(alias="from")] = None
    to: Bound = None
    as_of: Annotated[str | None, Field(alias="asOf", max_length=TIME_MAX)] = None
    include_history: Annotated[bool, Field(alias="includeHistory")] = False
    version: Annotated[str | None, Field(max_length=32)] = None
    public: PublicOnly = False


class FigureDocument(ValueDocument):
    """One published figure; `url` names this revision, whatever is published later."""

    indicator: str
    version: str
    unit: str
    grain: str
    hash: str
    inputs_hash: str
    lineage: dict[str, Any]
    url: str


@router.get(
    "/{indicator}/export",
    response_class=StreamingResponse,
    responses=FILES,
    openapi_extra=WITHOUT_KEY,
)
async def export_values(
    running: Running, caller: Viewer, indicator: str, asked: Annotated[ExportParameters, Query()]
) -> Response:
    """Send every value that was published, without a limit, as CSV, Parquet or data package.

    A package has definitions, units and SHA-256 with it. With `asOf` an export is the same bytes
    whenever it is asked for.
    """
    contract = contract_asked(running, indicator, asked.version)
    query, at_us = await _query(running, contract, asked)
    versions = {each.version: each for each in running.indicators.contracts.versions(indicator)}
    media, suffix = FORMATS[asked.format]
    name = f"{contract.id}-{query.grain}.{suffix}"
    return StreamingResponse(
        exported(
            asked.format,
            _pages(running, contract, versions, query, public=caller.is_public(asked.public)),
            versions.values(),
            at_us,
        ),
        media_type=media,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Vary": "Authorization",
        },
    )


async def _query(
    running: Services, contract: Contract, asked: ExportParameters
) -> tuple[ResultsQuery, int]:
    """Return what is exported, and of which instant.

    Raises:
        ProblemError: 400 or 422, if it names what is not there.
    """
    grain = grain_asked(contract, asked.grain)
    city = await running.threads.run(running.indicators.city)
    areas = areas_asked(city, asked.area)
    one = areas[0] if len(areas) == 1 and areas[0].name != "*" else None
    zone = city.zone_of(one) if one else city.zone
    now_us = running.parts.clock.now_us()
    at_us = instant("asOf", asked.as_of) or now_us
    within = None
    if asked.start is not None or asked.to is not None:
        within = time_asked((asked.start, asked.to), grain, zone, now_us)
    query = ResultsQuery(
        contract.id,
        grain,
        version=asked.version,
        areas=tuple(map(str, areas)) or None,
        from_us=within.start_us if within else None,
        to_us=within.end_us if within else None,
        # One instant for all pages: what is published meanwhile belongs to the next export.
        as_of_us=at_us,
        history=asked.include_history,
        limit=ROWS_AT_ONCE,
    )
    return query, at_us


async def _pages(
    running: Services,
    contract: Contract,
    versions: dict[str, Contract],
    query: ResultsQuery,
    *,
    public: bool,
) -> AsyncIterator[list[dict[str, Any]]]:
    after = None
    while True:
        part = msgspec.structs.replace(query, after=after)
        page = await running.threads.run(running.indicators.page, contract, part, public=public)
        yield [
            {
                "indicator": row.indicator,
                "version": row.version,
                "unit": versions.get(row.version, contract).unit,
                **value_members(row, versions.get(row.version, contract)),
            }
            for row in page.rows
        ]
        after = page.last
        if after is None:
            return


@router.get("/{indicator}/figure", response_model=FigureDocument, openapi_extra=WITHOUT_KEY)
async def read_figure(
    request: Request,
    running: Running,
    caller: Viewer,
    indicator: str,
    asked: Annotated[FigureParameters, Query()],
) -> Response:
    """Return one published figure: the latest revision, or the one that is named."""
    found = await figure_asked(running, caller, indicator, asked)
    finding = found.stored.finding
    return answer(
        request,
        FigureDocument(
            **figure_members(found),
            grain=finding.grain,
            inputs_hash="" if found.gated else finding.inputs_hash,
            lineage={} if found.gated else finding.lineage,
            url=_url(request, found, asked),
        ),
    )


def _url(request: Request, found: FoundFigure, asked: FigureParameters) -> str:
    row = found.row
    url = request.url.replace(query="")
    return str(
        url.include_query_params(
            area=row.area,
            period=asked.period,
            grain=found.stored.finding.grain,
            version=row.version,
            revision=row.revision,
        )
    )


@router.get(
    "/{indicator}/figure/proof",
    response_class=Response,
    responses=PACKAGE,
    openapi_extra=WITHOUT_KEY,
)
async def prove_figure(
    running: Running, caller: Viewer, indicator: str, asked: Annotated[FigureParameters, Query()]
) -> Response:
    """Send one published figure with its definitions and every observation behind it, as a ZIP.

    `madina indicators verify FILE` computes it again with nothing else.
    """
    found = await figure_asked(running, caller, indicator, asked)
    if found.gated:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "key_missing",
            "a proof of this figure would hold observations of persons or households",
            mend="ask with a key that may read them, and keep the proof to yourself",
        )
    content = await running.threads.run(_proof, running, found.area, found.stored)
    row = found.row
    name = f"{row.indicator}-{asked.period[:10]}-r{row.revision}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/zip", headers=headers)


def _proof(running: Services, area: Area, stored: Stored) -> bytes:
    try:
        return write_proof(running.indicators.proof(area, stored))
    except ProofError as error:
        raise ProblemError(HTTPStatus.CONFLICT, error.code, str(error), mend=error.mend) from error
