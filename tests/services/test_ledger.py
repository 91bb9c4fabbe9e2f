"""The ledger over HTTP: what waits on the log is pending, and both sides are equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from store.interface import Batch, LedgerRow

if TYPE_CHECKING:
    from conftest import City

pytestmark = pytest.mark.live

MINUTE_US = 1_772_600_040_000_000


def decided(batch: Batch, **sums: int) -> Batch:
    row = LedgerRow(0, MINUTE_US, "acme", "native", **sums)
    return msgspec.structs.replace(batch, ledger=[row])


def test_nothing_has_come_in_yet(city: City) -> None:
    answer = city.api.get("/v1/ledger").json()
    assert answer["messages"] == {
        "received": 0,
        "accepted": 0,
        "quarantined": 0,
        "duplicate": 0,
        "pending": 0,
    }
    assert answer["difference"] == {"messages": 0, "observations": 0}


def test_messages_on_the_log_are_received_and_pending(city: City) -> None:
    city.log_messages(10, shard=0)
    city.log_messages(5, shard=3)
    messages = city.api.get("/v1/ledger").json()["messages"]
    assert messages["received"] == messages["pending"] == 15


def test_applied_messages_are_no_longer_pending(city: City, idle: Batch) -> None:
    city.log_messages(10)
    city.apply(decided(idle, accepted=6, quarantined=1, decoded=12, stored=12), messages=7)
    answer = city.api.get("/v1/ledger").json()
    assert answer["messages"] == {
        "received": 10,
        "accepted": 6,
        "quarantined": 1,
        "duplicate": 0,
        "pending": 3,
    }
    assert answer["observations"]["stored"] == 12
    assert answer["difference"] == {"messages": 0, "observations": 0}


def test_an_applied_count_that_the_log_has_forgotten_still_counts(city: City, idle: Batch) -> None:
    city.apply(decided(idle, accepted=4), messages=4)
    messages = city.api.get("/v1/ledger").json()["messages"]
    assert (messages["received"], messages["pending"]) == (4, 0)


def test_a_frame_that_the_log_lost_shows_as_a_difference(city: City, idle: Batch) -> None:
    city.apply(decided(idle, accepted=3), messages=4)
    assert city.api.get("/v1/ledger").json()["difference"]["messages"] == 1


def test_a_provider_has_no_pending_messages(city: City, idle: Batch) -> None:
    city.log_messages(10)
    city.apply(decided(idle, accepted=7), messages=7)
    answer = city.api.get("/v1/ledger", params={"provider": "acme"}).json()
    assert (answer["messages"]["received"], answer["messages"]["pending"]) == (7, 0)
    assert answer["difference"]["messages"] == 0


def test_by_minute_unread_messages_have_a_route_of_their_own(city: City, idle: Batch) -> None:
    city.log_messages(10)
    city.apply(decided(idle, accepted=7), messages=7)
    since = {"since": "2026-03-04T00:00:00Z"}
    newest = city.api.get("/v1/ledger", params={"group": "minute"} | since).json()
    assert [item["route"] for item in newest["items"]] == ["unread"]
    before = {"cursor": newest["next"]}
    assert city.api.get("/v1/ledger", params={"group": "minute"} | before | since).json()["next"]
    answer = newest
    (unread,) = newest["items"]
    day = {"until": "2026-03-04T12:00:00Z", "group": "minute"}
    (decided_item,) = city.api.get("/v1/ledger", params=day).json()["items"]
    assert (decided_item["provider"], decided_item["route"]) == ("acme", "native")
    assert decided_item["start"] == "2026-03-04T04:54:00.000000Z"
    assert (unread["route"], unread["messages"]["pending"]) == ("unread", 3)
    for item in answer["items"]:
        assert item["difference"] == {"messages": 0, "observations": 0}
    assert answer["messages"]["received"] == 10


def test_a_range_that_is_over_has_nothing_pending(city: City, idle: Batch) -> None:
    city.log_messages(10)
    city.apply(decided(idle, accepted=7), messages=7)
    asked = {"since": "2026-03-04T04:00:00Z", "until": "2026-03-04T06:00:00+01:00"}
    messages = city.api.get("/v1/ledger", params=asked).json()["messages"]
    assert (messages["received"], messages["pending"]) == (7, 0)


@pytest.mark.parametrize("since", ["yesterday", "2026-03-04T04:00:00", "2026-03-04"])
def test_a_time_without_a_zone_is_refused_and_named(city: City, since: str) -> None:
    answer = city.api.get("/v1/ledger", params={"since": since})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "urn:madina:problem:bad_time"
    assert problem["field"] == "since"


def test_a_parameter_that_nobody_knows_is_refused(city: City) -> None:
    answer = city.api.get("/v1/ledger", params={"supplier": "acme"})
    assert answer.status_code == 422
    assert answer.json()["field"] == "supplier"


def test_the_same_answer_is_not_sent_twice(city: City) -> None:
    first = city.api.get("/v1/ledger")
    again = city.api.get("/v1/ledger", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""


def test_counts_survive_more_gateways_than_one_answer_of_the_log_holds(city: City) -> None:
    subjects = [f"madina.log.{shard}.g{number}.1" for shard in range(4) for number in range(300)]
    city.publish_many(subjects, {"Madina-Count": "2"})
    assert city.api.get("/v1/ledger").json()["messages"]["received"] == 2 * len(subjects)


def test_the_balance_closes_while_messages_come_in(city: City, idle: Batch) -> None:
    for _ in range(20):
        city.log_messages(3)
        city.apply(decided(idle, accepted=2, duplicate=1), messages=3)
        assert city.api.get("/v1/ledger").json()["difference"]["messages"] == 0
