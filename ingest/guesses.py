"""What a sender nobody knows seems to be: its kind by its quantities, its unit of time. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from city.clock import US_PER_S
from city.samples import TimeUnit

__all__ = ["guessed_kind", "guessed_time_unit", "time_unit_of"]

# The kinds that the platform's own documents and simulated city use.
KINDS: Final[dict[str, tuple[str, ...]]] = {
    "air": ("pm1", "pm2_5", "pm4", "pm10", "no", "no2", "nox", "o3", "so2", "co"),
    "noise": ("laeq", "lamax", "lamin", "la10", "la50", "la90"),
    "parking": ("occupied", "free_spaces", "occupied_spaces"),
    "traffic": ("vehicles", "speed", "traffic_occupancy", "pedestrians", "bicycles"),
    "waste": ("fill_level",),
    "water": ("flow", "flow_total", "volume", "leak"),
    "flood": ("level",),
    "lighting": ("dimming", "lamp_on", "lamp_failure"),
    "energy": ("power", "energy"),
}
# What many devices measure beside what they are for: it tells only where nothing else does.
WEATHER: Final = (
    "rain_rate",
    "wind_speed",
    "wind_direction",
    "temperature",
    "humidity",
    "pressure",
)
KIND_OF: Final = {quantity: kind for kind, names in KINDS.items() for quantity in names}
PER_S: Final[dict[TimeUnit, int]] = {
    "s": 1,
    "ms": 1_000,
    "us": 1_000_000,
    "ns": 1_000_000_000,
}
# A buffered reading is seldom older; the units are a factor of 1,000 apart.
NEAR_S: Final = 366 * 86_400
# More than any time in nanoseconds; a division of larger integers overflows.
TIME_MAX: Final = 1 << 64
ISO: Final = re.compile(r"\d{4}-?\d{2}-?\d{2}[T ]\d{2}:?\d{2}")


def guessed_kind(quantities: Iterable[str]) -> str:
    """Return the kind that most of the quantities speak for; empty where none does.

    A channel does not count: `pm2_5_2` is `pm2_5`.
    """
    votes = Counter(kind for each in quantities if (kind := _vote(each)))
    specific = [(count, kind) for kind, count in votes.items() if kind != "weather"]
    if specific:
        # Of equals the first by name, so that two looks say the same.
        return min(specific, key=lambda each: (-each[0], each[1]))[1]
    return "weather" if votes else ""


def _vote(quantity: str) -> str:
    while quantity:
        if quantity in KIND_OF:
            return KIND_OF[quantity]
        if quantity in WEATHER:
            return "weather"
        quantity = quantity.rpartition("_")[0]
    return ""


def guessed_time_unit(payload: bytes, received_us: int) -> TimeUnit | None:
    """Return in what a JSON message seems to write times: what lies near its arrival tells.

    Args:
        payload: The message; one that is no JSON tells nothing.
        received_us: When it arrived.
    """
    try:
        document = msgspec.json.decode(payload)
    except (ValueError, RecursionError):
        return None
    found = Counter[TimeUnit]()
    for leaf in _leaves(document):
        unit = time_unit_of(leaf, received_us)
        if unit is not None:
            found[unit] += 1
    # Of equals the first met, so that two looks say the same.
    return next((unit for unit, _ in found.most_common(1)), None)


def time_unit_of(leaf: object, received_us: int) -> TimeUnit | None:
    """Return in what a value is written if it is a time; None where it does not look like one."""
    if isinstance(leaf, str):
        return "iso8601" if ISO.match(leaf) else None
    if isinstance(leaf, bool) or not isinstance(leaf, int | float) or abs(leaf) > TIME_MAX:
        return None
    received_s = received_us / US_PER_S
    for unit, per_s in PER_S.items():
        if abs(leaf / per_s - received_s) < NEAR_S:
            return unit
    return None


def _leaves(document: Any) -> Iterator[object]:  # noqa: ANN401 - any JSON
    waiting: list[Any] = [document]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
        else:
            yield part
