"""What the API says of devices, and is told."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from city.instants import to_text
from registry.facts import DeviceStatus
from registry.records import DeviceDraft, DeviceRecord, SiteClass
from services.asking import Cursor, Document, Limit

__all__ = [
    "AcceptBody",
    "AcceptedDocument",
    "DeviceBody",
    "DeviceChange",
    "DeviceDocument",
    "DevicePage",
    "DeviceParameters",
    "DevicesBody",
    "ImportDocument",
    "PlanBody",
    "PlanDocument",
    "PlannedDocument",
    "UnknownFilter",
    "device_document",
    "device_draft",
]

LIMIT = 100
MANY = 10_000
ACCEPTED_MAX = 1_000
WORDS_MAX = 200

Words = Annotated[str | None, Field(max_length=WORDS_MAX)]


class DeviceChange(Document):
    """Members that change; the others stay.

    Attributes:
        kind: What it is for: `air`, `noise`, `parking`, ...
        expected_interval_s: How often it should report; null takes that of its profile.
        lat, lon, timezone: Its own; null takes those of its place.
        district: Null takes the one whose outline holds the position, or that of its place.
        site_class: What a station stands for.
        population: How many people it stands for.
        profile: What it has in common with others of its make.
    """

    kind: str = ""
    name: str = ""
    status: DeviceStatus = "active"
    expected_interval_s: float | None = None
    lat: float | None = None
    lon: float | None = None
    district: str | None = None
    place: str | None = None
    tags: tuple[str, ...] = ()
    address: str = ""
    timezone: str | None = None
    site_class: SiteClass | None = None
    population: int | None = None
    profile: str | None = None
    installed_on: date | None = None
    retired_on: date | None = None


class DeviceBody(DeviceChange):
    """A device; its provider is registered with it where nobody has."""

    provider: str
    id: str


class DeviceDocument(DeviceBody):
    """A device as it is registered; `device` is its name: `provider/id`.

    `in_district` is the district that holds for it, by whatever was said or found.
    """

    device: str
    in_district: str | None
    created_at: str
    updated_at: str


class DevicePage(Document):
    """Devices by provider and id, and where to go on."""

    items: list[DeviceDocument]
    next: str | None


class DevicesBody(Document):
    """Many devices: new ones are registered, known ones replaced."""

    items: Annotated[list[DeviceBody], Field(max_length=MANY)]


class ImportDocument(Document):
    """What became of many devices."""

    created: int
    changed: int
    unchanged: int


class PlanBody(Document):
    """Devices with the members that are known of each, `provider` and `id` among them."""

    items: Annotated[list[dict[str, Any]], Field(max_length=MANY)]


class PlannedDocument(Document):
    """What would become of one: which `fields` change, or in `words` what is wrong."""

    verdict: Literal["new", "changed", "unchanged", "wrong"]
    fields: list[str]
    words: str


class PlanDocument(Document):
    """What would become of each, in the order in which they were sent."""

    items: list[PlannedDocument]


class UnknownFilter(Document):
    """Which unknown devices, as `GET /v1/unknown-devices` lists them; retired ones stay."""

    provider: Words = None
    route: Words = None
    name: Words = None
    kind: Words = None


class AcceptBody(Document):
    """Devices to accept: each as `provider/device`, or all unknown ones of a filter.

    Attributes:
        kind: What those are for that nobody has said it of; empty: nobody says it now either.
        guess: Of a filter: the kind is the guessed one where `kind` is empty.
    """

    devices: Annotated[tuple[str, ...], Field(max_length=ACCEPTED_MAX)] = ()
    filter: UnknownFilter | None = None
    kind: str = ""
    guess: bool = False


class AcceptedDocument(Document):
    """How many of how many became active now; those that were stay so."""

    accepted: int
    chosen: int


class DeviceParameters(Document):
    """Which devices; `text` is part of the id or the name."""

    provider: Words = None
    kind: Words = None
    status: DeviceStatus | None = None
    district: Words = None
    text: Words = None
    limit: Limit = LIMIT
    cursor: Cursor = None


def device_document(record: DeviceRecord) -> DeviceDocument:
    """Write a device."""
    members = {name: getattr(record, name) for name in DeviceBody.model_fields}
    return DeviceDocument(
        **members,
        device=f"{record.provider}/{record.id}",
        in_district=record.in_district,
        created_at=to_text(record.created_us),
        updated_at=to_text(record.updated_us),
    )


def device_draft(body: DeviceBody) -> DeviceDraft:
    """Read a device."""
    return DeviceDraft(**body.model_dump())
