"""What a fact may say: checked before anything is written.

Names become topic levels, ledger labels and parts of addresses, so they are narrow on purpose.
Source: the platform's payload formats, section 0.3 (device ids) and section 1 (reserved names).
"""

import math
import re
from typing import Final
from zoneinfo import ZoneInfo

from city.quantities import QUANTITY_PATTERN
from city.topics import TopicFilterError, check_filter
from city.traits import trait_fault
from city.units import ucum
from registry.errors import InvalidFactError
from registry.geography import outline_fault
from registry.records import (
    CalibrationDraft,
    DeviceDraft,
    DistrictDraft,
    PlaceDraft,
    ProfileDraft,
    ProviderDraft,
    QuantityLimits,
    RouteDraft,
)

__all__ = [
    "check_calibration",
    "check_device",
    "check_district",
    "check_place",
    "check_profile",
    "check_provider",
    "check_route",
    "check_user_name",
]

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
DEVICE_ID: Final = re.compile(r"(?:[A-Za-z0-9._:-]|%[0-9A-F]{2}){1,128}")
KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
RESERVED_PROVIDERS: Final = frozenset({"indicators"})
RESERVED_ROUTES: Final = frozenset({"unread"})

WORDS_MAX: Final = 200
USER_MAX: Final = 200
PATTERN_MAX_BYTES: Final = 512
TAGS_MAX: Final = 32
LEVELS_MAX: Final = 16
LATITUDE_MAX: Final = 90.0
LONGITUDE_MAX: Final = 180.0
YEAR_S: Final = 366 * 86_400.0
POPULATION_MAX: Final = 1_000_000_000
QUANTITIES_MAX: Final = 200
# Pairs of limits of a quantity, the smaller one first.
LIMITS: Final = (
    ("sensor_min", "sensor_max"),
    ("expected_min", "expected_max"),
    ("spike_suspect", "spike_fail"),
    ("rate_suspect", "rate_fail"),
    ("flat_suspect_s", "flat_fail_s"),
)


def check_provider(draft: ProviderDraft) -> None:
    """Say whether a provider can be registered.

    Raises:
        InvalidFactError: If not, naming the field.
    """
    _check_name("name", draft.name, RESERVED_PROVIDERS)
    _check_words("title", draft.title)
    _check_words("contact", draft.contact)


def check_place(draft: PlaceDraft) -> None:
    """Say whether a place can be registered.

    Raises:
        InvalidFactError: If not, naming the field.
    """
    _check_name("name", draft.name)
    _check_words("title", draft.title)
    _check_words("address", draft.address)
    _check_point(draft.lat, draft.lon)
    if draft.district is not None:
        _check_name("district", draft.district)
    if draft.timezone is not None:
        _check_timezone(draft.timezone)


def check_device(draft: DeviceDraft) -> None:
    """Say whether a device can be registered.

    Raises:
        InvalidFactError: If not, naming the field.
    """
    if not DEVICE_ID.fullmatch(draft.id) or len(draft.id) > WORDS_MAX:
        words = f"{draft.id!r} is no device id: letters, digits, `._:-`, others as %XX, up to 128"
        raise InvalidFactError(field="id", words=words)
    _check_kind(draft.kind)
    _check_words("name", draft.name)
    _check_words("address", draft.address)
    _check_point(draft.lat, draft.lon)
    if draft.district is not None:
        _check_name("district", draft.district)
    if draft.timezone is not None:
        _check_timezone(draft.timezone)
    _check_interval(draft.expected_interval_s)
    _check_population(draft.population)
    _check_days(draft)
    if len(draft.tags) > TAGS_MAX:
        raise InvalidFactError(field="tags", words=f"more than {TAGS_MAX}")
    for tag in draft.tags:
        _check_words("tags", tag)
        if fault := trait_fault(tag):
            raise InvalidFactError(field="tags", words=fault)


def check_district(draft: DistrictDraft) -> None:
    """Say whether a district can be registered.

    Raises:
        InvalidFactError: If not, naming the field.
    """
    _check_name("name", draft.name)
    _check_words("title", draft.title)
    _check_population(draft.population)
    if fault := outline_fault(draft.geometry):
        raise InvalidFactError(field="geometry", words=f"{draft.name}: {fault}")


def check_profile(draft: ProfileDraft) -> None:
    """Say whether a profile can be registered.

    Raises:
        InvalidFactError: If not, naming the field.
    """
    _check_name("name", draft.name)
    _check_words("title", draft.title)
    _check_kind(draft.kind)
    _check_interval(draft.expected_interval_s)
    if len(draft.quantities) > QUANTITIES_MAX:
        raise InvalidFactError(field="quantities", words=f"more than {QUANTITIES_MAX}")
    for quantity, limits in draft.quantities.items():
        _check_quantity(f"quantities.{quantity}", quantity)
        _check_limits(f"quantities.{quantity}", limits)


def check_calibration(draft: CalibrationDraft) -> None:
    """Say whether a calibration can be registered.

    Raises:
        InvalidFactError: If not, naming the field.
    """
    _check_quantity("quantity", draft.quantity)
    _check_words("note", draft.note)
    if not math.isfinite(draft.factor) or draft.factor == 0:
        raise InvalidFactError(field="factor", words="a number other than 0")
    if not math.isfinite(draft.offset):
        raise InvalidFactError(field="offset", words="a number")
    until_us = draft.valid_until_us
    if until_us is not None and until_us <= draft.valid_from_us:
        raise InvalidFactError(field="valid_until", words="it is not after its beginning")


def check_route(draft: RouteDraft) -> None:
    """Say whether a route can be registered.

    Raises:
        InvalidFactError: If not, naming the field.
    """
    _check_name("name", draft.name, RESERVED_ROUTES)
    _check_name("codec", draft.codec)
    try:
        check_filter(draft.pattern.encode())
    except (TopicFilterError, UnicodeEncodeError) as error:
        raise InvalidFactError(field="pattern", words=str(error)) from error
    if len(draft.pattern.encode()) > PATTERN_MAX_BYTES:
        raise InvalidFactError(field="pattern", words=f"longer than {PATTERN_MAX_BYTES} bytes")
    if draft.timezone is not None:
        _check_timezone(draft.timezone)
    if len(draft.levels) > LEVELS_MAX or any(level < 1 for level in draft.levels):
        words = f"up to {LEVELS_MAX} numbers of topic levels, the first level is 1"
        raise InvalidFactError(field="levels", words=words)


def check_user_name(name: str) -> None:
    """Say whether an MQTT user can have a name.

    Raises:
        InvalidFactError: If not.
    """
    if not 0 < len(name) <= USER_MAX or not name.isprintable():
        raise InvalidFactError(field="name", words=f"1 to {USER_MAX} printable characters")


def _check_name(field: str, name: str, reserved: frozenset[str] = frozenset()) -> None:
    if not NAME.fullmatch(name):
        words = f"{name!r} is no name: letters, digits, `.`, `_`, `-`, up to 64 characters"
        raise InvalidFactError(field=field, words=words)
    if name in reserved:
        raise InvalidFactError(field=field, words=f"{name!r} is reserved")


def _check_words(field: str, words: str) -> None:
    if len(words) > WORDS_MAX or "\0" in words:
        raise InvalidFactError(field=field, words=f"up to {WORDS_MAX} characters, no NUL")


def _check_point(lat: float | None, lon: float | None) -> None:
    if (lat is None) != (lon is None):
        raise InvalidFactError(field="lat", words="latitude and longitude go together")
    if lat is not None and not -LATITUDE_MAX <= lat <= LATITUDE_MAX:
        raise InvalidFactError(field="lat", words=f"{lat} is not between -90 and 90")
    if lon is not None and not -LONGITUDE_MAX <= lon <= LONGITUDE_MAX:
        raise InvalidFactError(field="lon", words=f"{lon} is not between -180 and 180")


def _check_kind(kind: str) -> None:
    if kind and not KIND.fullmatch(kind):
        raise InvalidFactError(field="kind", words=f"{kind!r} is no lower-case word")


def _check_interval(interval_s: float | None) -> None:
    if interval_s is not None and not 0 < interval_s <= YEAR_S:
        words = f"{interval_s} s is not between 0 and a year"
        raise InvalidFactError(field="expected_interval_s", words=words)


def _check_population(population: int | None) -> None:
    if population is not None and not 0 <= population <= POPULATION_MAX:
        words = f"{population} is not between 0 and {POPULATION_MAX}"
        raise InvalidFactError(field="population", words=words)


def _check_days(draft: DeviceDraft) -> None:
    installed, retired = draft.installed_on, draft.retired_on
    if installed is not None and retired is not None and retired < installed:
        words = f"{retired} is before it was installed, {installed}"
        raise InvalidFactError(field="retired_on", words=words)


def _check_quantity(field: str, quantity: str) -> None:
    if not QUANTITY_PATTERN.fullmatch(quantity):
        words = f"{quantity!r} is no quantity: lower-case letters, digits, `_`, up to 64"
        raise InvalidFactError(field=field, words=words)


def _check_limits(field: str, limits: QuantityLimits) -> None:
    if limits.unit is not None and ucum(limits.unit) is None:
        raise InvalidFactError(field=field, words=f"{limits.unit!r} is no unit we know")
    for smaller, greater in LIMITS:
        low, high = getattr(limits, smaller), getattr(limits, greater)
        if low is not None and high is not None and low > high:
            raise InvalidFactError(field=field, words=f"{smaller} is above {greater}")


def _check_timezone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        words = f"{name!r} is no zone of the IANA database"
        raise InvalidFactError(field="timezone", words=words) from error
