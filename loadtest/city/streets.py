"""Where things stand: districts and places of a city that is on no map."""

import math
from typing import Final

import msgspec

__all__ = ["CENTRE", "PLACES", "CityPlace"]


class CityPlace(msgspec.Struct, frozen=True):
    """A square, street or building; WGS 84 degrees."""

    name: str
    title: str
    district: str
    lat: float
    lon: float


# Open sea west of Portugal: nobody's measurements can be mistaken for ours.
CENTRE: Final = (38.90, -9.90)
# Kilometres east and north of the centre, and what is there.
DISTRICTS: Final = {
    "old-town": (0.0, 0.0, ("Clock Square, Fountain Lane, Cathedral Steps, Weavers Street,"
                 " Town Hall, Lantern Alley, Mint Court")),
    "harbour": (-2.1, -1.2, ("Ferry Pier, Fish Market, Lighthouse Road, Customs House,"
                " Dry Dock, Ropewalk, Sailors Quay")),
    "station": (1.3, 0.9, ("Central Station, Viaduct Street, Post Office, Tram Depot,"
                " Parcel Yard, Signal Square, Bridge Hotel")),
    "university": (0.6, 2.4, ("Library Gate, Observatory, Botanical Garden, Lecture Hall,"
                   " College Green, Science Park, Boathouse")),
    "riverside": (2.8, -0.6, ("Long Bridge, Willow Bank, Mill Weir, Rowing Club,"
                  " Poplar Walk, Old Ferry, Reed Meadow")),
    "north-hill": (-1.0, 3.1, ("Hill Hospital, Windmill Road, Vineyard Steps, Water Tower,"
                   " Chapel Row, Panorama Terrace, School Lane")),
    "gardens": (-2.6, 1.6, ("Rose Avenue, Cherry Court, Linden Square, Allotments,"
                " Sports Ground, Beekeepers Way, Orchard School")),
    "works": (3.9, 1.9, ("Ring Road East, Foundry Gate, Gasworks, Recycling Yard,"
              " Brewery, Freight Terminal, Power House")),
}  # fmt: skip

KM_A_DEGREE: Final = 111.2
# Places of a district stand on a spiral, as seeds in a sunflower do: none on top of another.
GOLDEN_ANGLE: Final = math.pi * (3.0 - math.sqrt(5.0))
SPIRAL_KM: Final = 0.28


def _places() -> tuple[CityPlace, ...]:
    return tuple(
        _place(district, title.strip(), east_km, north_km, at)
        for district, (east_km, north_km, titles) in DISTRICTS.items()
        for at, title in enumerate(titles.split(","))
    )


def _place(district: str, title: str, east_km: float, north_km: float, at: int) -> CityPlace:
    lat, lon = CENTRE
    reach_km, angle = SPIRAL_KM * math.sqrt(at), at * GOLDEN_ANGLE
    north = (north_km + reach_km * math.sin(angle)) / KM_A_DEGREE
    east = (east_km + reach_km * math.cos(angle)) / KM_A_DEGREE / math.cos(math.radians(lat))
    return CityPlace(
        name=title.lower().replace(" ", "-"),
        title=title,
        district=district,
        lat=round(lat + north, 6),
        lon=round(lon + east, 6),
    )


PLACES: Final = _places()
