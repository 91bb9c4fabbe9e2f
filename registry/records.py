"""What people see and say of the relational facts: drafts go in, records come out."""

from datetime import date
from typing import Any, Literal

import msgspec

from registry.facts import DeviceStatus

__all__ = [
    "AuditQuery",
    "AuditRecord",
    "CalibrationDraft",
    "CalibrationRecord",
    "DeviceCounts",
    "DeviceDraft",
    "DeviceQuery",
    "DeviceRecord",
    "DistrictDraft",
    "DistrictRecord",
    "HardwareDraft",
    "HardwareRecord",
    "ImportResult",
    "KeyRecord",
    "MaintenanceDraft",
    "MaintenanceRecord",
    "PlaceDraft",
    "PlaceRecord",
    "PlannedDevice",
    "ProfileDraft",
    "ProfileRecord",
    "ProviderDraft",
    "ProviderRecord",
    "QuantityLimits",
    "RouteDraft",
    "RouteRecord",
    "SiteClass",
    "UserRecord",
]


# What a station stands for, in the words of the air quality directives.
SiteClass = Literal["traffic", "background"]


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
        district: As somebody said; None: the one whose outline holds the position.
        timezone: IANA zone of its civil days; None: the city's.
    """

    name: str
    title: str = ""
    lat: float | None = None
    lon: float | None = None
    district: str | None = None
    timezone: str | None = None
    address: str = ""


class PlaceRecord(PlaceDraft, frozen=True, kw_only=True):
    """A place as it is registered.

    Attributes:
        in_district: As said, else by its position.
    """

    in_district: str | None
    created_us: int
    updated_us: int


class DeviceDraft(msgspec.Struct, frozen=True):
    """A device; what it leaves out its place and its profile say.

    Attributes:
        district: As somebody said; None: the one whose outline holds its position, or the place's.
        site_class: Stations of different classes are not mixed where that matters.
        population: How many people it stands for.
        installed_on, retired_on: Civil days.
    """

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
    address: str = ""
    timezone: str | None = None
    site_class: SiteClass | None = None
    population: int | None = None
    profile: str | None = None
    installed_on: date | None = None
    retired_on: date | None = None


class DeviceRecord(DeviceDraft, frozen=True, kw_only=True):
    """A device as it is registered.

    Attributes:
        in_district: As said, else by its position, else its place's.
    """

    in_district: str | None
    created_us: int
    updated_us: int


class DistrictDraft(msgspec.Struct, frozen=True):
    """A part of the city.

    Attributes:
        geometry: GeoJSON (RFC 7946) Polygon or MultiPolygon: longitude before latitude.
    """

    name: str
    geometry: dict[str, Any]
    title: str = ""
    population: int | None = None


class DistrictRecord(DistrictDraft, frozen=True, kw_only=True):
    """A district as it is registered."""

    created_us: int
    updated_us: int


class QuantityLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a quantity of a make of devices; None where nobody said.

    Source: the tests of QARTOD (range, spike, rate of change, flat line), thresholds in `unit`.

    Attributes:
        unit: UCUM code.
        sensor_min, sensor_max: Beyond them a value fails.
        expected_min, expected_max: Beyond them a value is suspect.
        spike_suspect, spike_fail: Distance from the mean of both neighbours.
        rate_suspect, rate_fail: Change a second.
        flat_suspect_s, flat_fail_s: How long values may stay within `flat_tolerance`.
        detection_limit: Limit of detection.
    """

    unit: str | None = None
    sensor_min: float | None = None
    sensor_max: float | None = None
    expected_min: float | None = None
    expected_max: float | None = None
    spike_suspect: float | None = None
    spike_fail: float | None = None
    rate_suspect: float | None = None
    rate_fail: float | None = None
    flat_suspect_s: float | None = None
    flat_fail_s: float | None = None
    flat_tolerance: float | None = None
    detection_limit: float | None = None


class ProfileDraft(msgspec.Struct, frozen=True):
    """What devices of one make have in common; a device's own words win."""

    name: str
    title: str = ""
    kind: str = ""
    expected_interval_s: float | None = None
    quantities: dict[str, QuantityLimits] = {}


class ProfileRecord(ProfileDraft, frozen=True, kw_only=True):
    """A profile as it is registered."""

    created_us: int
    updated_us: int


class CalibrationDraft(msgspec.Struct, frozen=True):
    """Corrected = factor x value + offset, from an instant until another; in the series' unit.

    Attributes:
        valid_until_us: Excluded; None: until further notice.
    """

    provider: str
    device: str
    quantity: str
    valid_from_us: int
    valid_until_us: int | None = None
    factor: float = 1.0
    offset: float = 0.0
    note: str = ""


class CalibrationRecord(CalibrationDraft, frozen=True, kw_only=True):
    """A calibration as it is registered."""

    id: int
    created_us: int


class HardwareDraft(msgspec.Struct, frozen=True):
    """New hardware in a device's place: same series, same history.

    Attributes:
        hardware: The id that it sends; of the same provider.
        at_us: From which time of observations on.
    """

    provider: str
    device: str
    hardware: str
    at_us: int
    note: str = ""


class HardwareRecord(msgspec.Struct, frozen=True):
    """Which hardware stood in a device's place; None: since ever, or until further notice."""

    id: int
    provider: str
    device: str
    hardware: str
    from_us: int | None
    until_us: int | None
    note: str
    created_us: int


class MaintenanceDraft(msgspec.Struct, frozen=True):
    """A device is being worked on: what is missing then is not missed, what comes does not count.

    Attributes:
        until_us: Excluded; None: until further notice.
    """

    provider: str
    device: str
    from_us: int
    until_us: int | None = None
    note: str = ""


class MaintenanceRecord(MaintenanceDraft, frozen=True, kw_only=True):
    """A maintenance as it is registered."""

    id: int
    created_us: int


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


class PlannedDevice(msgspec.Struct, frozen=True):
    """What would become of one device of many.

    Attributes:
        fields: Which of them change.
        words: What is wrong.
    """

    verdict: Literal["new", "changed", "unchanged", "wrong"]
    fields: tuple[str, ...] = ()
    words: str = ""


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
    """A key of the API. The secret is nowhere.

    Attributes:
        provider, route: Given, the key may do nothing but send messages, to routes of this
            provider, to this route.
    """

    id: str
    name: str
    created_us: int
    provider: str | None = None
    route: str | None = None

    @property
    def sends_only(self) -> bool:
        """Say whether it opens the HTTP uplink and nothing else."""
        return self.provider is not None or self.route is not None


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
