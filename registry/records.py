"""What people see and say of the relational facts: drafts go in, records come out."""

from typing import Any

import msgspec

from registry.facts import DeviceStatus

__all__ = [
    "AuditQuery",
    "AuditRecord",
    "DeviceCounts",
    "DeviceDraft",
    "DeviceQuery",
    "DeviceRecord",
    "ImportResult",
    "KeyRecord",
    "PlaceDraft",
    "PlaceRecord",
    "ProviderDraft",
    "ProviderRecord",
    "RouteDraft",
    "RouteRecord",
    "UserRecord",
]


class ProviderDraft(msgspec.Struct, frozen=True):
    """A department or supplier; `contact` is words for people."""

    name: str
    title: str = ""
    contact: str = ""


class ProviderRecord(ProviderDraft, frozen=True, kw_only=True):
    """A provider as it is registered."""

    created_us: int
    updated_us: int


class PlaceDraft(msgspec.Struct, frozen=True):
    """A point of the city; WGS 84 degrees.

    Attributes:
        timezone: IANA zone of its civil days; None: the city's.
    """

    name: str
    title: str = ""
    lat: float | None = None
    lon: float | None = None
    district: str | None = None
    timezone: str | None = None


class PlaceRecord(PlaceDraft, frozen=True, kw_only=True):
    """A place as it is registered."""

    created_us: int
    updated_us: int


class DeviceDraft(msgspec.Struct, frozen=True):
    """A device; `lat`, `lon` and `district` are its own, None takes the place's."""

    provider: str
    id: str
    kind: str = ""
    name: str = ""
    status: DeviceStatus = "active"
    expected_interval_s: float | None = None
    lat: float | None = None
    lon: float | None = None
    district: str | None = None
    place: str | None = None
    tags: tuple[str, ...] = ()


class DeviceRecord(DeviceDraft, frozen=True, kw_only=True):
    """A device as it is registered."""

    created_us: int
    updated_us: int


class DeviceQuery(msgspec.Struct, frozen=True):
    """Which devices, by provider and id; None means any.

    Attributes:
        text: Part of the id or of the name, whatever the case.
        after: Provider and id of the last one seen.
    """

    provider: str | None = None
    kind: str | None = None
    status: DeviceStatus | None = None
    district: str | None = None
    text: str | None = None
    after: tuple[str, str] | None = None
    limit: int = 100


class DeviceCounts(msgspec.Struct, frozen=True):
    """How many devices there are by status."""

    pending: int = 0
    active: int = 0
    retired: int = 0


class ImportResult(msgspec.Struct, frozen=True):
    """What became of many drafts at once."""

    created: int
    changed: int
    unchanged: int


class RouteDraft(msgspec.Struct, frozen=True):
    """Topic pattern to codec and provider: see `registry.facts.Route`.

    Attributes:
        options: For the codec.
        levels: Topic levels that decide the shard, the first is 1; empty: the platform's rule.
    """

    name: str
    pattern: str
    codec: str
    provider: str | None = None
    recorded: bool = False
    timezone: str | None = None
    enabled: bool = True
    options: dict[str, Any] = {}
    levels: tuple[int, ...] = ()


class RouteRecord(RouteDraft, frozen=True, kw_only=True):
    """A route as it is registered."""

    created_us: int
    updated_us: int


class UserRecord(msgspec.Struct, frozen=True):
    """An MQTT user: a provider, or one device of it. The secret is nowhere."""

    name: str
    provider: str
    device: str | None
    disabled: bool
    created_us: int
    updated_us: int


class KeyRecord(msgspec.Struct, frozen=True):
    """A key of the API. The secret is nowhere."""

    id: str
    name: str
    created_us: int


class AuditQuery(msgspec.Struct, frozen=True):
    """Which changes, newest first; `before` is the id of the last one seen."""

    actor: str | None = None
    subject: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    before: int | None = None
    limit: int = 100


class AuditRecord(msgspec.Struct, frozen=True):
    """One change: who did what to what."""

    id: int
    time_us: int
    actor: str
    action: str
    subject: str
    detail: str
