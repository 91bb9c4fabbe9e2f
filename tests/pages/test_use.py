"""Anybody can use the page: by keyboard, by ear, on a phone, without the internet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import RecordedPlatform
    from playwright.sync_api import Page

pytestmark = pytest.mark.live

BUNDLE_BYTES = 150 * 1024
LAST_STOP = "Metrics"
MOST_STOPS = 70
# Rules of WCAG 2.2 A and AA, contrast among them, and good practice.
CHECK = """async () => {
  const found = await axe.run(document, {resultTypes: ["violations"]});
  return found.violations.map(each =>
    each.id + ": " + each.nodes.map(node => node.html.slice(0, 120)).join(" | "));
}"""


def violations(page: Page, root: Path) -> list[str]:
    """Return what axe finds wrong with the page."""
    axe = root / "services" / "pages" / "node_modules" / "axe-core" / "axe.min.js"
    page.evaluate(axe.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(CHECK)
    return found


@pytest.mark.parametrize("state", ["well", "warning", "wrong", "lost"])
def test_rules_of_accessibility_hold_in_every_state(
    shown: Page, platform: RecordedPlatform, root: Path, state: str
) -> None:
    if state in {"warning", "wrong"}:
        level = {"warning": "warning", "wrong": "error"}[state]
        platform.status["reasons"] = [
            {"part": part, "level": level, "words": "something is"} for part in ("log", "store")
        ]
    if state == "wrong":
        platform.status["ledger"]["difference"]["observations"] = -2
    if state == "lost":
        platform.stop()
    expect(shown.locator(f".verdict.{state}")).to_be_visible()
    assert violations(shown, root) == []


def test_nothing_is_asked_of_anybody_else_and_the_browser_is_content(
    page: Page, platform: RecordedPlatform, complaints: list[str]
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(platform.url)
    expect(page.locator(".verdict.well")).to_be_visible()
    expect(page.locator(".chart canvas")).to_be_visible()
    assert asked
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(platform.url).netloc}
    assert not complaints


def test_the_page_allows_itself_nothing_but_its_own_files(built: Path) -> None:
    html = (built / "index.html").read_text(encoding="utf-8")
    assert re.search(
        r"Content-Security-Policy\"\s+content=\"default-src 'none'; script-src 'self';", html
    )
    assert sum(path.stat().st_size for path in built.iterdir()) < BUNDLE_BYTES


def test_the_keyboard_reaches_everything_and_shows_where_it_is(shown: Page) -> None:
    shown.keyboard.press("Tab")
    skip = shown.get_by_role("link", name="Skip to the verdict")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    shown.keyboard.press("Enter")
    expect(shown.locator("main")).to_be_focused()
    reached = [press_tab(shown)]
    while reached[-1][0] != LAST_STOP and len(reached) < MOST_STOPS:
        reached.append(press_tab(shown))
    names = [name for name, _ in reached]
    for wanted in ("Devices that are silent", "Gateways", "device", "Watch", "API", LAST_STOP):
        assert wanted in names, f"{wanted} is not among {names}"
    assert all(outlined for _, outlined in reached)


def press_tab(page: Page) -> tuple[str, bool]:
    """Go to the next stop; return what it is called and whether it is outlined."""
    page.keyboard.press("Tab")
    stop: dict[str, Any] = page.evaluate(
        """() => {
          const at = document.activeElement;
          const style = getComputedStyle(at);
          return {
            name: at.getAttribute("aria-label") || at.id || at.textContent,
            outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
          };
        }"""
    )
    return stop["name"], stop["outlined"]


def test_focus_and_selection_outlive_an_answer(shown: Page, platform: RecordedPlatform) -> None:
    field = shown.get_by_label("Only this device")
    field.fill("aguas/met")
    before = platform.asked
    with shown.expect_response(lambda _: platform.asked > before + 1):
        pass
    expect(field).to_be_focused()
    expect(field).to_have_value("aguas/met")


@pytest.mark.parametrize("width", [320, 390, 768])
def test_a_narrow_screen_needs_no_sideways_scrolling(
    shown: Page, width: int, keep_picture: Callable[[str], Path]
) -> None:
    shown.set_viewport_size({"width": width, "height": 800})
    widths = "() => [document.documentElement.scrollWidth, innerWidth]"
    shown.wait_for_function(f"() => {{ const [a, b] = ({widths})(); return a <= b; }}")
    keep_picture(f"width-{width}")


def test_nothing_moves_for_those_who_want_that(shown: Page) -> None:
    moving = shown.evaluate(
        """() => [...document.querySelectorAll("*")]
          .filter(each => getComputedStyle(each).transitionDuration !== "0s")
          .map(each => each.className)"""
    )
    assert moving == []


def test_the_verdict_is_announced_and_parts_are_landmarks(shown: Page) -> None:
    verdict = shown.locator("#verdict")
    expect(verdict).to_have_attribute("aria-live", "polite")
    for role in ("banner", "main", "contentinfo", "navigation"):
        expect(shown.get_by_role(role)).to_have_count(1)
    expect(shown.get_by_role("heading", level=1)).to_have_count(1)
    expect(shown.locator("html")).to_have_attribute("lang", "en")
