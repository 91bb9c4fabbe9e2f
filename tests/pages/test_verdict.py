"""The line on top says what is so, when it is bad, and when nobody answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import RecordedPlatform
    from playwright.sync_api import Page

pytestmark = pytest.mark.live

LOG_FULL = "the log is full: devices wait, nothing is dropped"


def full(status: dict[str, Any]) -> None:
    """Make a status that of a platform whose log is full."""
    status["ready"] = False
    status["reasons"] = [{"part": "log", "level": "error", "words": LOG_FULL}]
    status["log"] = {
        "state": "full",
        "messages": 92000,
        "bytes": 8589934592,
        "max_bytes": 8589934592,
    }
    for gateway in status["gateways"]:
        gateway |= {"waiting": True, "log": "full", "reason": "waits: the log is full"}


def test_a_healthy_platform_is_well(shown: Page, keep_picture: Callable[[str], Path]) -> None:
    expect(shown.get_by_role("status").first).to_have_text(re.compile("All is well"))
    expect(shown).to_have_title("All well - Madina")
    expect(shown.locator(".clock")).to_contain_text("Europe/Madrid (CET)")
    expect(shown.locator(".clock time")).to_have_text(re.compile(r"12:03:\d\d"))
    keep_picture("well")


def test_a_full_log_is_said_first_and_at_the_gateways(
    shown: Page, platform: RecordedPlatform, keep_picture: Callable[[str], Path]
) -> None:
    full(platform.status)
    expect(shown.locator(".verdict.wrong")).to_contain_text("The log is full: devices wait")
    expect(shown).to_have_title("1 problem! - Madina")
    gateways = shown.get_by_role("region", name="Gateways and log")
    expect(gateways.get_by_role("meter")).to_have_attribute("aria-valuenow", "100")
    expect(gateways.get_by_role("row", name="gateway-1")).to_contain_text("waits: the log is full")
    keep_picture("full")


def test_a_broker_that_is_away_is_told_beside_one_that_is_there(
    shown: Page, platform: RecordedPlatform, keep_picture: Callable[[str], Path]
) -> None:
    words = "code 0x86, bad user name or password: mend user and password in its URL"
    platform.status["brokers"][1] |= {"connected": False, "reason": words, "messages_per_s": 0.0}
    brokers = shown.get_by_role("region", name="Bridged brokers")
    away = brokers.get_by_role("row", name="broker.water.example:8883")
    expect(away).to_contain_text(f"not connected{words}")
    there = brokers.get_by_role("row", name="10.20.0.7:1883")
    expect(there).to_contain_text("connectedMQTT 5.0, session kept")
    # Nothing is cut off at the width of a desk.
    scrolls = brokers.locator(".scroll")
    assert scrolls.evaluate("it => it.scrollWidth <= it.clientWidth")
    keep_picture("brokers")


def test_several_reasons_are_listed_with_their_parts(
    shown: Page, platform: RecordedPlatform, keep_picture: Callable[[str], Path]
) -> None:
    full(platform.status)
    platform.status["reasons"] += [
        {"part": "store", "level": "error", "words": "the store cannot be written"},
        {"part": "gateway", "level": "warning", "words": "gateway-1 was last heard 4 s ago"},
    ]
    expect(shown.locator(".verdict .words")).to_have_text("2 things are wrong.")
    expect(shown.locator(".verdict li")).to_have_text(
        [
            f"Log: {LOG_FULL}.",
            "Store: the store cannot be written.",
            "Gateway (warning): gateway-1 was last heard 4 s ago.",
        ]
    )
    keep_picture("several")


def test_a_warning_is_not_an_alarm(shown: Page, platform: RecordedPlatform) -> None:
    platform.status["reasons"] = [
        {"part": "store", "level": "warning", "words": "the disk has 3 GiB left"}
    ]
    expect(shown.locator(".verdict.warning")).to_have_text(
        re.compile("Working, but: the disk has 3 GiB left")
    )


def test_a_lost_connection_is_said_with_its_time_and_recovers(
    shown: Page, platform: RecordedPlatform, keep_picture: Callable[[str], Path]
) -> None:
    platform.stop()
    lost = shown.locator(".verdict.lost")
    expect(lost).to_have_text(re.compile(r"No answer from the platform since 12:03:\d\d\."))
    expect(shown).to_have_title("No answer! - Madina")
    expect(shown.locator(".panels.stale")).to_be_visible()
    keep_picture("lost")
    platform.start()
    expect(shown.locator(".verdict.well")).to_be_visible()
    expect(shown.locator(".stale")).to_have_count(0)


def test_an_error_is_told_apart_from_silence(shown: Page, platform: RecordedPlatform) -> None:
    platform.code = 500
    expect(shown.locator(".verdict.lost")).to_contain_text("answers with an error (HTTP 500) since")


def test_what_is_not_known_is_said_to_be_unknown(
    shown: Page,
    platform: RecordedPlatform,
    complaints: list[str],
    keep_picture: Callable[[str], Path],
) -> None:
    platform.status |= {
        "ready": False,
        "reasons": [{"part": "log", "level": "error", "words": "the log does not answer"}],
        "ledger": None,
        "lag": None,
        "gateways": [],
        "log": {"state": "away", "messages": None, "bytes": None, "max_bytes": None},
    }
    expect(shown.locator(".verdict.wrong")).to_contain_text("The log does not answer.")
    expect(shown.get_by_role("region", name="Ledger")).to_contain_text("not known at the moment")
    expect(shown.get_by_role("region", name="Lag by stage")).to_contain_text("unknown")
    expect(shown.get_by_role("region", name="Gateways and log")).to_contain_text("does not answer")
    keep_picture("unknown")
    assert not complaints
