"""`/v1/unknown-devices`: what waits because nobody has registered who sent it, for triage."""

import base64
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from city.instants import to_text
from city.samples import TimeUnit
from services.asking import (
    Cursor,
    Document,
    Limit,
    answer,
    decode_cursor,
    encode_cursor,
    text_or_none,
)
from services.authority import Reader, Running
from services.problems import PROBLEMS
from services.triage import ParkedSample, TriageQuery, UnknownDevice, find_unknown

__all__ = [
    "SampleDocument",
    "SampledDocument",
    "UnknownDeviceDocument",
    "UnknownDevicePage",
    "UnknownDeviceParameters",
    "list_unknown_devices",
    "router",
]

router = APIRouter(prefix="/v1/unknown-devices", tags=["devices"], responses=PROBLEMS)

LIMIT = 50
WORDS_MAX = 200
# Enough to see what it is; `GET /v1/quarantine/{entry}` has all.
PAYLOAD_SHOWN = 1_024

Words = Annotated[str | None, Field(max_length=WORDS_MAX)]


class SampledDocument(Document):
    """An observation that a message would be; `time` is null where it was sent without one."""

    quantity: str
    value: float | int | bool | str
    unit: str | None
    time: str | None


class SampleDocument(Document):
    """A message that waits.

    Attributes:
        entry: Its id in the quarantine.
        payload: Base64 of the first 1,024 bytes; `length` is of the whole.
        fault: Why it cannot be read; empty where it can.
    """

    entry: str
    received_at: str
    topic: str
    payload: str
    length: int
    values: list[SampledDocument]
    fault: str


class UnknownDeviceDocument(Document):
    """A device whose messages wait, and what it seems to be.

    Attributes:
        status: What the registry says: nobody registered it, or it is pending or retired.
        waits_as: Under whose name the messages wait: its own, or that of another device that they
            speak of as well.
        guessed_kind: By its quantities; empty where they tell nothing.
        units: Unit of each quantity; null where nobody knows it.
        time_unit: In what it seems to write times; null where nothing looks like a time.
    """

    device: str
    status: Literal["unknown", "pending", "retired"]
    waits_as: str
    route: str
    codec: str
    messages: int
    first_received: str
    last_received: str
    guessed_kind: str
    units: dict[str, str | None]
    time_unit: TimeUnit | None
    samples: list[SampleDocument]


class UnknownDevicePage(Document):
    """Unknown devices by provider and id, and where to go on."""

    items: list[UnknownDeviceDocument]
    next: str | None


class UnknownDeviceParameters(Document):
    """Which; `name` is a pattern of the name or the id with `*` and `?`, `kind` the guessed one."""

    provider: Words = None
    route: Words = None
    name: Words = None
    kind: Words = None
    limit: Limit = LIMIT
    cursor: Cursor = None


@router.get("", response_model=UnknownDevicePage)
async def list_unknown_devices(
    request: Request,
    running: Running,
    caller: Reader,
    asked: Annotated[UnknownDeviceParameters, Query()],
) -> Response:
    """List devices whose messages wait, with samples and what they seem to be."""
    query = TriageQuery(
        provider=asked.provider,
        route=asked.route,
        name=asked.name,
        kind=asked.kind,
        after=decode_cursor(asked.cursor, tuple[str, str]),
        limit=asked.limit,
    )
    page = await running.threads.run(find_unknown, running.parts, caller.scope, query)
    following = None if page.after is None else encode_cursor(page.after)
    items = [_document(each) for each in page.devices]
    return answer(request, UnknownDevicePage(items=items, next=following))


def _document(found: UnknownDevice) -> UnknownDeviceDocument:
    parked = found.parked
    return UnknownDeviceDocument(
        device="/".join(found.name),
        status=found.status,
        waits_as=f"{parked.provider}/{parked.device}",
        route=parked.route,
        codec=parked.codec,
        messages=parked.messages,
        first_received=to_text(parked.first_us),
        last_received=to_text(parked.last_us),
        guessed_kind=found.kind,
        units=found.units,
        time_unit=found.time_unit,
        samples=[_sample(each) for each in found.samples],
    )


def _sample(sample: ParkedSample) -> SampleDocument:
    entry = sample.entry
    values = [
        SampledDocument(
            quantity=each.quantity,
            value=each.value,
            unit=each.unit,
            time=text_or_none(each.time_us),
        )
        for each in sample.values
    ]
    return SampleDocument(
        entry=entry.id,
        received_at=to_text(entry.received_us),
        topic=entry.topic,
        payload=base64.b64encode(entry.payload[:PAYLOAD_SHOWN]).decode(),
        length=entry.length,
        values=values,
        fault=sample.fault,
    )
