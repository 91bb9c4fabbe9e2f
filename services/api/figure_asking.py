"""What requests of one published figure name, and how it is found and written."""

from http import HTTPStatus
from typing import Annotated, Any

from pydantic import Field

from indicators.areas import Area
from indicators.contracts.model import Contract
from indicators.results import Stored
from services.api.indicator_asking import areas_asked, bad_request, grain_asked, period_asked
from services.api.indicator_documents import TIME_MAX, AreaName, GrainName, value_members
from services.api.indicators import contract_asked
from services.asking import Document
from services.problems import ProblemError
from services.published import Figure, find_figure
from services.running import Services

__all__ = [
    "FigureParameters",
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


async def figure_asked(
    running: Services, indicator: str, asked: FigureParameters
) -> tuple[Area, Stored, Contract]:
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
    found = await running.threads.run(find_figure, running.indicators.results, figure)
    if found is None:
        which = f"{contract.id} of {area} for {asked.period}"
        revision = "" if asked.revision is None else f" in revision {asked.revision}"
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "not_published",
            f"{which} was never published{revision}",
            mend=f"GET /v1/indicators/{contract.id}/values?includeHistory=true lists what was;"
            f" POST /v1/indicators/{contract.id}/compute publishes a period that is over",
        )
    return area, found, contract


def contract_of(stored: Stored) -> str:
    """Return the hash of the definition that a figure was computed with."""
    return str(stored.finding.lineage["contract"])


def figure_members(running: Services, stored: Stored, contract: Contract) -> dict[str, Any]:
    """Return the members of a figure that stands by itself."""
    row = stored.at(running.parts.clock.now_us(), contract.lateness_h)
    return {
        **value_members(row, contract),
        "indicator": row.indicator,
        "version": row.version,
        "unit": contract.unit,
        "hash": contract_of(stored),
    }
