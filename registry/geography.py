"""Which district a position lies in. Pure: outlines and positions in, names out."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import numpy as np
import shapely
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

__all__ = ["Outlines", "Position", "outline_fault"]

# Latitude and longitude in degrees, WGS 84.
Position = tuple[float, float]

KINDS: Final = ("Polygon", "MultiPolygon")
BOUNDS: Final = (-180.0, -90.0, 180.0, 90.0)


class Outlines:
    """The outlines of districts, asked for many positions at once.

    Args:
        geometries: GeoJSON geometries by name, which `outline_fault` finds nothing wrong with.
    """

    def __init__(self, geometries: Mapping[str, dict[str, Any]]) -> None:
        self._names = sorted(geometries)
        self._tree = shapely.STRtree([shape(geometries[name]) for name in self._names])

    def districts(self, positions: Sequence[Position]) -> list[str | None]:
        """Return the district of each position (n,), None where it lies in none.

        A border belongs to both of its sides: the first one by name is taken.
        """
        found: list[str | None] = [None] * len(positions)
        if not positions or not self._names:
            return found
        lats, lons = np.asarray(positions, np.float64).T
        # The library leaves the type of its functions over arrays open.
        points = cast("Any", shapely).points(lons, lats)
        pairs = self._tree.query(points, predicate="intersects")
        # Backwards, so that the first name of several is the one that stays.
        order = np.lexsort((-pairs[1], pairs[0]))
        for at, number in pairs[:, order].T.tolist():
            found[at] = self._names[number]
        return found


def outline_fault(geometry: dict[str, Any]) -> str:
    """Return what is wrong with a GeoJSON geometry as the outline of a district; empty: nothing.

    Source: RFC 7946, sections 3.1.6 (rings) and 4 (longitude and latitude in degrees, WGS 84).
    """
    if geometry.get("type") not in KINDS:
        return f"{geometry.get('type')!r} is none of {', '.join(KINDS)}"
    try:
        return _shape_fault(shape(geometry))
    except (ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        return f"its coordinates cannot be read: {error}"


def _shape_fault(outline: BaseGeometry) -> str:
    if outline.is_empty:
        return "it has no coordinates"
    west, south, east, north = outline.bounds
    inside = west >= BOUNDS[0] and south >= BOUNDS[1] and east <= BOUNDS[2] and north <= BOUNDS[3]
    if not inside:
        return "its coordinates are no degrees: longitude, then latitude (WGS 84)"
    return "" if outline.is_valid else f"its rings cross: {explain_validity(outline)}"
