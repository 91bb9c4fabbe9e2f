"""What the page shows of indicators: by place, the newest value of a few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from city.clock import US_PER_S
from indicators.engine import base_of
from indicators.results import ResultsQuery

if TYPE_CHECKING:
    from indicators.civil import Grain
    from indicators.contracts.model import Contract
    from indicators.privacy import Published
    from indicators.results import Stored
    from registry.places import Places
    from services.indicators import IndicatorBook

__all__ = ["CARDS", "Card", "PlaceCards", "place_cards"]

HOUR_US: Final = 3_600 * US_PER_S
# What is older is no news: four hours, four days.
NEWS_US: Final[dict[str, int]] = {"hour": 4 * HOUR_US, "day": 96 * HOUR_US}
# Indicator, grain: in the order in which a place shows them.
CARDS: Final[tuple[tuple[str, Grain], ...]] = (
    ("air.aqi.us.overall", "day"),
    ("air.nowcast.pm25", "hour"),
    ("noise.lden", "day"),
    ("noise.lnight", "day"),
)
PLACES_MAX: Final = 500


class Card(msgspec.Struct, frozen=True):
    """One value, its contract and the colour of its band (RRGGBB), where that has one."""

    row: Published
    contract: Contract
    grain: Grain
    colour: str | None


class PlaceCards(msgspec.Struct, frozen=True):
    """A place with its cards."""

    place: str
    title: str
    district: str | None
    cards: list[Card]


def place_cards(book: IndicatorBook, places: Places, now_us: int) -> list[PlaceCards]:
    """Return the places that have news: where both are measured first, then the worst air."""
    found: dict[str, list[Card]] = {}
    for indicator, grain in CARDS:
        query = ResultsQuery(
            indicator,
            grain,
            areas=("place:*",),
            from_us=now_us - NEWS_US[grain],
            limit=PLACES_MAX * 10,
        )
        # By area and start: the last of an area is its newest.
        newest = {each.finding.row.area: each for each in book.results.find(query)}
        for area, stored in newest.items():
            card = _card(book, stored, grain, now_us)
            if card is not None and card.row.reason != "not_applicable":
                found.setdefault(area.partition(":")[2], []).append(card)
    known = {each.name: each for each in places.page(after=None, limit=PLACES_MAX)}
    listed = [
        PlaceCards(name, known[name].title or name, known[name].district, cards)
        for name, cards in found.items()
        if name in known
    ]
    return sorted(listed, key=_order)


def _card(book: IndicatorBook, stored: Stored, grain: Grain, now_us: int) -> Card | None:
    row = stored.finding.row
    contract = book.contracts.get(row.indicator, row.version)
    bases = base_of(book.contracts, contract, contract.valid_from)
    colours = {band.label: band.colour for base in bases for band in base.bands}
    told = book.outlet.rows([stored], contract, now_us, public=True)
    colour = None if row.band is None else colours.get(row.band)
    return Card(told[0], contract, grain, colour) if told else None


def _order(place: PlaceCards) -> tuple[int, float, str]:
    kinds = {each.row.indicator.partition(".")[0] for each in place.cards}
    air = [
        each.row.value
        for each in place.cards
        if each.row.indicator.startswith("air.") and each.row.value is not None
    ]
    return -len(kinds), -max(air, default=-1.0), place.title
