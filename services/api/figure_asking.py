"""What requests of one published figure name, and how it is found and written."""

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from pydantic import Field

from indicators.areas import Area
from indicators.contracts.model import Contract
from indicators.privacy import Published
from indicators.results import Stored
from services.api.indicator_asking import areas_asked, bad_request, grain_asked, period_asked
from services.api.indicator_documents import (
    TIME_MAX,
    AreaName,
    GrainName,
    PublicOnly,
    value_members,
)
from services.api.indicators import contract_asked
from services.asking import Document
from services.authority import Caller
from services.problems import ProblemError
from services.published import Figure, find_figure
from services.running import Services

__all__ = [
    "FigureParameters",
    "FoundFigure",
    "Revision",
    "Version",
    "contract_of",
    "figure_asked",
    "figure_members",
]

Version = Annotated[str | None, Field(max_length=32)]
Revision = Annotated[int | None, Field(ge=1, le=1_000_000)]


class FigureParameters(Document):
    """Which figure: an area, and a civil date, or an instant of the hour."""

    area: AreaName
    period: Annotated[str, Field(max_length=TIME_MAX)]
    grain: GrainName | None = None
    version: Version = None
    revision: Revision = None
    public: PublicOnly = False


class FoundFigure(msgspec.Struct, frozen=True):
    """A figure, as it was computed and as its reader gets it.

    Attributes:
        gated: The reader gets less than was computed.
    """

    area: Area
    stored: Stored
    contract: Contract
    row: Published
    gated: bool


async def figure_asked(
    running: Services, caller: Caller, indicator: str, asked: FigureParameters
) -> FoundFigure:
    """Return a figure, and the definition that it is printed by.

    Raises:
        ProblemError: 404, if it was never published; 422, if it cannot be.
    """
    contract = contract_asked(running, indicator, asked.version)
    grain = grain_asked(contract, asked.grain)
    city = await running.threads.run(running.indicators.city)
    (area,) = areas_asked(city, [asked.area])
    if area.name == "*":
        raise bad_request("area", "a figure is of one area: name one")
    window = period_asked(asked.period, grain, city.zone_of(area))
    figure = Figure(contract.id, grain, area, window, asked.version, asked.revision)
    public = caller.is_public(asked.public)
    now_us = running.parts.clock.now_us()
    outlet = running.indicators.outlet
    until_us = outlet.until(contract, now_us, public=public)
    found = await running.threads.run(find_figure, running.indicators.results, figure, until_us)
    told = outlet.rows if asked.revision is None else outlet.revisions
    rows = await running.threads.run(
        told, [] if found is None else [found], contract, now_us, public=public
    )
    if found is None or not rows:
        which = f"{contract.id} of {area} for {asked.period}"
        revision = "" if asked.revision is None else f" in revision {asked.revision}"
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "not_published",
            f"{which} was never published{revision}",
            mend=f"GET /v1/indicators/{contract.id}/values?includeHistory=true lists what was;"
            f" POST /v1/indicators/{contract.id}/compute publishes a period that is over",
        )
    return FoundFigure(area, found, contract, rows[0], outlet.gated(contract, public=public))


def contract_of(stored: Stored) -> str:
    """Return the hash of the definition that a figure was computed with."""
    return str(stored.finding.lineage["contract"])


def figure_members(found: FoundFigure) -> dict[str, Any]:
    """Return the members of a figure that stands by itself."""
    row, contract = found.row, found.contract
    return {
        **value_members(row, contract),
        "indicator": row.indicator,
        "version": row.version,
        "unit": contract.unit,
        "hash": contract_of(found.stored),
    }
