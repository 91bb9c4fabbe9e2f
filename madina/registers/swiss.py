"""Positions on the Swiss map (LV95, EPSG:2056) in degrees, WGS 84. Pure.

Source: swisstopo, "Approximate formulas for the transformation between Swiss projection
coordinates and WGS84" (2016), sections 2.2 and 3: good to a metre or two inside Switzerland.
"""

import re
from typing import Final

__all__ = ["from_lv95", "read_point"]

POINT: Final = re.compile(r"\s*POINT\s*\(\s*([0-9.+-]+)\s+([0-9.+-]+)\s*\)\s*", re.IGNORECASE)
EAST: Final = (2_400_000.0, 2_900_000.0)
NORTH: Final = (1_000_000.0, 1_400_000.0)


def read_point(text: str) -> tuple[float, float]:
    """Return both numbers of a point in well-known text: `POINT (2681857 1251990.9)`.

    Raises:
        ValueError: If it is none.
    """
    found = POINT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:60]!r} is no `POINT (x y)`")
    return float(found[1]), float(found[2])


def from_lv95(east: float, north: float) -> tuple[float, float]:
    """Return latitude and longitude in degrees of metres east and north.

    Raises:
        ValueError: If it lies far outside Switzerland, where the formulas mean nothing.
    """
    if not (EAST[0] < east < EAST[1] and NORTH[0] < north < NORTH[1]):
        raise ValueError(f"{east:g} {north:g} is no position in Switzerland (LV95: east, north)")
    y, x = (east - 2_600_000.0) / 1e6, (north - 1_200_000.0) / 1e6
    lon = 2.6779094 + 4.728982 * y + 0.791484 * y * x + 0.1306 * y * x**2 - 0.0436 * y**3
    lat = 16.9023892 + 3.238272 * x - 0.270978 * y**2 - 0.002528 * x**2
    lat += -0.0447 * y**2 * x - 0.0140 * x**3
    # In units of 10,000 seconds; seven digits are a centimetre.
    return round(lat * 100 / 36, 7), round(lon * 100 / 36, 7)
