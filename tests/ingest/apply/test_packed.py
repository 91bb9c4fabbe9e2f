"""Names and lanes in packed columns answer as dicts do, whatever the order of changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.apply.int_table import ABSENT
from ingest.apply.lanes import NO_LANE, Lanes
from ingest.apply.links import PAIRS_MAX, Links
from ingest.apply.names import NEAR_MAX, Names
from ingest.apply.series import SeriesBook
from ingest.apply.view import RegistryView
from registry.facts import Changes

NAMES = st.tuples(st.integers(0, 2), st.text(st.sampled_from("abö"), max_size=3))
TOPICS = st.binary(max_size=2)
STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "drop", "find"]), TOPICS, st.integers(0, 50)), max_size=60
)


class _Nothing:
    """A registry without anything."""

    def changes(self, since: int) -> Changes:
        return Changes(revision=since)

    def accept(self, devices: list[tuple[str, str]]) -> int:
        raise AssertionError(devices)


@given(st.lists(st.tuples(st.booleans(), NAMES), max_size=80), st.sampled_from([1, 3, 1 << 64]))
def test_names_are_numbered_once_each_however_their_keys_meet(
    steps: list[tuple[bool, tuple[int, str]]], keys: int
) -> None:
    names, reference = Names(lambda of: hash(of) % keys), dict[tuple[int, str], int]()
    for adds, (owner, name) in steps:
        if adds:
            number = reference.setdefault((owner, name), len(reference))
            assert names.add(owner, name) == number
        assert names.find(owner, name) == reference.get((owner, name), ABSENT)
    assert len(names) == len(reference)
    assert [names.name(number) for number in range(len(names))] == [*reference]


def test_more_names_than_are_kept_near() -> None:
    names = Names()
    for number in range(NEAR_MAX + 10):
        assert names.add(1, f"sensor-{number}") == number
    assert [names.find(1, f"sensor-{each}") for each in (0, 5, NEAR_MAX)] == [0, 5, NEAR_MAX]
    assert names.find(2, "sensor-0") == ABSENT


@given(STEPS, st.sampled_from([0, 3, 1_000]))
def test_lanes_are_those_of_a_dict(steps: list[tuple[str, bytes, int]], whole: int) -> None:
    lanes, reference = Lanes(whole), dict[bytes, int]()
    for step, topic, slot in steps:
        if step == "put":
            lanes.put(topic, slot)
            reference[topic] = slot
        elif step == "drop":
            lanes.drop(topic)
            reference.pop(topic, None)
        assert lanes.get(topic) == reference.get(topic, NO_LANE)
    topics = [bytes([high, low]) for high in range(4) for low in range(4)] + [*reference, b""]
    assert lanes.find(topics).tolist() == [reference.get(each, NO_LANE) for each in topics]


def test_another_topic_with_the_same_hash_is_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def same(_: object) -> int:
        return 7

    monkeypatch.setattr("ingest.apply.lanes.hash", same, raising=False)
    lanes = Lanes(whole_max=0)
    lanes.put(b"one", 1)
    lanes.put(b"two", 2)
    assert lanes.find([b"one", b"two", b"three"]).tolist() == [1, NO_LANE, NO_LANE]
    assert lanes.get(b"two") == NO_LANE


def test_what_more_pairs_say_than_are_numbered_is_looked_at_one_by_one() -> None:
    view = RegistryView(_Nothing())
    book = SeriesBook(view, [])
    links, slot = Links(book), view.slot("acme", "box")
    quantities = [f"x_reading_{number}" for number in range(PAIRS_MAX + 2)]
    slots = np.full(len(quantities), slot, np.int64)
    found = links.find(slots, quantities, [None] * len(quantities))
    assert np.flatnonzero(found.unclear).tolist() == [PAIRS_MAX, PAIRS_MAX + 1]
    assert len(book) == PAIRS_MAX
    again = links.find(slots[:2], quantities[:2], [None, "no unit"])
    assert again.unclear.tolist() == [False, True]
