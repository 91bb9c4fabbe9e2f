"""`/v1/inspect`: what came in lately and no route reads, and what it seems to be."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from city.topics import TopicFilterError, check_filter
from services.asking import Document, answer
from services.authority import Changer, Running
from services.problems import PROBLEMS, ProblemError

__all__ = [
    "CandidateDocument",
    "FoundDeviceDocument",
    "FoundQuantityDocument",
    "InspectDocument",
    "InspectParameters",
    "SampleDocument",
    "TrafficDocument",
    "inspect_traffic",
    "router",
]

router = APIRouter(prefix="/v1/inspect", tags=["inspect"], responses=PROBLEMS)

FILTER_MAX = 1_000
BACK_MAX_S = 3_600.0
NAME_MAX = 64

Confidence = Literal["high", "medium", "low"]


class InspectParameters(Document):
    """Which topics, how many seconds back, and whose devices they are."""

    topic: Annotated[str, Field(min_length=1, max_length=FILTER_MAX)] = "#"
    seconds: Annotated[float, Field(ge=1, le=BACK_MAX_S)] = 30.0
    provider: Annotated[str | None, Field(max_length=NAME_MAX)] = None


class SampleDocument(Document):
    """The beginning of a message: text, or hexadecimal where it is none."""

    topic: str
    payload: str
    length: int


class CandidateDocument(Document):
    """What one format makes of the samples, and why it cannot read one."""

    codec: str
    read: int
    of: int
    values: list[dict[str, Any]]
    fault: str


class FoundQuantityDocument(Document):
    """A quantity that the proposal reads, and what its unit rests on."""

    quantity: str
    unit: str | None
    example: float | int | bool | str
    confidence: Confidence
    why: str
    sent_as: str


class FoundDeviceDocument(Document):
    """A device that was heard; `kind` is a guess, empty where its quantities tell nothing."""

    provider: str
    id: str
    kind: str
    messages: int
    quantities: list[str]
    interval_s: float | None


class TrafficDocument(Document):
    """Messages of one topic pattern: the route that reads them, or that is proposed.

    Attributes:
        codec: Empty where nothing can be proposed.
        faults: What could not be read so, and how often.
        notes: What the proposal does not read, or a person has to decide.
    """

    pattern: str
    messages: int
    topics: int
    route: str
    registered: bool
    codec: str
    provider: str
    options: dict[str, Any]
    confidence: Confidence
    why: str
    samples: list[SampleDocument]
    candidates: list[CandidateDocument]
    quantities: list[FoundQuantityDocument]
    devices: list[FoundDeviceDocument]
    faults: dict[str, int]
    notes: list[str]


class InspectDocument(Document):
    """What was found; `cut` where more came than are looked at."""

    messages: int
    groups: list[TrafficDocument]
    cut: bool


@router.get("", response_model=InspectDocument)
async def inspect_traffic(
    request: Request,
    running: Running,
    _caller: Changer,
    asked: Annotated[InspectParameters, Query()],
) -> Response:
    """Say what came in lately seems to be, and propose what reads it; nothing is changed.

    Messages are shown, so it needs a key.
    """
    try:
        check_filter(asked.topic.encode())
    except TopicFilterError as error:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        mend = "an MQTT topic filter: vendor/#"
        raise ProblemError(
            status, "invalid", f"topic: {error}", field="topic", mend=mend
        ) from error
    parts = running.parts
    routes = await running.threads.run(parts.registry.routes.facts)
    found = await running.threads.run(
        parts.inspects.look, routes, asked.topic.encode(), asked.seconds, asked.provider
    )
    return answer(request, InspectDocument.model_validate(found))
