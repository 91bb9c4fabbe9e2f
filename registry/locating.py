"""In which district positions are, by the outlines that are registered now."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from registry.geography import Outlines
from registry.tables import DistrictRow

__all__ = ["find_districts"]


def find_districts(
    connection: Connection, positions: Sequence[tuple[float | None, float | None]]
) -> list[str | None]:
    """Return the district of each latitude and longitude (n,); None where there is none."""
    placed = [
        (at, (lat, lon))
        for at, (lat, lon) in enumerate(positions)
        if lat is not None and lon is not None
    ]
    found: list[str | None] = [None] * len(positions)
    if not placed:
        return found
    rows = connection.execute(select(DistrictRow.name, DistrictRow.geometry))
    outlines = Outlines({row.name: row.geometry for row in rows})
    districts = outlines.districts([position for _, position in placed])
    for (at, _), district in zip(placed, districts, strict=True):
        found[at] = district
    return found
