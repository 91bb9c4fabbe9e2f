"""What the API says of where a value came from."""

from typing import Any

from city.instants import to_text
from city.pauses import END_US
from indicators.contracts import contract_hash
from indicators.explain import PartExplained
from indicators.formula_words import formula_words
from services.api.indicator_documents import (
    SourceDocument,
    ValueDocument,
    source_document,
    value_document,
    value_members,
)
from services.asking import Document
from services.indicators import Explained, SeriesExplained

__all__ = [
    "ComponentDocument",
    "CorrectionDocument",
    "ExcludedDocument",
    "ExplanationDocument",
    "InputDocument",
    "LedgerDocument",
    "LedgerLine",
    "PartDocument",
    "RevisionDocument",
    "explanation_document",
]


class RevisionDocument(ValueDocument):
    """A revision, and why it was computed."""

    cause: str | None


class PartDocument(Document):
    """An hour or a period that is judged by itself."""

    start: str
    end: str
    used: int
    expected: int
    counted: bool


class ExcludedDocument(Document):
    """Observations that were left out for one reason."""

    reason: str
    count: int


class CorrectionDocument(Document):
    """A calibration: corrected = factor x value + offset; `end` is null until further notice."""

    start: str
    end: str | None
    factor: float
    offset: float


class InputDocument(Document):
    """What one series gave; `observations_at` lists the observations themselves, page by page."""

    device: str
    quantity: str
    unit: str | None
    series: int
    start: str
    end: str
    observations: int
    used: int
    flags: dict[str, int]
    excluded: list[ExcludedDocument]
    conflicts: int
    interval_s: float
    interval_declared: bool
    corrections: list[CorrectionDocument]
    parts: list[PartDocument]
    observations_at: str


class ComponentDocument(ValueDocument):
    """A result that the value was made of."""

    indicator: str


class LedgerLine(Document):
    """The ledger of one provider over the minutes in which the inputs were received."""

    provider: str
    received: int
    accepted: int
    quarantined: int
    duplicate: int


class LedgerDocument(Document):
    """What came in while the inputs were received; `pending` waits now, of all providers."""

    since: str
    until: str
    providers: list[LedgerLine]
    held: dict[str, int]
    pending: int | None


class ExplanationDocument(Document):
    """Where a value came from."""

    indicator: str
    version: str
    title: str
    unit: str
    hash: str
    formula: str
    provisional: bool
    sources: list[SourceDocument]
    value: ValueDocument
    revisions: list[RevisionDocument]
    components: list[ComponentDocument]
    inputs: list[InputDocument]
    ledger: LedgerDocument
    inputs_hash: str
    lineage: dict[str, Any]


def explanation_document(found: Explained, ledger: LedgerDocument) -> ExplanationDocument:
    """Write where a value came from."""
    contract = found.contract
    return ExplanationDocument(
        indicator=contract.id,
        version=contract.version,
        title=contract.title["en"],
        unit=contract.unit,
        hash=contract_hash(contract),
        formula=formula_words(contract),
        provisional=contract.provisional,
        sources=[source_document(each) for each in contract.sources],
        value=value_document(found.row, contract),
        revisions=[
            RevisionDocument(**value_members(row, contract), cause=row.cause)
            for row in found.revisions
        ],
        components=[
            ComponentDocument(**value_members(row, contract), indicator=row.indicator)
            for row in found.components
        ],
        inputs=[_input(each) for each in found.inputs],
        ledger=ledger,
        inputs_hash=found.inputs_hash,
        lineage=found.lineage,
    )


def _input(found: SeriesExplained) -> InputDocument:
    series, given = found.series, found.given
    device = f"{series.provider}/{series.device}"
    start, end = to_text(given.span.start_us), to_text(given.span.end_us)
    return InputDocument(
        device=device,
        quantity=series.quantity,
        unit=series.unit,
        series=series.series,
        start=start,
        end=end,
        observations=given.observations,
        used=given.used,
        flags={str(flag): count for flag, count in given.flags.items()},
        excluded=[
            ExcludedDocument(reason=each.reason, count=each.count) for each in given.excluded
        ],
        conflicts=found.conflicts,
        interval_s=given.interval_us / 1_000_000,
        interval_declared=found.declared,
        corrections=[
            CorrectionDocument(
                start=to_text(each.from_us),
                end=None if each.until_us == END_US else to_text(each.until_us),
                factor=each.factor,
                offset=each.offset,
            )
            for each in found.corrections
        ],
        parts=[_part(each) for each in given.parts],
        observations_at=f"/v1/observations?device={device}&quantity={series.quantity}"
        f"&from={start}&to={end}",
    )


def _part(part: PartExplained) -> PartDocument:
    return PartDocument(
        start=to_text(part.window.start_us),
        end=to_text(part.window.end_us),
        used=part.used,
        expected=part.expected,
        counted=part.counted,
    )
