"""Places in GeoJSON: longitude first, then latitude. Source: RFC 7946 section 3.1.1."""

from typing import Any, Final, cast

from ingest.codecs.members import members_of, number_of

__all__ = ["point_of"]

LATITUDE_MAX, LONGITUDE_MAX = 90, 180
NAMES: Final = ("lon", "lat", "alt")


def point_of(sent: object) -> dict[str, float]:
    """Return the position of a Point: `lat`, `lon`, `alt` if known; nothing of anything else."""
    geometry = members_of(sent)
    coordinates = geometry.get("coordinates")
    if geometry.get("type") != "Point" or not isinstance(coordinates, list):
        return {}
    numbers = [number_of(each) for each in cast("list[Any]", coordinates)]
    place = {
        name: number for name, number in zip(NAMES, numbers, strict=False) if number is not None
    }
    on_earth = (
        abs(place.get("lat", LATITUDE_MAX + 1)) <= LATITUDE_MAX
        and abs(place.get("lon", LONGITUDE_MAX + 1)) <= LONGITUDE_MAX
    )
    return place if on_earth else {}
