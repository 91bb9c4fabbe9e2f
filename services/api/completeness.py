"""`/v1/device-completeness`: how much of what a device should have sent in a time has come."""

from typing import Annotated

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
# What one answer reads at most: a month of a device that reports each second.
ROWS_MAX = 3_000_000
WORD_MAX = 300
# Time of an observation, and the number of the frame that it came in.
Heard = tuple[int, int | None]
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
    heard = _heard(parts, device, window)
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
        slots=_slots([time_us for time_us, _ in heard], site, window),
        frames=_frames(heard),
    )


def _heard(parts: ServicesParts, device: DeviceRecord, window: Window) -> list[Heard]:
    """Return the times at which something was measured, with their frame counters, in order.

    Raises:
        ProblemError: 422, if that is more than one answer may read.
    """
    series = [
        each.series
        for each in parts.store.series()
        if (each.provider, each.device) == (device.provider, device.id)
    ]
    found: set[Heard] = set()
    read = 0
    for start_us in range(window.start_us, window.end_us, DAY_US):
        end_us = min(start_us + DAY_US, window.end_us)
        table = parts.store.columns(series, start_us, end_us).select(["time_us", "metadata"])
        read += table.num_rows
        if read > ROWS_MAX:
            words = f"it has more than {ROWS_MAX:,} observations then: ask for a shorter time"
            raise bad_request("from", words)
        times: list[int] = table.column("time_us").to_pylist()
        found.update(zip(times, map(_counter, table.column("metadata").to_pylist()), strict=True))
    return sorted(found, key=_order)


def _counter(metadata: str | None) -> int | None:
    return None if metadata is None else _metadata.decode(metadata).f_cnt


def _order(numbered: Heard) -> tuple[int, int]:
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


def _frames(heard: list[Heard]) -> FramesDocument | None:
    found = delivery([number for _, number in heard if number is not None])
    if found is None:
        return None
    return FramesDocument(
        received=found.received,
        missing=found.missing,
        restarts=found.restarts,
        delivery=float(found.share),
    )
