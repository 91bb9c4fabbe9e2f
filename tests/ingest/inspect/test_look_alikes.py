"""Devices that people take for one: the inspector warns, and makes nothing one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.identity import device_id
from ingest.codecs.catalogue import find_codecs
from ingest.inspect.findings import Findings, FoundDevice, Heard
from ingest.inspect.inspector import Inspector
from ingest.inspect.look_alikes import look_alikes, look_of
from madina.inspection import print_findings

AT_US = 1_772_619_330_000_000


def devices(*names: str, provider: str = "acme") -> list[FoundDevice]:
    ids = [device_id(each) for each in names]
    return [FoundDevice(provider, each, "", 1, []) for each in ids if each is not None]


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("bay-1", "b\u0430y-1", "'\u0430' is CYRILLIC SMALL LETTER A"),
        ("\u0391lpha", "Alpha", "GREEK CAPITAL LETTER ALPHA"),
        ("B-01", "B-O1", "0 and O"),
        ("bay-1", "bay-l", "1, I and l"),
        ("horn-2", "hom-2", "rn and m"),
        ("Bay-i", "bay-i", "only the case"),
        ("box\uff11", "box1", "FULLWIDTH DIGIT ONE"),
        ("a\u20131", "a-1", "EN DASH"),
    ],
)
def test_ids_that_look_alike_are_told_with_what_differs(one: str, other: str, why: str) -> None:
    (found,) = look_alikes(devices(one, other, "another"))
    assert found.ids == sorted(str(device_id(each)) for each in (one, other))
    assert why in found.why


def test_what_the_eye_tells_apart_and_devices_of_others_are_no_look_alikes() -> None:
    apart = devices("row-i", "row-l", "row-o", "row-0", "a-1", "a_1", "e", "\u00e9")
    assert look_alikes(apart) == []
    assert look_alikes([*devices("b1"), *devices("bl", provider="other")]) == []
    # The same letters, written in two ways, are one device already (NFC).
    assert look_alikes(devices("ol\u00e9", "ole\u0301")) == []


@given(st.lists(st.text(min_size=1, max_size=6), max_size=8))
def test_every_pair_of_one_look_is_in_a_set_and_no_set_has_one(names: list[str]) -> None:
    found = look_alikes(devices(*names))
    ids = {each.id for each in devices(*names)}
    assert all(len({*each.ids}) > 1 and ids >= {*each.ids} for each in found)
    for one in ids:
        for other in ids - {one}:
            together = any({one, other} <= {*each.ids} for each in found)
            assert together or look_of(one) != look_of(other)


def heard(*names: str) -> Findings:
    messages = [Heard(f"park/{each}/data", b'{"temp_c": 20}', AT_US) for each in names]
    return Inspector(find_codecs(), "UTC").look(messages)


def test_people_see_them_below_all_that_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    print_findings(heard("b1", "bl", "b2"))
    shown = capsys.readouterr().out
    assert "Devices that look alike and are different" in shown
    assert "park/b1, park/bl" in shown
    print_findings(heard("b1", "b2"))
    assert "look alike" not in capsys.readouterr().out


def test_an_id_with_a_mark_that_nobody_sees_is_no_device() -> None:
    (group,) = heard("b1", "b\u200b1").groups
    assert [each.id for each in group.devices] == ["b1"]
    assert [words.partition(":")[0] for words in group.faults] == ["bad_device_id"]
