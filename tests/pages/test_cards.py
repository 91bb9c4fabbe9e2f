"""Published values on the page: readable without training, with or without colours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from conftest import RecordedPlatform
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.live


def cards(page: Page) -> Locator:
    return page.get_by_role("region", name="Air and noise by place")


def place(page: Page, title: str) -> Locator:
    return cards(page).get_by_role("listitem").filter(has_text=title)


def test_a_card_says_value_band_day_and_how_complete_it_is(shown: Page) -> None:
    clock = place(shown, "Clock Square")
    expect(clock).to_contain_text("Air quality index")
    expect(clock).to_contain_text("Tue 3 Mar")
    expect(clock).to_contain_text("Hazardous")
    expect(clock).to_contain_text("all data present; may still change if late data come")
    expect(clock).to_contain_text("66.4 dB")
    expect(clock).to_contain_text("Wed 4 Mar 05:00\N{EN DASH}06:00")
    band = clock.get_by_text("Hazardous").first
    assert band.evaluate("each => getComputedStyle(each).backgroundColor") == "rgb(126, 0, 35)"
    assert band.evaluate("each => getComputedStyle(each).color") == "rgb(255, 255, 255)"


def test_incomplete_is_said_plainly_and_never_shown_as_a_number(shown: Page) -> None:
    station = place(shown, "Central Station")
    expect(station).to_contain_text("no value")
    expect(station).to_contain_text(
        "Incomplete: only 42 % of the data present, too little to publish a value"
    )


def test_the_rest_of_the_places_is_one_key_away(shown: Page) -> None:
    expect(cards(shown).get_by_role("listitem")).to_have_count(8)
    more = shown.get_by_role("button", name="Show all 9 places")
    more.focus()
    shown.keyboard.press("Enter")
    expect(cards(shown).get_by_role("listitem")).to_have_count(9)
    expect(shown.get_by_role("button", name="Show fewer places")).to_have_attribute(
        "aria-expanded", "true"
    )


def test_why_leads_to_where_the_number_came_from(shown: Page) -> None:
    why = place(shown, "Clock Square").get_by_role("link", name=re.compile("Air quality index"))
    expect(why).to_have_attribute(
        "href", re.compile(r"^v1/indicators/air\.aqi\.us\.overall/explain\?area=place%3Aclock")
    )


def test_nothing_published_yet_is_said(page: Page, platform: RecordedPlatform) -> None:
    platform.cards = {"time": "2026-03-04T05:06:00Z", "places": []}
    page.goto(platform.url)
    expect(cards(page)).to_contain_text("the first comes when an hour or a day is over")
