"""Scenario files: what comes with the program can be run, and what cannot names its line."""

from pathlib import Path

import jsonschema_rs
import msgspec
import pytest
import yaml

from loadtest.scenario.file import (
    ScenarioError,
    find_scenario,
    read_scenario,
    ready_names,
    scenario_schema,
)

ROOT = Path(__file__).parents[3]
READY = {"smoke", "city-100k", "rush-hour", "reconnect-storm", "sensor-storm", "soak", "knee"}
FLEET = " - {name: a, devices: 10, every: 1s}\n"
WHOLE = "name: x\nfleets:\n" + FLEET + "phases:\n - {kind: hold, seconds: 1}\n"
FAULTY = WHOLE + "faults:\n - {at: 100ms, "


def test_the_schema_says_the_same_as_the_reader_of_every_scenario_that_comes_along() -> None:
    validator = jsonschema_rs.Draft202012Validator(scenario_schema())
    assert set(ready_names()) >= READY
    for name in ready_names():
        assert find_scenario(name).name == name
        text = (ROOT / "loadtest" / "scenario" / "ready" / f"{name}.yaml").read_text()
        document = yaml.safe_load(text)
        validator.validate(document)
        document["fleets"][0]["pace"] = "1s"
        assert not validator.is_valid(document)


def test_the_schema_in_the_documentation_is_that_of_the_program() -> None:
    kept = (ROOT / "docs" / "load-scenario.schema.json").read_bytes()
    assert msgspec.json.decode(kept) == msgspec.to_builtins(scenario_schema())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: x\nfleets: [", "x.yaml:2: "),
        (WHOLE.replace("10", "ten"), "x.yaml:3: fleets[0].devices: Expected `int`, got `str`"),
        (
            WHOLE.replace("every", "pace"),
            "x.yaml:3: fleets[0]: Object contains unknown field `pace`",
        ),
        (WHOLE.replace("1s", "1w"), "x.yaml:3: fleets[0].every: "),
        (WHOLE.replace("hold", "rest"), "x.yaml:5: phases[0].kind: Invalid value 'rest'"),
        (WHOLE.replace(FLEET, FLEET * 2), "x.yaml:4: fleets[1].name: there are two fleets 'a'"),
        (WHOLE.replace("1s", "0s"), "x.yaml:3: fleets[0].every: devices cannot send without"),
        (WHOLE.replace("1s", "1s, together: 2s"), "x.yaml:3: fleets[0].together: longer than 0"),
        (WHOLE.replace("seconds: 1", "seconds: 0"), "x.yaml:4: phases: they last no time at all"),
        (WHOLE + "clock: {timezone: Mars/Base}\n", "x.yaml:6: clock.timezone: 'Mars/Base' is no"),
        (WHOLE + "seed: 1\nbudget: {}\n", "x.yaml:1: file: Object contains unknown field `budget`"),
        (FAULTY + "do: explode, part: log}\n", "x.yaml:7: faults[0].do: Invalid enum value"),
        (FAULTY + "do: kill, part: cellar}\n", "x.yaml:7: faults[0].part: Invalid enum value"),
        (FAULTY + "do: kill}\n", "x.yaml:7: faults[0]: a kill of what? say `part`"),
        (
            FAULTY + "do: kill, part: log, lasts: 100ms}\n",
            "x.yaml:7: faults[0].lasts: a killed part is back when its supervisor",
        ),
        (
            FAULTY + "do: freeze, part: log}\n",
            "x.yaml:7: faults[0].lasts: a freeze that lasts no time at all",
        ),
        (
            FAULTY + "do: freeze, part: log, lasts: 1s}\n",
            "x.yaml:7: faults[0].at: it is not over when the phases are, after 1 s",
        ),
        (
            FAULTY + "do: fill-disk, part: log, lasts: 100ms}\n",
            "x.yaml:7: faults[0].part: a fill-disk has no part",
        ),
        (FAULTY + "do: fill-disk}\n", "x.yaml:7: faults[0].lasts: a fill-disk that lasts no time"),
        (FAULTY + "do: cut, lasts: 100ms}\n", "x.yaml:7: faults[0]: a cut has a `link` or a"),
        (FAULTY + "do: delay, by: 1s, lasts: 100ms}\n", "x.yaml:7: faults[0]: a delay is done by"),
        (
            FAULTY + "do: delay, proxy: 'h:1', lasts: 100ms}\n",
            "x.yaml:7: faults[0].proxy: a delay says `by` how much",
        ),
        (
            FAULTY + "do: freeze, part: log, proxy: 'h:1', lasts: 100ms}\n",
            "x.yaml:7: faults[0].proxy: a freeze has no `proxy`",
        ),
        (
            FAULTY + "do: refuse, proxy: h, lasts: 100ms}\n",
            "x.yaml:7: faults[0].proxy: Expected `str` matching regex",
        ),
        (
            FAULTY + "do: kill, part: log, link: eth0}\n",
            "x.yaml:7: faults[0]: only a cut has a `link`",
        ),
        (
            FAULTY + "do: cut, link: 'a b', lasts: 100ms}\n",
            "x.yaml:7: faults[0].link: Expected `str` matching regex",
        ),
        (
            FAULTY + "do: kill, part: log, expect: {lost: -1}}\n",
            "x.yaml:7: faults[0].expect.lost: Expected `int` >= 0",
        ),
        (
            FAULTY + "do: kill, part: broker, expect: {lost: some}}\n",
            "x.yaml:7: faults[0].expect.lost: Expected `int`, got `str`",
        ),
        (
            FAULTY + "do: kill, part: broker, expect: {loss: 5}}\n",
            "x.yaml:7: faults[0].expect: Object contains unknown field `loss`",
        ),
        (FAULTY + "part: log}\n", "x.yaml:7: faults[0]: Object missing required field `do`"),
        (WHOLE + "faults: {do: kill}\n", "x.yaml:6: faults: Expected `array`, got `object`"),
        ("- a", "x.yaml:1: file: Expected `object`, got `array`"),
        ("", "x.yaml:1: file: Expected `object`, got `null`"),
    ],
)
def test_a_file_that_cannot_be_run_names_line_and_member(text: str, words: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        read_scenario(text, "x.yaml")
    assert str(refused.value).startswith(words)


def test_a_name_that_is_no_scenario_is_answered_with_those_that_are() -> None:
    with pytest.raises(ScenarioError, match=r"no scenario 'smok': .* knee, .*smoke"):
        find_scenario("smok")
