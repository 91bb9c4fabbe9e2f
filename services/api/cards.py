"""`/v1/cards`: the newest values of a few indicators by place, as the page shows them."""

from fastapi import APIRouter, Request, Response

from city.instants import to_text
from services.api.indicator_documents import ValueDocument, value_members
from services.asking import Document, answer
from services.authority import Running
from services.cards import Card, PlaceCards, place_cards
from services.problems import PROBLEMS

__all__ = ["CardDocument", "CardsDocument", "PlaceCardsDocument", "read_cards", "router"]

router = APIRouter(tags=["indicators"], responses=PROBLEMS)


class CardDocument(ValueDocument):
    """A value with what a reader needs to know of it; `colour` is RRGGBB."""

    indicator: str
    title: str
    unit: str
    grain: str
    colour: str | None


class PlaceCardsDocument(Document):
    """A place with its newest values."""

    place: str
    title: str
    district: str | None
    cards: list[CardDocument]


class CardsDocument(Document):
    """Places: where air and noise are measured first, then those with the worst air."""

    time: str
    places: list[PlaceCardsDocument]


@router.get("/v1/cards", response_model=CardsDocument)
async def read_cards(request: Request, running: Running) -> Response:
    """Return the newest published values of air and noise by place."""
    now_us = running.parts.clock.now_us()
    places = running.parts.registry.places
    found = await running.threads.run(place_cards, running.indicators, places, now_us)
    minute_us = now_us - now_us % 60_000_000
    document = CardsDocument(time=to_text(minute_us), places=[_place(each) for each in found])
    return answer(request, document)


def _place(found: PlaceCards) -> PlaceCardsDocument:
    return PlaceCardsDocument(
        place=found.place,
        title=found.title,
        district=found.district,
        cards=[_card(each) for each in found.cards],
    )


def _card(card: Card) -> CardDocument:
    contract = card.contract
    return CardDocument(
        **value_members(card.row, contract),
        indicator=contract.id,
        title=contract.title["en"],
        unit=contract.unit,
        grain=card.grain,
        colour=card.colour,
    )
