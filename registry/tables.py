"""The tables, as SQLAlchemy sees them; what they were before is told by the migrations."""

from datetime import date
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Date, Float, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = [
    "NUMBER",
    "AuditRow",
    "CalibrationRow",
    "CounterRow",
    "DeviceRow",
    "DistrictRow",
    "HardwareRow",
    "KeyRow",
    "MaintenanceRow",
    "PlaceRow",
    "ProfileRow",
    "ProviderRow",
    "RouteRow",
    "Tables",
    "UserRow",
    "words",
]

# SQLite numbers rows by itself only where the key is a plain INTEGER.
NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")
# A device id has up to 128 characters, each of which may be written as %XX.
DEVICE_ID_MAX: Final = 200


def words(length: int) -> String:
    """Return the type of a text column, in order of code points whatever database it is.

    PostgreSQL would sort by the language of its cluster, and pages of lists go on behind a name.
    """
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class Tables(DeclarativeBase):
    """Every table; instants are microseconds since the epoch, UTC."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads the attribute as it stands
        int: BigInteger,
        float: Float(53),
        date: Date,
        list[str]: JSON,
        list[int]: JSON,
        dict[str, Any]: JSON,
    }


class CounterRow(Tables):
    """Counters that only grow: `facts` numbers what ingest reads, `access` what gateways read."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(words(16), primary_key=True)
    value: Mapped[int]


class ProviderRow(Tables):
    """Departments and suppliers."""

    __tablename__ = "providers"

    name: Mapped[str] = mapped_column(words(64), primary_key=True)
    title: Mapped[str] = mapped_column(words(200))
    contact: Mapped[str] = mapped_column(words(200))
    revision: Mapped[int] = mapped_column(index=True)
    created_us: Mapped[int]
    updated_us: Mapped[int]


class PlaceRow(Tables):
    """Points of the city that devices stand at."""

    __tablename__ = "places"

    name: Mapped[str] = mapped_column(words(64), primary_key=True)
    title: Mapped[str] = mapped_column(words(200))
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    district: Mapped[str | None] = mapped_column(words(64))
    timezone: Mapped[str | None] = mapped_column(words(64))
    address: Mapped[str] = mapped_column(words(200))
    found_district: Mapped[str | None] = mapped_column(words(64))
    created_us: Mapped[int]
    updated_us: Mapped[int]


class DistrictRow(Tables):
    """Parts of the city, each with its outline."""

    __tablename__ = "districts"

    name: Mapped[str] = mapped_column(words(64), primary_key=True)
    title: Mapped[str] = mapped_column(words(200))
    population: Mapped[int | None]
    geometry: Mapped[dict[str, Any]]
    created_us: Mapped[int]
    updated_us: Mapped[int]


class ProfileRow(Tables):
    """What devices of one make have in common."""

    __tablename__ = "profiles"

    name: Mapped[str] = mapped_column(words(64), primary_key=True)
    title: Mapped[str] = mapped_column(words(200))
    kind: Mapped[str] = mapped_column(words(64))
    expected_interval_s: Mapped[float | None]
    quantities: Mapped[dict[str, Any]]
    created_us: Mapped[int]
    updated_us: Mapped[int]


class CalibrationRow(Tables):
    """What has to be done to a device's values to correct them, for a time."""

    __tablename__ = "calibrations"
    __table_args__ = (Index("calibrations_by_device", "provider", "device", "quantity"),)

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    provider: Mapped[str] = mapped_column(words(64))
    device: Mapped[str] = mapped_column(words(DEVICE_ID_MAX))
    quantity: Mapped[str] = mapped_column(words(64))
    factor: Mapped[float]
    offset: Mapped[float]
    valid_from_us: Mapped[int]
    valid_until_us: Mapped[int | None]
    note: Mapped[str] = mapped_column(words(200))
    created_us: Mapped[int]


class DeviceRow(Tables):
    """Devices; what they do not say themselves their place and their profile say.

    `district` is what somebody said, `found_district` the one whose polygon holds the position.
    """

    __tablename__ = "devices"
    __table_args__ = (Index("devices_by_id", "id"),)

    provider: Mapped[str] = mapped_column(ForeignKey("providers.name"), primary_key=True)
    id: Mapped[str] = mapped_column(words(DEVICE_ID_MAX), primary_key=True)
    kind: Mapped[str] = mapped_column(words(64))
    name: Mapped[str] = mapped_column(words(200))
    status: Mapped[str] = mapped_column(words(16))
    expected_interval_s: Mapped[float | None]
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    district: Mapped[str | None] = mapped_column(words(64))
    place: Mapped[str | None] = mapped_column(ForeignKey("places.name"), index=True)
    tags: Mapped[list[str]]
    address: Mapped[str] = mapped_column(words(200))
    timezone: Mapped[str | None] = mapped_column(words(64))
    site_class: Mapped[str | None] = mapped_column(words(16))
    population: Mapped[int | None]
    profile: Mapped[str | None] = mapped_column(ForeignKey("profiles.name"), index=True)
    installed_on: Mapped[date | None]
    retired_on: Mapped[date | None]
    found_district: Mapped[str | None] = mapped_column(words(64))
    revision: Mapped[int] = mapped_column(index=True)
    created_us: Mapped[int]
    updated_us: Mapped[int]


class HardwareRow(Tables):
    """Which hardware, by the id that it sends, stood in a device's place from when until when.

    A device that was never replaced has no row: it is its own hardware.
    """

    __tablename__ = "device_hardware"
    __table_args__ = (
        Index("hardware_by_device", "provider", "device"),
        Index("hardware_by_id", "provider", "hardware"),
    )

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    provider: Mapped[str] = mapped_column(words(64))
    device: Mapped[str] = mapped_column(words(DEVICE_ID_MAX))
    hardware: Mapped[str] = mapped_column(words(DEVICE_ID_MAX))
    from_us: Mapped[int | None]
    until_us: Mapped[int | None]
    note: Mapped[str] = mapped_column(words(200))
    revision: Mapped[int] = mapped_column(index=True)
    created_us: Mapped[int]


class MaintenanceRow(Tables):
    """When a device is being worked on: what is missing then is not missed."""

    __tablename__ = "maintenance"
    __table_args__ = (Index("maintenance_by_device", "provider", "device"),)

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    provider: Mapped[str] = mapped_column(words(64))
    device: Mapped[str] = mapped_column(words(DEVICE_ID_MAX))
    from_us: Mapped[int]
    until_us: Mapped[int | None]
    note: Mapped[str] = mapped_column(words(200))
    created_us: Mapped[int]


class RouteRow(Tables):
    """Topic pattern to codec and provider; a removed route stays, since the ledger names it."""

    __tablename__ = "routes"

    name: Mapped[str] = mapped_column(words(64), primary_key=True)
    pattern: Mapped[str] = mapped_column(words(512))
    codec: Mapped[str] = mapped_column(words(64))
    provider: Mapped[str | None] = mapped_column(ForeignKey("providers.name"))
    recorded: Mapped[bool]
    timezone: Mapped[str | None] = mapped_column(words(64))
    enabled: Mapped[bool]
    removed: Mapped[bool]
    options: Mapped[dict[str, Any]]
    levels: Mapped[list[int]]
    revision: Mapped[int] = mapped_column(index=True)
    created_us: Mapped[int]
    updated_us: Mapped[int]


class UserRow(Tables):
    """MQTT users: a provider, or one device of it. No secret is kept, only its salted hash."""

    __tablename__ = "users"

    name: Mapped[str] = mapped_column(words(200), primary_key=True)
    provider: Mapped[str] = mapped_column(ForeignKey("providers.name"), index=True)
    device: Mapped[str | None] = mapped_column(words(DEVICE_ID_MAX))
    salt: Mapped[str] = mapped_column(words(64))
    secret_sha256: Mapped[str] = mapped_column(words(64))
    disabled: Mapped[bool]
    created_us: Mapped[int]
    updated_us: Mapped[int]


class KeyRow(Tables):
    """Keys of the API beside the admin key of the data folder; hashes only."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(words(32), primary_key=True)
    name: Mapped[str] = mapped_column(words(200))
    secret_sha256: Mapped[str] = mapped_column(words(64), unique=True)
    provider: Mapped[str | None] = mapped_column(words(64))
    route: Mapped[str | None] = mapped_column(words(64))
    created_us: Mapped[int]


class AuditRow(Tables):
    """Who changed what, in the transaction of the change."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    time_us: Mapped[int] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(words(200))
    action: Mapped[str] = mapped_column(words(64))
    subject: Mapped[str] = mapped_column(words(300))
    detail: Mapped[str] = mapped_column(Text)
