"""`/v1/indicators/{id}/compare`: two figures, or why they must not be compared."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from indicators.contracts import UnknownIndicatorError
from indicators.contracts.difference import difference
from indicators.privacy import Published
from indicators.results import Stored
from services.api.figure_asking import (
    FigureParameters,
    Revision,
    Version,
    contract_of,
    figure_asked,
    figure_members,
)
from services.api.indicator_documents import TIME_MAX, AreaName, ValueDocument
from services.asking import Document, answer
from services.authority import WITHOUT_KEY, Running, Viewer
from services.problems import PROBLEMS
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


class CompareParameters(FigureParameters):
    """Which two figures; what is not said of the second is as of the first."""

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


@router.get("/{indicator}/compare", response_model=ComparisonDocument, openapi_extra=WITHOUT_KEY)
async def compare_values(
    request: Request,
    running: Running,
    caller: Viewer,
    indicator: str,
    asked: Annotated[CompareParameters, Query()],
) -> Response:
    """Compare two published figures, which one definition has to be behind.

    Two days, two areas, or two revisions of one figure. Figures of two definitions are not
    compared: the answer says in which members the definitions differ.
    """
    first = await figure_asked(running, caller, indicator, asked)
    second = await figure_asked(running, caller, asked.with_indicator or indicator, _second(asked))
    left, right = first.stored, second.stored
    comparable = contract_of(left) == contract_of(right)
    document = ComparisonDocument(
        comparable=comparable,
        left=ComparedValue(**figure_members(first)),
        right=ComparedValue(**figure_members(second)),
        change=_change(first.row, second.row) if comparable else None,
        definitions=[] if comparable else _definitions(running, left, right),
    )
    return answer(request, document)


def _second(asked: CompareParameters) -> FigureParameters:
    return FigureParameters(
        area=asked.with_area or asked.area,
        period=asked.with_period or asked.period,
        grain=asked.grain,
        version=asked.with_version or (None if asked.with_indicator else asked.version),
        # Another revision is the point of comparing one figure with itself.
        revision=asked.with_revision,
        public=asked.public,
    )


def _change(first: Published, second: Published) -> ChangeDocument:
    value = ratio = None
    if first.value is not None and second.value is not None:
        value = second.value - first.value
        ratio = second.value / first.value if first.value else None
    completeness = second.completeness - first.completeness
    return ChangeDocument(value=value, ratio=ratio, completeness=completeness)


def _definitions(running: Services, left: Stored, right: Stored) -> list[MemberDifference]:
    """Say how definitions differ: at least by their hashes, where one is not kept any more."""
    hashes = MemberDifference(member="hash", left=contract_of(left), right=contract_of(right))
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
