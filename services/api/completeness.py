"""`/v1/device-completeness`: how much of what a device should have sent in a time has come."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from city.clock import US_PER_S
from city.instants import to_text
from indicators.civil import Window
from indicators.formulas.network import availability, delivery
from registry.records import DeviceRecord
from registry.sites import Site
from services.api.indicator_asking import bad_request
from services.asking import Document, answer, instant
from services.authority import Reader, Running
from services.parts import ServicesParts
from services.problems import PROBLEMS

__all__ = [
    "CompletenessDocument",
    "CompletenessParameters",
    "FramesDocument",
    "SlotsDocument",
    "read_completeness",
    "router",
]

router = APIRouter(prefix="/v1/device-completeness", tags=["devices"], responses=PROBLEMS)

DAY_US = 86_400 * US_PER_S
LONGEST_US = 366 * DAY_US
WORD_MAX = 300
Instant = Annotated[str | None, Field(max_length=40)]


class CompletenessParameters(Document):
    """Of which device, and in which time: `from` is included, `to` is not; the last 24 hours."""

    device: Annotated[str, Field(max_length=WORD_MAX)]
    start: Annotated[Instant, Field(alias="from")] = None
    to: Instant = None


class SlotsDocument(Document):
    """Slots of the expected interval with at least one observation; maintenance has none."""

    interval_s: float
    used: int
    expected: int
    availability: float


class FramesDocument(Document):
    """Messages by the frame counter of the device, from the first to the last that came.

    Attributes:
        restarts: How often the device began to count anew.
        delivery: Share of what was sent that has come.
    """

    received: int
    missing: int
    restarts: int
    delivery: float


class CompletenessDocument(Document):
    """What has come; `slots` is null where nobody knows how often the device reports.

    `frames` is null where its messages bear no counter.
    """

    device: str
    start: str
    end: str
    slots: SlotsDocument | None
    frames: FramesDocument | None


class _Metadata(msgspec.Struct, frozen=True):
    f_cnt: int | None = None


_metadata = msgspec.json.Decoder(_Metadata)


@router.get("", response_model=CompletenessDocument)
async def read_completeness(
    request: Request,
    running: Running,
    caller: Reader,
    asked: Annotated[CompletenessParameters, Query()],
) -> Response:
    """Say how much of what a device should have sent has come: by slots, and by frame counters."""
    parts = running.parts
    device = await running.threads.run(parts.registry.devices.find, caller.scope, asked.device)
    window = _window(asked, parts.clock.now_us())
    return answer(request, await running.threads.run(_completeness, parts, device, window))


def _window(asked: CompletenessParameters, now_us: int) -> Window:
    end_us = instant("to", asked.to) or now_us
    start_us = instant("from", asked.start)
    window = Window(end_us - DAY_US if start_us is None else start_us, end_us)
    if window.end_us <= window.start_us:
        raise bad_request("to", "it is not after `from`")
    if window.length_us > LONGEST_US:
        raise bad_request("from", "ask for at most 366 days")
    return window


def _completeness(
    parts: ServicesParts, device: DeviceRecord, window: Window
) -> CompletenessDocument:
    series = [
        each.series
        for each in parts.store.series()
        if (each.provider, each.device) == (device.provider, device.id)
    ]
    table = parts.store.columns(series, window.start_us, window.end_us)
    rows: list[dict[str, Any]] = table.select(["time_us", "metadata"]).to_pylist()
    site = next(
        (
            each
            for each in parts.registry.sites.all().sites
            if (each.provider, each.device) == (device.provider, device.id)
        ),
        None,
    )
    return CompletenessDocument(
        device=f"{device.provider}/{device.id}",
        start=to_text(window.start_us),
        end=to_text(window.end_us),
        slots=_slots([row["time_us"] for row in rows], site, window),
        frames=_frames(rows),
    )


def _order(numbered: tuple[int, int | None]) -> tuple[int, int]:
    return numbered[0], -1 if numbered[1] is None else numbered[1]


def _slots(times_us: list[int], site: Site | None, window: Window) -> SlotsDocument | None:
    if site is None or site.interval_s is None:
        return None
    found = availability(times_us, round(site.interval_s * US_PER_S), window, site.pauses)
    return SlotsDocument(
        interval_s=site.interval_s,
        used=found.used,
        expected=found.expected,
        availability=found.completeness,
    )


def _frames(rows: list[dict[str, Any]]) -> FramesDocument | None:
    numbered = {
        (row["time_us"], _metadata.decode(row["metadata"]).f_cnt)
        for row in rows
        if row["metadata"] is not None
    }
    found = delivery([number for _, number in sorted(numbered, key=_order) if number is not None])
    if found is None:
        return None
    return FramesDocument(
        received=found.received,
        missing=found.missing,
        restarts=found.restarts,
        delivery=float(found.share),
    )
