"""What the API says of indicators: definitions, values, and where a value came from."""

from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field

from city.instants import to_text
from indicators.contracts import contract_hash
from indicators.contracts.model import Contract, Source
from indicators.formula_words import formula_words
from indicators.privacy import Published
from services.asking import Cursor, Document

__all__ = [
    "AREAS_MAX",
    "TIME_MAX",
    "AreaName",
    "Bound",
    "ComputeBody",
    "ComputedDocument",
    "ExplainParameters",
    "GrainName",
    "IndicatorDocument",
    "IndicatorItem",
    "IndicatorPage",
    "PublicOnly",
    "SourceDocument",
    "ValueDocument",
    "ValuesDocument",
    "ValuesParameters",
    "VersionDocument",
    "indicator_document",
    "indicator_item",
    "source_document",
    "value_document",
    "value_members",
]

AREA_MAX = 300
AREAS_MAX = 200
TIME_MAX = 64
VALUES = 200
VALUES_MAX = 5_000

GrainName = Literal["5min", "15min", "hour", "day", "week", "month", "quarter", "year"]
CauseName = Literal[
    "late_data",
    "correction",
    "replay",
    "qc_change",
    "calibration",
    "device_metadata",
    "bug_fix",
    "erasure",
]
AreaName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=AREA_MAX,
        description="device:PROVIDER/ID, place:ID, district:ID, provider:ID or city;"
        " place:* for every place",
    ),
]
Bound = Annotated[
    str | None,
    Field(
        max_length=TIME_MAX,
        description="a civil date of the area, included; for hours also an instant,"
        " of which `to` is not included",
    ),
]


class SourceDocument(Document):
    """Where a figure of a definition comes from, and whether it was read there."""

    document: str
    section: str
    url: str
    mark: str


class IndicatorItem(Document):
    """An indicator in its newest version."""

    indicator: str
    version: str
    title: str
    unit: str
    grains: list[str]
    provisional: bool
    valid_from: str
    valid_to: str | None


class IndicatorPage(Document):
    """Every indicator that is defined; one page."""

    items: list[IndicatorItem]
    next: str | None


class VersionDocument(Document):
    """One version: its definition, whole, and the hash of its meaning."""

    version: str
    hash: str
    formula: str
    sources: list[SourceDocument]
    definition: dict[str, Any]


class IndicatorDocument(IndicatorItem):
    """An indicator with all of its versions, newest first."""

    versions: list[VersionDocument]


class ValueDocument(Document):
    """One value of one area and window, in one revision."""

    area: str
    start: str
    end: str
    tz: str
    value: int | float | None
    unrounded: float | None
    band: str | None
    main_input: str | None
    completeness: float
    n_used: int
    n_expected: int
    state: str
    marks: list[str]
    revision: int
    reason: str | None
    computed_at: str


class ValuesDocument(Document):
    """Values by area, start and revision, and where to go on."""

    indicator: str
    version: str
    unit: str
    values: list[ValueDocument]
    next: str | None


class ComputedDocument(Document):
    """Revisions that were appended."""

    indicator: str
    revised: int
    values: list[ValueDocument]


PublicOnly = Annotated[
    bool,
    Field(
        description="as the public gets it, also with a key that opens exact values of"
        " personal data"
    ),
]


class ValuesParameters(Document):
    """Which values; `asOf` is what was published then, `includeHistory` every revision."""

    area: Annotated[list[AreaName], Field(default_factory=list, max_length=AREAS_MAX)]
    grain: GrainName | None = None
    start: Annotated[Bound, Field(alias="from")] = None
    to: Bound = None
    as_of: Annotated[str | None, Field(alias="asOf", max_length=TIME_MAX)] = None
    include_history: Annotated[bool, Field(alias="includeHistory")] = False
    version: Annotated[str | None, Field(max_length=32)] = None
    public: PublicOnly = False
    limit: Annotated[int, Field(ge=1, le=VALUES_MAX)] = VALUES
    cursor: Cursor = None


class ExplainParameters(Document):
    """Which value: an area, and a civil date, or an instant of the hour."""

    area: AreaName
    period: Annotated[str, Field(max_length=TIME_MAX)]
    grain: GrainName | None = None
    public: PublicOnly = False


class ComputeBody(Document):
    """What is computed again, and why; without an area every area that measures it."""

    area: Annotated[list[AreaName], Field(default_factory=list, max_length=AREAS_MAX)]
    grain: GrainName | None = None
    start: Annotated[str, Field(alias="from", max_length=TIME_MAX)]
    to: Annotated[str, Field(max_length=TIME_MAX)]
    cause: CauseName = "correction"


def indicator_item(contract: Contract) -> IndicatorItem:
    """Write an indicator in one line."""
    return IndicatorItem(**_item(contract))


def indicator_document(versions: list[Contract]) -> IndicatorDocument:
    """Write an indicator with its versions, given oldest first."""
    return IndicatorDocument(
        **_item(versions[-1]), versions=[_version(each) for each in reversed(versions)]
    )


def value_document(row: Published, contract: Contract) -> ValueDocument:
    """Write a value."""
    return ValueDocument(**value_members(row, contract))


def _item(contract: Contract) -> dict[str, Any]:
    return {
        "indicator": contract.id,
        "version": contract.version,
        "title": contract.title["en"],
        "unit": contract.unit,
        "grains": list(contract.grains),
        "provisional": contract.provisional,
        "valid_from": contract.valid_from.isoformat(),
        "valid_to": None if contract.valid_to is None else contract.valid_to.isoformat(),
    }


def _version(contract: Contract) -> VersionDocument:
    return VersionDocument(
        version=contract.version,
        hash=contract_hash(contract),
        formula=formula_words(contract),
        sources=[source_document(each) for each in contract.sources],
        definition=msgspec.to_builtins(contract),
    )


def source_document(source: Source) -> SourceDocument:
    """Write a source."""
    return SourceDocument(
        document=source.document, section=source.section, url=source.url, mark=source.mark
    )


def value_members(row: Published, contract: Contract) -> dict[str, Any]:
    """Return the members of a value."""
    whole = row.value is not None and contract.rounding.digits == 0
    return {
        "area": row.area,
        "start": to_text(row.start_us),
        "end": to_text(row.end_us),
        "tz": row.tz,
        "value": int(row.value) if whole and row.value is not None else row.value,
        "unrounded": row.unrounded,
        "band": row.band,
        "main_input": row.main_input,
        "completeness": row.completeness,
        "n_used": row.n_used,
        "n_expected": row.n_expected,
        "state": row.state,
        "marks": list(row.marks),
        "revision": row.revision,
        "reason": row.reason,
        "computed_at": to_text(row.computed_us),
    }
