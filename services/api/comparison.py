"""`/v1/indicators/{id}/compare`: two figures, or why they must not be compared."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from indicators.contracts import UnknownIndicatorError
from indicators.contracts.difference import difference
from indicators.contracts.model import Contract
from indicators.results import Stored
from services.api.indicator_asking import areas_asked, bad_request, grain_asked, period_asked
from services.api.indicator_documents import (
    TIME_MAX,
    AreaName,
    GrainName,
    ValueDocument,
    value_members,
)
from services.api.indicators import contract_asked
from services.asking import Document, answer
from services.authority import Running
from services.problems import PROBLEMS, ProblemError
from services.published import Figure, find_figure
from services.running import Services

__all__ = [
    "ChangeDocument",
    "CompareParameters",
    "ComparedValue",
    "ComparisonDocument",
    "MemberDifference",
    "compare_values",
    "router",
]

router = APIRouter(prefix="/v1/indicators", tags=["indicators"], responses=PROBLEMS)

Version = Annotated[str | None, Field(max_length=32)]
Revision = Annotated[int | None, Field(ge=1, le=1_000_000)]


class CompareParameters(Document):
    """Which two figures; what is not said of the second is as of the first."""

    area: AreaName
    period: Annotated[str, Field(max_length=TIME_MAX)]
    grain: GrainName | None = None
    version: Version = None
    revision: Revision = None
    with_indicator: Annotated[str | None, Field(max_length=100)] = None
    with_area: AreaName | None = None
    with_period: Annotated[str | None, Field(max_length=TIME_MAX)] = None
    with_version: Version = None
    with_revision: Revision = None


class ComparedValue(ValueDocument):
    """A figure, and the hash of the definition that it was computed with."""

    indicator: str
    version: str
    unit: str
    hash: str


class MemberDifference(Document):
    """A member in which two definitions differ; null where one does not have it."""

    member: str
    left: Any
    right: Any


class ChangeDocument(Document):
    """How far the second figure is from the first, second less first; null without a number."""

    value: float | None
    ratio: float | None
    completeness: float


class ComparisonDocument(Document):
    """Two figures; `change` where they compare, and `definitions` where they do not."""

    comparable: bool
    left: ComparedValue
    right: ComparedValue
    change: ChangeDocument | None
    definitions: list[MemberDifference]


@router.get("/{indicator}/compare", response_model=ComparisonDocument)
async def compare_values(
    request: Request,
    running: Running,
    indicator: str,
    asked: Annotated[CompareParameters, Query()],
) -> Response:
    """Compare two published figures, which one definition has to be behind.

    Two days, two areas, or two revisions of one figure. Figures of two definitions are not
    compared: the answer says in which members the definitions differ.
    """
    left, mine = await _figure(running, indicator, asked)
    right, theirs = await _figure(running, asked.with_indicator or indicator, _second(asked))
    comparable = _hash(left) == _hash(right)
    document = ComparisonDocument(
        comparable=comparable,
        left=_value(left, mine, running),
        right=_value(right, theirs, running),
        change=_change(left, right) if comparable else None,
        definitions=[] if comparable else _definitions(running, left, right),
    )
    return answer(request, document)


def _second(asked: CompareParameters) -> CompareParameters:
    return CompareParameters(
        area=asked.with_area or asked.area,
        period=asked.with_period or asked.period,
        grain=asked.grain,
        version=asked.with_version or (None if asked.with_indicator else asked.version),
        # Another revision is the point of comparing one figure with itself.
        revision=asked.with_revision,
    )


async def _figure(
    running: Services, indicator: str, asked: CompareParameters
) -> tuple[Stored, Contract]:
    """Return a figure, and the definition that it is printed by.

    Raises:
        ProblemError: 404, if it was never published; 422, if it cannot be.
    """
    contract = contract_asked(running, indicator, asked.version)
    grain = grain_asked(contract, asked.grain)
    city = await running.threads.run(running.indicators.city)
    (area,) = areas_asked(city, [asked.area])
    if area.name == "*":
        raise bad_request("area", "two figures are compared: name one area of each")
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
    return found, contract


def _hash(stored: Stored) -> str:
    return str(stored.finding.lineage["contract"])


def _value(stored: Stored, contract: Contract, running: Services) -> ComparedValue:
    row = stored.at(running.parts.clock.now_us(), contract.lateness_h)
    return ComparedValue(
        **value_members(row, contract),
        indicator=row.indicator,
        version=row.version,
        unit=contract.unit,
        hash=_hash(stored),
    )


def _change(left: Stored, right: Stored) -> ChangeDocument:
    first, second = left.finding.row, right.finding.row
    value = ratio = None
    if first.value is not None and second.value is not None:
        value = second.value - first.value
        ratio = second.value / first.value if first.value else None
    completeness = second.completeness - first.completeness
    return ChangeDocument(value=value, ratio=ratio, completeness=completeness)


def _definitions(running: Services, left: Stored, right: Stored) -> list[MemberDifference]:
    """Say how definitions differ: at least by their hashes, where one is not kept any more."""
    hashes = MemberDifference(member="hash", left=_hash(left), right=_hash(right))
    contracts = running.indicators.contracts
    try:
        mine, theirs = (
            contracts.get(each.finding.row.indicator, each.finding.row.version)
            for each in (left, right)
        )
    except UnknownIndicatorError:
        return [hashes]
    return [
        hashes,
        *(
            MemberDifference(member=each.member, left=each.left, right=each.right)
            for each in difference(mine, theirs)
        ),
    ]
