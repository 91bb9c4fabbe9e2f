"""The figures below the verdict are those of the status, in people's words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import pytest
from playwright.sync_api import expect

from city.reasons import MessageReason

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import RecordedPlatform
    from playwright.sync_api import Page

pytestmark = pytest.mark.live


def test_the_ledger_is_an_equation(shown: Page) -> None:
    messages = shown.locator(".equation[data-of=messages]")
    expect(messages.locator(".terms")).to_have_text(
        "1,843,210 received=1,843,013 accepted+62 quarantined+118 duplicate+17 pending"
    )
    expect(messages.locator(".difference.good")).to_contain_text("Difference 0")


def test_a_difference_is_prominent_even_where_no_reason_is_given(
    shown: Page, platform: RecordedPlatform, keep_picture: Callable[[str], Path]
) -> None:
    size = "element => parseFloat(getComputedStyle(element).fontSize)"
    good = shown.locator(".difference.good").first.evaluate(size)
    platform.status["ledger"]["difference"]["messages"] = 3
    bad = shown.locator(".difference.bad")
    expect(bad).to_have_text(re.compile(r"Difference \+3: 3 messages are missing\."))
    expect(shown.locator(".verdict.wrong")).to_contain_text("3 messages are missing")
    assert bad.evaluate(size) > good
    assert bad.bounding_box() is not None
    keep_picture("difference")


def test_rates_are_drawn_as_they_come(shown: Page, platform: RecordedPlatform) -> None:
    rate = shown.get_by_role("region", name="Messages a second")
    platform.status["rates"]["received_per_s"] = 1234.0
    chart = rate.get_by_role("img", name="now 1,234, at most 1,234 a second")
    expect(chart).to_be_visible()
    platform.status["rates"]["received_per_s"] = 100.0
    expect(rate.get_by_role("img", name="now 100, at most 1,234 a second")).to_be_visible()


def test_lag_is_shown_by_stage(shown: Page) -> None:
    stages = shown.get_by_role("region", name="Lag by stage").get_by_role("listitem")
    expect(stages.locator(".number")).to_have_text(["21 ms", "44 ms", "13 ms", "17"])


def test_the_longest_silent_are_named(shown: Page) -> None:
    devices = shown.get_by_role("region", name="Devices", exact=True)
    expect(devices.locator("dd")).to_have_text(["210", "203", "2", "3", "0", "2"])
    row = devices.get_by_role("row", name="Meter 7, Plaza del Sol")
    expect(row).to_contain_text("aguas/meter-7")
    expect(row.get_by_role("cell")).to_have_text(
        ["Water", "3 d 8 h", "15 min", "Sun 1 Mar 04:00:00"]
    )
    expect(devices.get_by_role("row", name="limpio/bin-40")).to_contain_text("never")


def test_latest_values_have_names_and_units_that_people_use(shown: Page) -> None:
    latest = shown.get_by_role("region", name="Latest values")
    expect(latest.get_by_role("heading", level=3)).to_have_text(
        [
            "Air quality 30 devices",
            "Street lighting 40 devices",
            "Noise 20 devices",
            "Parking 60 devices",
            "Traffic 25 devices",
            "Waste 20 devices",
            "Water 15 devices",
        ]
    )
    for name, value in (
        ("PM2.5", "12.5\u202fµg/m³"),
        ("NO₂", "41.25\u202fµg/m³"),
        ("Average level", "67.3\u202fdB(A)"),
        ("Occupied", "yes"),
        ("Free spaces", "134"),
        ("Filled", "86\u202f%"),
        ("Flow", "0.412\u202fm³/h"),
        ("Lamp on", "no"),
    ):
        row = latest.locator("dl > div").filter(has_text=re.compile(f"^{re.escape(name)}"))
        expect(row.get_by_role("definition")).to_contain_text(value)
    doubtful = latest.locator("dl > div").filter(has_text="Temperature")
    expect(doubtful).to_contain_text("suspect")
    expect(latest.locator(".heard").filter(has_text="Plaza Mayor")).to_contain_text("12:03:00")


def test_every_reason_for_quarantine_has_words(shown: Page, platform: RecordedPlatform) -> None:
    counts = {reason.value: place + 1 for place, reason in enumerate(MessageReason)}
    platform.status["quarantine"]["by_reason"] = counts
    reasons = shown.locator(".reasons li")
    expect(reasons).to_have_count(len(counts))
    words = reasons.locator(".words").all_inner_texts()
    raw = {code.replace("_", " ").capitalize() for code in counts}
    assert not raw & set(words)
    assert reasons.locator(".number").first.inner_text() == str(len(counts))


def test_entries_in_quarantine_say_why(shown: Page) -> None:
    quarantine = shown.get_by_role("region", name="Quarantine", exact=True)
    expect(quarantine).to_contain_text("62 messages are held")
    row = quarantine.get_by_role("row", name="aguas/meter-99")
    expect(row).to_contain_text("12:02:59")
    expect(row).to_contain_text("nobody has registered meter-99 of aguas")
    expect(quarantine).to_contain_text("madina devices accept aguas/meter-99")


def test_text_of_devices_is_never_markup(shown: Page, platform: RecordedPlatform) -> None:
    entry = platform.status["quarantine"]["entries"][0]
    entry["topic"] = entry["words"] = entry["device"] = "<img src=x onerror=alert(1)>"
    expect(shown.get_by_text("<img src=x onerror=alert(1)>").first).to_be_visible()
    expect(shown.locator("img")).to_have_count(0)


def test_observations_are_watched_when_somebody_asks(
    shown: Page, platform: RecordedPlatform
) -> None:
    live = shown.get_by_role("region", name="Watch observations arrive")
    live.get_by_label("Only this device").fill("aire/air-1")
    live.get_by_role("button", name="Watch").click()
    observation = {
        "device": "aire/air-1",
        "quantity": "pm2_5",
        "value": 7.25,
        "unit": "ug/m3",
        "time": "2026-03-04T11:03:10Z",
        "flag": 1,
        "kind": "air",
    }
    platform.live.put(("observation", msgspec.json.encode(observation)))
    platform.live.put(("lost", b'{"lost": 4}'))
    row = live.get_by_role("row", name="aire/air-1")
    expect(row).to_contain_text("7.25\u202fµg/m³")
    expect(row).to_contain_text("12:03:10")
    expect(live).to_contain_text("4 came faster")
    assert platform.watched == ["/v1/live?device=aire%2Fair-1"]
    live.get_by_role("button", name="Stop").click()
    expect(live.get_by_label("Only this device")).to_be_enabled()
