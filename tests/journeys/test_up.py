"""A message's whole way: a device publishes, the ledger balances, Ctrl-C ends it cleanly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest

from city.clock import US_PER_S
from city.instants import to_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Platform

pytestmark = [pytest.mark.live, pytest.mark.journey, pytest.mark.timeout(300)]

MESSAGES = 200
EPOCH_S = 1_790_000_000  # conftest publishes from here on, a second apart


def test_what_a_device_publishes_is_in_the_ledger_once(start: Callable[..., Platform]) -> None:
    platform = start(MADINA_UNKNOWN_DEVICES="accept")
    platform.publish(MESSAGES)

    platform.until(lambda: platform.ledger()["accepted"] == MESSAGES, "everything is accepted")
    assert platform.ledger() == {
        "received": MESSAGES,
        "accepted": MESSAGES,
        "quarantined": 0,
        "duplicate": 0,
        "pending": 0,
    }
    assert platform.difference() == {"messages": 0, "observations": 0}
    assert platform.observations() == [
        (to_text((EPOCH_S + n) * US_PER_S), n / 10) for n in range(MESSAGES)
    ]

    platform.publish(MESSAGES)
    platform.until(lambda: platform.ledger()["duplicate"] == MESSAGES, "all came twice")
    assert platform.ledger()["accepted"] == MESSAGES
    assert platform.difference() == {"messages": 0, "observations": 0}

    assert platform.interrupt() == 0
    assert "stopped" in platform.said


def test_everything_is_the_same_after_a_restart_and_while_nothing_runs(
    start: Callable[..., Platform],
) -> None:
    first = start(MADINA_UNKNOWN_DEVICES="accept")
    first.publish(MESSAGES)
    first.until(lambda: first.ledger()["accepted"] == MESSAGES, "everything is accepted")
    ledger, observations = first.ledger(), first.observations()
    secret = first.madina("users", "add", "acme")["secret"]
    assert first.interrupt() == 0

    assert first.ledger() == ledger
    assert [each["device"] for each in first.madina("devices", "list")["items"]] == ["acme/meter-7"]

    again = start(MADINA_UNKNOWN_DEVICES="accept")
    assert again.ledger() == ledger
    assert again.difference() == {"messages": 0, "observations": 0}
    assert again.observations() == observations
    users = again.madina("users", "list")["items"]
    assert [each["name"] for each in users] == ["acme"]
    assert secret not in str(users)
    assert again.interrupt() == 0


def test_an_unknown_device_waits_and_is_back_filled_when_it_is_accepted(
    start: Callable[..., Platform],
) -> None:
    platform = start()
    platform.publish(MESSAGES)
    platform.until(lambda: platform.ledger()["quarantined"] == MESSAGES, "everything is parked")
    listed = platform.madina("quarantine", "list")
    assert {entry["reason"] for entry in listed["items"]} == {"unknown_device"}

    platform.madina("devices", "accept", "acme/meter-7")

    platform.until(lambda: platform.ledger()["accepted"] == MESSAGES, "everything is back-filled")
    assert platform.ledger()["quarantined"] == 0
    assert platform.difference() == {"messages": 0, "observations": 0}
    assert platform.interrupt() == 0


def test_it_is_ready_when_it_says_so(start: Callable[..., Platform]) -> None:
    platform = start()
    ready = httpx.get(platform.run.http + "/readyz")
    assert ready.status_code == 200, ready.text
    assert httpx.get(platform.run.http + "/healthz").status_code == 200
    assert msgspec.json.decode(ready.content)
    assert platform.interrupt() == 0


def test_quarantine_is_replayed_and_dropped_by_command(start: Callable[..., Platform]) -> None:
    platform = start()
    platform.publish(MESSAGES)
    platform.until(lambda: platform.ledger()["quarantined"] == MESSAGES, "everything is parked")
    entries = platform.madina("quarantine", "list", "--limit", "2")["items"]
    platform.madina("quarantine", "drop", *[entry["id"] for entry in entries])
    platform.until(
        lambda: platform.madina("quarantine", "list", "--state", "dropped")["items"] != [],
        "two are dropped",
    )
    shown = platform.madina("quarantine", "show", entries[0]["id"])
    assert (shown["state"], shown["topic"]) == ("dropped", "madina/v1/acme/meter-7/up")

    platform.madina("devices", "add", "acme/meter-7", "--kind", "water")
    platform.madina("quarantine", "replay", "--reason", "unknown_device")

    platform.until(lambda: platform.ledger()["accepted"] == MESSAGES - 2, "the rest is accepted")
    assert platform.ledger()["quarantined"] == 2
    assert len(platform.observations()) == MESSAGES - 2
    assert platform.difference() == {"messages": 0, "observations": 0}
    assert platform.interrupt() == 0
