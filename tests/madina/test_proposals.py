"""A proposal as a file: it says what the inspection found, and creates exactly that, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.clock import US_PER_S
from ingest.codecs.catalogue import find_codecs
from ingest.inspect.findings import Findings, Heard
from ingest.inspect.inspector import Inspector
from madina.errors import CommandError
from madina.proposals.document import Proposal, read_proposal
from madina.proposals.writing import proposal_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AT_US = 1_790_000_000 * US_PER_S
CODECS = find_codecs()
LEVELS = st.text(max_size=12).filter(lambda level: not {"/", "+", "#", "\0"} & {*level})


def found(*messages: tuple[str, object]) -> Findings:
    heard = [
        Heard(topic, body if isinstance(body, bytes) else msgspec.json.encode(body), AT_US)
        for topic, body in messages
    ]
    return Inspector(CODECS, "UTC").look(heard)


def written(findings: Findings, folder: Path) -> Proposal:
    file = folder / "proposal.toml"
    file.write_text(proposal_text(findings, "all"), encoding="utf-8")
    return read_proposal(file)


BOXES = tuple(
    (f"box/b{number}/data", {"temp_c": 20 + number, "pm25": 8, "state": "--"})
    for number in range(3)
)


def test_the_file_says_what_was_found_and_why(tmp_path: Path) -> None:
    findings = found(*BOXES, ("odd/1", b"\xff\x00"))
    text = proposal_text(findings, "4 messages")
    assert "# temperature in Cel, as in 20.0; high: its name ends in the unit: temp_c" in text
    assert "# nothing is proposed for odd/" in text
    proposal = written(findings, tmp_path)
    (group, _) = findings.groups
    (route,) = proposal.routes
    assert (route.name, route.pattern, route.codec) == ("box-data", "box/+/data", "mapping")
    assert route.options == {key: value for key, value in group.options.items() if value != {}}
    assert [each["id"] for each in proposal.devices] == ["b0", "b1", "b2"]
    assert [each.name for each in proposal.providers] == ["box"]


@given(
    messages=st.lists(
        st.tuples(
            st.lists(LEVELS, min_size=1, max_size=4).map("/".join),
            st.one_of(
                st.binary(max_size=40),
                st.dictionaries(st.text(max_size=8), st.floats(-50, 50), max_size=3),
            ),
        ).filter(lambda message: message[0] != ""),
        max_size=6,
    )
)
def test_whatever_boxes_send_is_written_as_it_is_proposed(
    messages: list[tuple[str, object]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    findings = found(*messages)
    proposal = written(findings, tmp_path_factory.mktemp("proposal"))
    proposed = [
        (each.route, each.pattern, each.codec, each.options)
        for each in findings.groups
        if each.codec and not each.registered
    ]
    said = {each.name: each for each in proposal.routes}
    for name, pattern, codec, options in proposed:
        if name in said:
            assert (said[name].pattern, said[name].codec) == (pattern, codec)
            assert said[name].options == {key: of for key, of in options.items() if of != {}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[routes]]\nname = ", "is no TOML"),
        ('[[routes]]\nname = "a"\npattern = "a/#"\n', "missing required field `codec`"),
        ('[[routes]]\nname = "a"\ntopics = "a/#"\n', "unknown field `topics`"),
        ('[[devices]]\nprovider = "a"\n[[device]]\n', "unknown field `device`"),
    ],
)
def test_a_file_that_is_no_proposal_is_refused_with_the_member(
    text: str, words: str, tmp_path: Path
) -> None:
    file = tmp_path / "proposal.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CommandError, match=words):
        read_proposal(file)
    with pytest.raises(CommandError, match="cannot be read"):
        read_proposal(tmp_path / "nowhere.toml")


def test_what_is_created_is_there_the_second_time_and_changed_only_when_asked(
    madina: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "box.toml"
    file.write_text(proposal_text(found(*BOXES), "all"), encoding="utf-8")
    first = madina("inspect", "--apply", str(file), "--json").json()
    assert [each["name"] for each in first["providers"]] == ["box"]
    assert first["providers"][0]["secret"]
    assert (first["routes"], first["devices"]) == (["box-data"], ["box/b0", "box/b1", "box/b2"])

    again = madina("inspect", "--apply", str(file), "--json").json()
    assert (again["providers"], again["routes"], again["devices"]) == ([], [], [])
    assert again["there"] == ["box", "box/b0", "box/b1", "box/b2", "box-data"]

    text = file.read_text(encoding="utf-8").replace('id = "b1"', 'id = "b1"\nname = "Gate"')
    file.write_text(text.replace('unit = "Cel"', 'unit = "K"'), encoding="utf-8")
    refused = madina("inspect", "--apply", str(file))
    assert refused.status == 1
    assert "box-data has another options; box/b1 has another name" in refused.err
    assert madina("devices", "show", "box/b1", "--json").json()["name"] == ""

    changed = madina("inspect", "--apply", str(file), "--change", "--json").json()
    assert changed["changed"] == {"box-data": ["options"], "box/b1": ["name"]}
    assert madina("devices", "show", "box/b1", "--json").json()["name"] == "Gate"
    values = madina("routes", "show", "box-data", "--json").json()["options"]["values"]
    assert "K" in [each.get("unit") for each in values]


def test_nothing_is_created_where_a_device_cannot_be(
    madina: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "box.toml"
    text = proposal_text(found(*BOXES), "all").replace('id = "b2"', 'id = "b2"\nlat = 95.0')
    file.write_text(text, encoding="utf-8")
    refused = madina("inspect", "--apply", str(file))
    assert refused.status == 1
    assert "box/b2: " in refused.err
    assert "nothing was created" in refused.err
    routes = madina("routes", "list", "--json").json()["items"]
    assert "box-data" not in [each["name"] for each in routes]
    assert madina("providers", "list", "--json").json()["items"] == []


def test_a_route_that_is_refused_hides_no_secret_of_what_was_made_before(
    madina: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "box.toml"
    text = proposal_text(found(*BOXES), "all")
    file.write_text(text.replace('input = "json"', 'input = "morse"', 1), encoding="utf-8")
    refused = madina("inspect", "--apply", str(file), "--json")
    assert refused.status == 1
    assert "input" in refused.err
    told = msgspec.json.decode(refused.out)
    assert (told["providers"][0]["name"], told["routes"]) == ("box", [])
    assert told["providers"][0]["secret"]
    file.write_text(text, encoding="utf-8")
    mended = madina("inspect", "--apply", str(file), "--json").json()
    assert (mended["providers"], mended["routes"], mended["devices"]) == ([], ["box-data"], [])
    empty = tmp_path / "empty.toml"
    empty.write_text("", encoding="utf-8")
    assert madina("inspect", "--apply", str(empty), "--json").json()["routes"] == []


def test_a_file_that_is_there_is_not_written_over(
    madina: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "box.toml"
    file.write_text("mine", encoding="utf-8")
    refused = madina("inspect", "--out", str(file))
    assert (refused.status, file.read_text(encoding="utf-8")) == (1, "mine")
    assert "is there already" in refused.err
